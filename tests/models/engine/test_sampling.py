"""Drawing against the exact distribution, which transformers' own processors define."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from models.engine.params import BadSampling, SamplingParams
from models.engine.sampling import RowSampler, draw, pick
from models.engine.truncation import BLOCK

SETTINGS = [
    SamplingParams(),
    SamplingParams(temperature=0.7),
    SamplingParams(top_k=5),
    SamplingParams(top_p=0.8),
    SamplingParams(min_p=0.1),
    SamplingParams(temperature=1.4, top_k=30, top_p=0.9, min_p=0.02, repetition_penalty=1.3),
]
TYPICAL = [
    SamplingParams(typical_p=0.2),
    SamplingParams(typical_p=0.7),
    SamplingParams(typical_p=0.95, temperature=1.5),
    SamplingParams(typical_p=0.6, top_k=20),
    SamplingParams(typical_p=0.6, top_p=0.9),
    SamplingParams(typical_p=0.5, min_p=0.05),
    SamplingParams(typical_p=0.8, temperature=1.3, top_k=40, top_p=0.97, min_p=0.01, repetition_penalty=1.2),
]


def exact(logits: torch.Tensor, params: SamplingParams, prompt: list[int]) -> torch.Tensor:
    """What transformers would sample from."""
    steps = LogitsProcessorList()
    if params.repetition_penalty != 1:
        steps.append(RepetitionPenaltyLogitsProcessor(params.repetition_penalty))
    steps.append(TemperatureLogitsWarper(params.temperature))
    if params.top_k:
        steps.append(TopKLogitsWarper(params.top_k))
    if params.top_p < 1:
        steps.append(TopPLogitsWarper(params.top_p))
    if params.min_p:
        steps.append(MinPLogitsWarper(params.min_p))
    if params.typical_p < 1:
        steps.append(TypicalLogitsWarper(params.typical_p))
    return torch.softmax(steps(torch.tensor([prompt]), logits[None].clone())[0], -1)


def logits_of(size: int, spread: float = 2.0) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(3)) * spread


def drawn(params: SamplingParams, logits: torch.Tensor, prompt: list[int], count: int, seed: int = 11) -> torch.Tensor:
    """Independent draws [count] of one next token."""
    samplers = [RowSampler(params, seed + 1000 * i, prompt) for i in range(count)]
    return torch.tensor(draw(samplers, [logits.expand(count, -1)]))


def check_distribution(tokens: torch.Tensor, expected: torch.Tensor) -> None:
    """Pearson's test. Tokens that are expected less than five times are one class."""
    counts = torch.bincount(tokens, minlength=len(expected)).double()
    assert counts[expected == 0].sum() == 0
    wanted = expected.double() * len(tokens)
    is_rare = wanted < 5
    counts = torch.cat([counts[~is_rare], counts[is_rare].sum()[None]])
    wanted = torch.cat([wanted[~is_rare], wanted[is_rare].sum()[None]])
    counts, wanted = counts[wanted > 0], wanted[wanted > 0]
    statistic, freedom = float(((counts - wanted) ** 2 / wanted).sum()), len(wanted) - 1
    # Mean and standard deviation of chi-squared are k and sqrt(2k); five deviations fail by chance never.
    assert statistic < freedom + 5 * math.sqrt(2 * freedom) + 5


@pytest.mark.parametrize("params", [*SETTINGS, *TYPICAL])
def test_draws_follow_the_exact_distribution(params: SamplingParams) -> None:
    logits, prompt = logits_of(60), [1, 7, 7, 9]
    check_distribution(drawn(params, logits, prompt, 4_000), exact(logits, params, prompt))


@pytest.mark.parametrize(
    "params",
    [
        *SETTINGS,
        SamplingParams(top_p=0.05),
        SamplingParams(top_p=0.999, min_p=1e-4),
        SamplingParams(top_k=3000),
        SamplingParams(top_k=1500, top_p=0.999),
    ],
)
@pytest.mark.parametrize("spread", [0.0, 0.5, 6.0])
def test_a_large_vocabulary_gives_the_kept_tokens_their_exact_shares(params: SamplingParams, spread: float) -> None:
    """Tokens are put into forty groups of equal mass, so that each is drawn often enough to be counted."""
    logits = logits_of(5000, spread) + torch.linspace(0, 1e-3, 5000)
    plain = SamplingParams(params.temperature, params.top_k, params.top_p, params.min_p)
    expected = exact(logits, plain, [0])
    tokens = torch.cat([drawn(plain, logits, [0], 500, seed) for seed in range(4)])
    assert (expected[tokens] > 0).all()
    order = expected.sort(descending=True, stable=True).indices
    group = (expected[order].double().cumsum(0) * 39.999).long()
    place = torch.empty(5000, dtype=torch.long)
    place[order] = group.clamp_max(39)
    shares = torch.zeros(40, dtype=torch.float64).index_add_(0, place, expected.double())
    check_distribution(place[tokens], shares)


