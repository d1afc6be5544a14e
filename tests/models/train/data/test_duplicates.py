from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from models.train.data.duplicates import NearIndex, Signer, find_near_duplicates, open_signatures
from models.train.data.settings import DuplicateSettings
from models.train.data.shingles import shingle_hashes, text_digest
from tests.models.train.data.corpus import WORDS, tell

SETTINGS = DuplicateSettings()


def find(texts: list[str], settings: DuplicateSettings = SETTINGS, order: list[int] | None = None) -> set[int]:
    signatures = np.stack([Signer(settings).sign(text) for text in texts])
    return set(find_near_duplicates(signatures, order or range(len(texts)), NearIndex(settings)))


def jaccard(a: str, b: str, size: int) -> float:
    first, second = set(shingle_hashes(a, size).tolist()), set(shingle_hashes(b, size).tolist())
    return len(first & second) / len(first | second)


def with_changes(text: str, changes: int, seed: int = 0, first: int = 5) -> str:
    """The text with words replaced, so far apart that each changes five shingles of its own."""
    words = text.split()
    for at in random.Random(seed).sample(range(first, len(words) - 5, 12), changes):
        words[at] = "otherwise"
    return " ".join(words)


def test_shingles_ignore_case_and_punctuation() -> None:
    assert shingle_hashes("The fox -- ran, HOME!", 3).tolist() == shingle_hashes("the Fox ran home", 3).tolist()
    assert len(shingle_hashes("the fox ran home", 3)) == 2
    assert len(shingle_hashes("the fox", 5)) == 1
    assert len(shingle_hashes("...", 5)) == 0
    assert text_digest("A fox.") == text_digest("a  FOX") != text_digest("fox a")


def test_the_order_of_words_matters_in_a_shingle() -> None:
    assert not set(shingle_hashes("a b c", 3).tolist()) & set(shingle_hashes("c b a", 3).tolist())


def test_an_edited_copy_is_found_and_another_story_is_not() -> None:
    text = tell(1, 40)
    edited = with_changes(text, 3)
    assert jaccard(text, edited, 5) > 0.9
    assert find([text, tell(2, 40), edited]) == {2}


def test_the_first_or_another_order_decides_which_stays() -> None:
    text = tell(1, 40)
    assert find([with_changes(text, 2), text], order=[1, 0]) == {0}


def test_likeness_does_not_chain() -> None:
    # b is like a and c is like b, but c is not like a: only b goes.
    a = tell(1, 60)
    b = with_changes(a, 8)
    c = with_changes(b, 8, first=11)
    settings = DuplicateSettings(threshold=0.86, permutations=512)
    assert jaccard(a, b, 5) > 0.89
    assert jaccard(b, c, 5) > 0.89
    assert jaccard(a, c, 5) < 0.82
    assert find([a, b, c], settings) == {1}


def test_the_estimate_errs_as_the_theory_says() -> None:
    rng = random.Random(3)
    errors = []
    for seed in range(60):
        text = tell(seed, 40)
        other = with_changes(text, rng.randint(1, 20), seed)
        signer = Signer(SETTINGS)
        estimate = float(np.mean(signer.sign(text) == signer.sign(other)))
        errors.append(estimate - jaccard(text, other, 5))
    # sqrt(J (1 - J) / 128) is at most 0.0442, at J = 0.5; 0.035 at J = 0.8.
    assert 0.02 < float(np.std(errors)) < 0.05
    assert abs(float(np.mean(errors))) < 0.02


def test_the_manifest_tells_the_errors_at_the_threshold() -> None:
    told = NearIndex(SETTINGS).describe()
    assert told["standard_error_at_threshold"] == pytest.approx((0.8 * 0.2 / 128) ** 0.5, abs=1e-4)
    missed = (1 - 0.8 ** told["rows_per_band"]) ** told["bands"]
    assert told["chance_to_find_at_threshold"] == pytest.approx(1 - missed, abs=1e-4)
    assert told["chance_to_find_at_threshold"] > 0.8


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.95])
def test_every_threshold_that_is_allowed_works(threshold: float) -> None:
    text = tell(1)
    settings = DuplicateSettings(threshold=threshold, permutations=64)
    assert find([text, text.upper(), " ".join(random.Random(1).choices(WORDS, k=90))], settings) == {1}


def test_a_long_text_is_signed_in_batches_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    text = tell(1, 60)
    whole = Signer(SETTINGS).sign(text)
    monkeypatch.setattr("models.train.data.duplicates._BATCH", 7)
    assert (Signer(SETTINGS).sign(text) == whole).all()


def test_the_index_keeps_about_three_hundred_bytes_a_band() -> None:
    signatures = np.random.default_rng(1).integers(0, 2**32, size=(500, 128), dtype=np.uint32)
    index = NearIndex(SETTINGS)
    tracemalloc.start()
    for number, signature in enumerate(signatures):
        index.add(number, signature)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept / len(signatures) / index.describe()["bands"] < 400


def test_no_story_at_all_has_no_signatures(tmp_path: Path) -> None:
    (tmp_path / "s.bin").write_bytes(b"")
    assert open_signatures(tmp_path / "s.bin", 128).shape == (0, 128)
