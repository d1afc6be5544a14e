from __future__ import annotations

import math
from pathlib import Path

import pytest

from models.evaluate.ngram import NgramSubject, train_ngram
from models.evaluate.subject import Ask, NotAvailable

TEXT = b"the fox ran over the hill and the owl slept. " * 30


@pytest.fixture(scope="module")
def ngram() -> NgramSubject:
    return NgramSubject(TEXT, order=4)


@pytest.mark.parametrize("before", [b"", b"t", b"the", b"zzz", "é".encode()])
def test_the_chances_of_all_bytes_sum_to_one(ngram: NgramSubject, before: bytes) -> None:
    assert sum(ngram.probability(byte, before) for byte in range(256)) == pytest.approx(1)


def test_what_was_never_seen_is_possible(ngram: NgramSubject) -> None:
    assert ngram.probability(ord("Z"), b"the") > 0


def test_witten_bell_by_hand() -> None:
    # Bigrams of "aab": a → a, b once each, two kinds. P(a|a) = 2/4 · 1/2 + 2/4 · P(a); every byte counts once more.
    model = NgramSubject(b"aab", order=2)
    alone = (2 + 1) / (3 + 256)
    assert model.probability(ord("a"), b"") == pytest.approx(alone)
    assert model.probability(ord("a"), b"a") == pytest.approx(0.5 * 0.5 + 0.5 * alone)


def test_a_score_is_the_sum_of_its_bytes(ngram: NgramSubject) -> None:
    whole = b"the fox ran"
    expected = -sum(math.log(ngram.probability(whole[i], whole[:i])) for i in range(8, 11))
    score = ngram.score("the fox ", "ran")
    assert score.nats == pytest.approx(expected)
    assert score.num_tokens == score.num_bytes == 3
    assert ngram.score("", "the owl").num_bytes == 7


def test_its_own_text_is_likelier_than_another(ngram: NgramSubject) -> None:
    assert ngram.score("", "the owl ran over").bits_per_byte < ngram.score("", "xylophones jam up").bits_per_byte


def test_it_draws_from_its_own_distribution() -> None:
    # With one byte's context the chance of b behind a is known; the drawing must agree with it.
    model = NgramSubject(b"abac" * 200, order=2)
    [drawn] = model.write([Ask("a", n=400, max_tokens=1, seed=1)])
    share = sum(candidate.text[:1] == "b" for candidate in drawn) / 400
    assert share == pytest.approx(model.probability(ord("b"), b"a"), abs=0.08)


def test_the_same_seed_writes_the_same(ngram: NgramSubject) -> None:
    ask = Ask("the fox ", n=2, max_tokens=10, seed=5)
    assert ngram.write([ask]) == ngram.write([ask])
    assert len({candidate.text for candidate in ngram.write([ask])[0]}) == 2


def test_a_file_counts_as_it_stands_and_as_its_stories(tmp_path: Path) -> None:
    story = "The fox ran over the hill. " * 10
    (tmp_path / "a.txt").write_text(f"{story}\n<|endoftext|>\n{story}")
    raw, cleaned = len(f"{story}\n\n\n{story}"), len(story.strip())
    assert train_ngram([tmp_path / "a.txt"], 3).describe()["trained_bytes"] == raw + 2 * (2 + cleaned)


def test_it_can_not_be_told_what_to_include(ngram: NgramSubject) -> None:
    with pytest.raises(NotAvailable, match="must include"):
        ngram.write([Ask("the", n=1, max_tokens=4, seed=0, fields={"must_include": ["owl"]})])


def test_an_order_out_of_bounds_and_an_empty_text_are_refused(ngram: NgramSubject) -> None:
    with pytest.raises(ValueError, match="between 2 and 10"):
        NgramSubject(b"abc", order=1)
    with pytest.raises(NotAvailable):
        ngram.score("the", "")
