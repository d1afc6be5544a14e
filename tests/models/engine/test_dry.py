"""DRY against text-generation-webui's own way of counting, which compares token by token."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.engine.checkpoint import Checkpoint
from models.engine.dry import Breakers, Dry, dry_penalty, marked, suffix_matches
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.row import make_rows
from tests.models.tiny import encode

PLAIN = SamplingParams(dry_multiplier=0.8)


def reference(params: SamplingParams, ids: list[int], breakers: set[int], scores: torch.Tensor) -> torch.Tensor:
    """The processor of oobabooga/text-generation-webui#5677, for one row."""
    scores = scores.clone()
    if params.dry_penalty_last_n > 0:
        ids = ids[-params.dry_penalty_last_n :]
    if not ids or ids[-1] in breakers:
        return scores
    lengths: dict[int, int] = {}
    for i in (index for index, token in enumerate(ids[:-1]) if token == ids[-1]):
        if (follower := ids[i + 1]) in breakers:
            continue
        length = 1
        while length < 50 and i >= length and ids[i - length] == ids[-1 - length] not in breakers:
            length += 1
        lengths[follower] = max(length, lengths.get(follower, 0))
    for token, length in lengths.items():
        if length >= params.dry_allowed_length:
            scores[token] -= params.dry_multiplier * params.dry_base ** (length - params.dry_allowed_length)
    return scores


class Listed(Breakers):
    """Breakers by their ids: what text-generation-webui has."""

    def __init__(self, ids: set[int]) -> None:
        self._ids = ids

    def look(self, before: bytes, token: int) -> tuple[bytes, bool]:
        return before, token in self._ids


def adjusted(dry: Dry, scores: torch.Tensor) -> torch.Tensor:
    scores = scores.clone()
    dry.adjust(scores)
    return scores


@given(
    st.lists(st.integers(0, 3), max_size=25),
    st.lists(st.one_of(st.integers(0, 3), st.integers(-3, -1)), max_size=25),
    st.sets(st.integers(0, 3), max_size=1),
    st.sampled_from([-1, 1, 4, 9]),
    st.integers(1, 3),
)
def test_penalties_are_those_of_the_slow_way(
    prompt: list[int], moves: list[int], listed: set[int], last_n: int, allowed: int
) -> None:
    params = SamplingParams(dry_multiplier=0.8, dry_penalty_last_n=last_n, dry_allowed_length=allowed)
    breakers, scores = Listed(listed), torch.zeros(4)
    dry, ids = Dry(params, breakers, *marked(breakers, prompt)), list(prompt)
    for move in moves:
        if move >= 0:
            dry.accept(move)
            ids.append(move)
        elif len(ids) - len(prompt) >= -move:
            dry.take_back(-move)
            del ids[move:]
        torch.testing.assert_close(adjusted(dry, scores), reference(params, ids, listed, scores))


@given(st.lists(st.integers(0, 2), max_size=40))
def test_matches_are_counted_in_one_pass(text: list[int]) -> None:
    expected = {}
    for place in range(len(text) - 1):
        length = 0
        while length <= place and text[place - length] == text[len(text) - 1 - length]:
            length += 1
        if length:
            expected[place] = length
    assert suffix_matches(text) == expected


def test_a_long_repetition_stays_a_number() -> None:
    breakers = Listed(set())
    dry = Dry(SamplingParams(dry_multiplier=100, dry_base=10), breakers, *marked(breakers, [1] * 3000))
    scores = adjusted(dry, torch.zeros(3))
    assert scores.tolist() == [0.0, pytest.approx(-1e6), 0.0]
    assert dry_penalty(PLAIN, 7) == pytest.approx(0.8 * 1.75**5)


def test_a_breaker_is_found_in_the_text_whatever_tokens_spell_it(llama: Checkpoint) -> None:
    ids = encode(llama, "a:b x年y")
    breakers = Breakers(llama.tokenizer, (":", "b x", "年"))
    text, _ = marked(breakers, ids)
    ends = [place for place, token in enumerate(text) if token < 0]
    assert [llama.tokenizer.decode(ids[: place + 1]) for place in ends] == ["a:", "a:b x", "a:b x年"]
    assert len(ids) > len("a:b x年y"), "the year is spelled by several tokens"


def test_rows_pay_for_what_the_prompt_says_too(llama: Checkpoint) -> None:
    word = encode(llama, " dragon")
    request = Request("r", encode(llama, " dragon dragon who lived dragon dragon"), 1, sampling=PLAIN, n=2)
    follower = encode(llama, " who")[0]
    for row in make_rows(request, llama):
        scores = torch.zeros(llama.vocab_size)
        row.sampler.adjust(scores)
        assert scores[follower] == pytest.approx(-0.8)
        assert int((scores != 0).sum()) == 1
        row.sampler.accept(encode(llama, "x")[0])
        row.sampler.accept(word[0])
        again = torch.zeros(llama.vocab_size)
        row.sampler.adjust(again)
        assert not again.any(), "one token of agreement is allowed"