@pytest.mark.parametrize("top_p", [0.1, 0.5, 0.9])
def test_of_equal_tokens_as_many_stay_as_the_mass_has_room_for(top_p: float) -> None:
    logits = torch.zeros(20)
    tokens = drawn(SamplingParams(top_p=top_p), logits, [], 2_000)
    assert sorted(set(tokens.tolist())) == list(range(round(20 * top_p)))  # the lower ids come first
    assert len(set(drawn(SamplingParams(top_k=7), logits, [], 500).tolist())) == 7


def test_rows_of_all_kinds_draw_in_one_batch_what_each_draws_alone() -> None:
    biased = SamplingParams(top_k=9, logit_bias=((3, 4.0), (699, -100.0)))
    kinds = [*SETTINGS, *TYPICAL, SamplingParams(temperature=0), SamplingParams(top_k=3, min_p=0.2), biased]
    logits = torch.randn(len(kinds), 700, generator=torch.Generator().manual_seed(8)) * 3

    def samplers() -> list[RowSampler]:
        return [RowSampler(params, seed, [5, 6]) for seed, params in enumerate(kinds)]

    together, apart = samplers(), samplers()
    for _ in range(20):
        tokens = draw(together, [logits[:2], logits[2:]])
        assert tokens == [draw([row], [logits[i : i + 1]])[0] for i, row in enumerate(apart)]
        for rows in (together, apart):
            for row, token in zip(rows, tokens, strict=True):
                row.accept(token)


def picked(logits: torch.Tensor, params: SamplingParams, uniform: float) -> int:
    scores = torch.full((1, BLOCK), -math.inf)
    scores[0, : len(logits)] = logits
    return pick(scores, [params], [lambda: uniform])[0]


def test_the_ends_of_the_range_draw_tokens_that_are_possible() -> None:
    logits = torch.tensor([-math.inf, 3.0, -math.inf, 2.0, -math.inf])
    for params in (SamplingParams(), SamplingParams(top_k=2), SamplingParams(top_k=5)):
        assert {picked(logits, params, u) for u in (0.0, 1 - 2**-53)} == {1, 3}


def test_tiny_truncations_keep_the_likeliest_token() -> None:
    logits = logits_of(50)
    for params in (SamplingParams(top_p=1e-9), SamplingParams(min_p=1.0), SamplingParams(top_k=1)):
        assert set(drawn(params, logits, [], 50).tolist()) == {int(logits.argmax())}


def test_a_temperature_near_zero_is_greedy_and_not_an_overflow() -> None:
    logits = torch.tensor([[50.0, 90.0, -80.0]])
    for coldest in (1e-40, 1e-300):
        assert draw([RowSampler(SamplingParams(temperature=coldest), 1, [])], [logits]) == [1]


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_an_error(broken: float) -> None:
    logits = torch.zeros(2, 300)
    logits[1, 7] = broken
    samplers = [RowSampler(SamplingParams(), seed, []) for seed in (1, 2)]
    with pytest.raises(ArithmeticError, match="finite"):
        draw(samplers, [logits])
    with pytest.raises(ArithmeticError, match="finite"):
        draw(samplers[:1], [torch.full((1, 9), -math.inf)])


def test_repetition_penalty_makes_negative_logits_more_negative() -> None:
    scores = torch.tensor([2.0, -2.0, 1.0])
    RowSampler(SamplingParams(repetition_penalty=2.0), 1, [0, 1]).adjust(scores)
    assert scores.tolist() == [1.0, -4.0, 1.0]


