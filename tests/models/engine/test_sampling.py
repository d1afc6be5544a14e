"""Drawing against the exact distribution, which transformers' own processors define."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from models.engine.params import BadSampling, SamplingParams
from models.engine.sampling import RowSampler, pick

SETTINGS = [
    SamplingParams(),
    SamplingParams(temperature=0.7),
    SamplingParams(top_k=5),
    SamplingParams(top_p=0.8),
    SamplingParams(min_p=0.1),
    SamplingParams(temperature=1.4, top_k=30, top_p=0.9, min_p=0.02, repetition_penalty=1.3),
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
    return torch.softmax(steps(torch.tensor([prompt]), logits[None].clone())[0], -1)


def logits_of(size: int, spread: float = 2.0) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(3)) * spread


@pytest.mark.parametrize("params", SETTINGS)
def test_draws_follow_the_exact_distribution(params: SamplingParams) -> None:
    logits, prompt, draws = logits_of(60), [1, 7, 7, 9], 4_000
    expected = exact(logits, params, prompt)
    sampler = RowSampler(params, 11, prompt)
    scores = sampler._penalised(logits) / params.temperature
    uniforms = torch.rand(draws, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    counts = torch.bincount(torch.tensor([pick(scores, params, float(u)) for u in uniforms]), minlength=60)
    assert counts[expected == 0].sum() == 0
    shown = expected * draws >= 5
    statistic = float((((counts - expected * draws) ** 2) / (expected * draws))[shown].sum())
    freedom = int(shown.sum()) - 1
    # Mean and standard deviation of chi-squared are k and sqrt(2k); five deviations fail by chance never.
    assert statistic < freedom + 5 * math.sqrt(2 * freedom) + 5


@pytest.mark.parametrize("params", [*SETTINGS, SamplingParams(top_k=3000), SamplingParams(top_k=1500, top_p=0.999)])
@pytest.mark.parametrize("spread", [0.0, 0.5, 6.0])
def test_a_large_vocabulary_gives_the_kept_tokens_their_exact_shares(params: SamplingParams, spread: float) -> None:
    """Inverting at evenly spaced numbers measures each share to 1/steps, through the head and through the full sort."""
    logits, steps = logits_of(5000, spread) + torch.linspace(0, 1e-3, 5000), 400
    plain = SamplingParams(params.temperature, params.top_k, params.top_p, params.min_p)
    expected = exact(logits, plain, [0])
    drawn = [pick(logits / params.temperature, plain, (i + 0.5) / steps) for i in range(steps)]
    assert all(expected[i] > 0 for i in drawn)
    order = expected.sort(descending=True, stable=True).indices
    cumulative = expected[order].cumsum(0)
    rank = {int(i): place for place, i in enumerate(order.tolist())}
    for i, token in enumerate(drawn):
        u, place = (i + 0.5) / steps, rank[token]
        below = float(cumulative[place - 1]) if place else 0.0
        assert below - 1e-4 <= u <= float(cumulative[place]) + 1e-4


def test_the_ends_of_the_range_draw_the_likeliest_and_the_least_likely_kept() -> None:
    logits = torch.tensor([1.0, 3.0, -math.inf, 2.0])
    assert pick(logits, SamplingParams(), 0.0) == 1
    assert pick(logits, SamplingParams(), 1 - 2**-53) == 0
    assert pick(logits, SamplingParams(top_k=2), 1 - 2**-53) == 3


def test_tiny_truncations_keep_the_likeliest_token() -> None:
    logits = logits_of(50)
    for params in (SamplingParams(top_p=1e-9), SamplingParams(min_p=1.0), SamplingParams(top_k=1)):
        assert pick(logits, params, 0.999) == int(logits.argmax())


def test_a_temperature_near_zero_is_greedy_and_not_an_overflow() -> None:
    sampler = RowSampler(SamplingParams(temperature=1e-40), 1, [])
    assert sampler.draw(torch.tensor([50.0, 90.0, -80.0])) == 1


def test_repetition_penalty_makes_negative_logits_more_negative() -> None:
    logits = torch.tensor([2.0, -2.0, 1.0])
    penalised = RowSampler(SamplingParams(repetition_penalty=2.0), 1, [0, 1])._penalised(logits)
    assert penalised.tolist() == [1.0, -4.0, 1.0]
    assert logits.tolist() == [2.0, -2.0, 1.0]


def test_presence_and_frequency_count_generated_tokens_only() -> None:
    sampler = RowSampler(SamplingParams(temperature=0, presence_penalty=0.5, frequency_penalty=0.25), 1, [2])
    logits = torch.tensor([1.0, 3.0, 2.9])
    assert sampler.draw(logits) == 1  # now 3.0 - 0.75
    assert sampler.draw(logits) == 2  # the prompt's token 2 was not counted; now 2.9 - 0.75
    assert sampler.draw(logits) == 1
    assert sampler._penalised(logits).tolist() == pytest.approx([1.0, 3.0 - 0.5 - 0.5, 2.9 - 0.75])


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
    ],
)
def test_values_out_of_bounds_are_refused_with_their_name(field: str, value: float) -> None:
    with pytest.raises(BadSampling, match=field) as caught:
        SamplingParams(**{field: value})  # type: ignore[arg-type]
    assert caught.value.param == field