def test_typical_keeps_one_token_at_least_and_not_always_the_likeliest() -> None:
    logits = torch.log(torch.tensor([0.4, 0.15, 0.15, 0.15, 0.15]))  # 2.19 bits: nearest are those of 0.15
    assert set(drawn(SamplingParams(typical_p=1e-9), logits, [], 200).tolist()) == {1, 2, 3, 4}
    assert set(drawn(SamplingParams(typical_p=1e-9), logits_of(50), [], 20).tolist()) <= set(range(50))


def test_a_bias_is_added_to_the_logit_before_the_penalties() -> None:
    logits = torch.tensor([[1.0, 2.0, 0.0]])
    params = SamplingParams(temperature=0, logit_bias=((2, 5.0), (1, -100.0)), repetition_penalty=2.0)
    sampler = RowSampler(params, 1, [2])
    scores = logits[0].clone()
    sampler.adjust(scores)
    assert scores.tolist() == [1.0, -98.0, 2.5]
    assert draw([sampler], [logits]) == [2]
    check_distribution(
        drawn(SamplingParams(logit_bias=((7, 1.5),)), logits_of(30), [], 3_000),
        torch.softmax(logits_of(30) + torch.nn.functional.one_hot(torch.tensor(7), 30) * 1.5, -1),
    )


def slow_penalties(params: SamplingParams, prompt: list[int], written: list[int], logits: torch.Tensor) -> list[float]:
    scores = logits.tolist()
    for token in set(prompt) | set(written):
        scores[token] *= params.repetition_penalty ** (1 if scores[token] < 0 else -1)
    for token in set(written):
        scores[token] -= params.presence_penalty + params.frequency_penalty * written.count(token)
    return scores


@given(
    st.lists(st.integers(0, 9), max_size=12),
    st.lists(st.one_of(st.integers(0, 9), st.integers(-4, -1)), max_size=30),
    st.sampled_from([(1.3, 0.0, 0.0), (1.0, 0.7, 0.2), (1.5, 0.0, -0.4), (1.0, 0.0, 0.3)]),
)
def test_penalties_follow_what_is_written_and_taken_back(
    prompt: list[int], moves: list[int], penalties: tuple[float, float, float]
) -> None:
    params = SamplingParams(1, 0, 1, 0, 1, *penalties)
    sampler, written = RowSampler(params, 1, prompt), list[int]()
    for move in moves:
        if move >= 0:
            sampler.accept(move)
            written.append(move)
        elif len(written) >= -move:
            sampler.take_back(-move)
            del written[move:]
        scores = logits_of(10)
        sampler.adjust(scores)
        assert scores.tolist() == pytest.approx(slow_penalties(params, prompt, written, logits_of(10)), abs=1e-5)


def test_presence_and_frequency_count_generated_tokens_only() -> None:
    sampler = RowSampler(SamplingParams(temperature=0, presence_penalty=0.5, frequency_penalty=0.25), 1, [2])
    logits = torch.tensor([[1.0, 3.0, 2.9]])
    for token in (1, 2, 1):  # 3.0 becomes 2.25; the prompt's token 2 was not counted; 2.9 becomes 2.15
        assert draw([sampler], [logits]) == [token]
        sampler.accept(token)
    assert logits.tolist() == [[1.0, pytest.approx(3.0), pytest.approx(2.9)]]
    sampler.adjust(logits[0])
    assert logits[0].tolist() == pytest.approx([1.0, 3.0 - 0.5 - 0.5, 2.9 - 0.75])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("temperature", math.nan),
        ("top_k", -1),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("min_p", -0.1),
        ("min_p", 1.1),
        ("repetition_penalty", 0.0),
        ("repetition_penalty", math.inf),
        ("presence_penalty", 2.1),
        ("frequency_penalty", -2.1),
        ("typical_p", 0.0),
        ("typical_p", 1.1),
        ("logit_bias", ((1, 101.0),)),
        ("logit_bias", ((1, math.nan),)),
        ("logit_bias", tuple((i, 1.0) for i in range(301))),
        ("dry_multiplier", -1.0),
        ("dry_base", 0.9),
        ("dry_allowed_length", 0),
        ("dry_penalty_last_n", -2),
        ("dry_sequence_breakers", ("",)),
        ("dry_sequence_breakers", ("x",) * 17),
    ],
)
def test_values_out_of_bounds_are_refused_with_their_name(field: str, value: object) -> None:
    with pytest.raises(BadSampling, match=field) as caught:
        SamplingParams(**{field: value})  # type: ignore[arg-type]
    assert caught.value.param == field
