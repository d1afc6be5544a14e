"""Drawing without asking the host, against the exact distribution."""

from __future__ import annotations

import math

import pytest
import torch

from models.engine.gpu.draw import BROKEN, IN_PROMPT, ROUNDS, UNDECIDED, Wishes, draw, has_penalties, listed
from models.engine.params import SamplingParams
from models.engine.sampling import RowSampler
from models.engine.truncation import BLOCK
from tests.models.engine.test_sampling import SETTINGS, check_distribution, exact, logits_of

WIDE = [
    *SETTINGS,
    SamplingParams(top_p=0.3),
    SamplingParams(top_p=0.1),
    SamplingParams(top_p=0.6, min_p=0.05),
    SamplingParams(top_p=0.999, min_p=1e-4),
    SamplingParams(top_k=200, top_p=0.95),
]


def wishes_of(params: list[SamplingParams]) -> Wishes:
    return Wishes.of(torch.tensor([listed(each) for each in params], dtype=torch.float64).t().contiguous())


def numbers_for(count: int, seed: int = 5) -> torch.Tensor:
    return torch.rand(ROUNDS, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tokens_of(params: SamplingParams, logits: torch.Tensor, prompt: list[int], count: int, seed: int) -> torch.Tensor:
    """Independent draws of one next token: rows that are undecided draw again, as they do in the next step."""
    counts = None
    if has_penalties(params):
        counts = torch.zeros(count, len(logits), dtype=torch.int16)
        counts[:, prompt] |= IN_PROMPT
    found = torch.full((count,), UNDECIDED)
    for again in range(99):
        numbers = numbers_for(count, seed + 1000 * again)
        wishes, has_top_k = wishes_of([params] * count), params.top_k > 0
        tokens = draw(logits.expand(count, -1), wishes, numbers, counts, has_top_k=has_top_k)
        found = torch.where(found == UNDECIDED, tokens, found)
        if bool((found >= 0).all()):
            return found
    raise AssertionError("a row was never decided")


@pytest.mark.parametrize("params", WIDE)
def test_draws_follow_the_exact_distribution(params: SamplingParams) -> None:
    logits, prompt = logits_of(60), [1, 7, 7, 9]
    check_distribution(tokens_of(params, logits, prompt, 6_000, seed=3), exact(logits, params, prompt))


@pytest.mark.parametrize("params", WIDE)
@pytest.mark.parametrize("spread", [0.0, 0.5, 6.0])
def test_a_large_vocabulary_gives_the_kept_tokens_their_exact_shares(params: SamplingParams, spread: float) -> None:
    """Tokens are put into forty groups of equal mass, so that each is drawn often enough to be counted."""
    logits = logits_of(3000, spread) + torch.linspace(0, 1e-3, 3000)
    plain = SamplingParams(params.temperature, params.top_k, params.top_p, params.min_p)
    expected = exact(logits, plain, [0])
    tokens = tokens_of(plain, logits, [0], 1_500, seed=9)
    assert (expected[tokens] > 0).all()
    order = expected.sort(descending=True, stable=True).indices
    group = (expected[order].double().cumsum(0) * 39.999).long()
    place = torch.empty(3000, dtype=torch.long)
    place[order] = group.clamp_max(39)
    check_distribution(place[tokens], torch.zeros(40, dtype=torch.float64).index_add_(0, place, expected.double()))


@pytest.mark.parametrize(("top_p", "most"), [(1.0, 0.0), (0.9, 1 / 5_500), (0.5, 1 / 30)])
def test_few_tokens_need_another_step(top_p: float, most: float) -> None:
    """The bound of the module's first lines; a flat distribution is the worst."""
    count, logits = 4_000, torch.zeros(500)
    tokens = draw(
        logits.expand(count, -1),
        wishes_of([SamplingParams(top_p=top_p)] * count),
        numbers_for(count),
        None,
        has_top_k=False,
    )
    undecided = int((tokens == UNDECIDED).sum())
    assert undecided <= most * count + 4 * math.sqrt(most * count)


def test_rows_of_all_kinds_draw_in_one_batch_what_each_draws_alone() -> None:
    kinds = [*WIDE, SamplingParams(temperature=0), SamplingParams(temperature=0, top_k=3)]
    logits = torch.randn(len(kinds), 700, generator=torch.Generator().manual_seed(8)) * 3
    numbers = numbers_for(len(kinds))
    counts = torch.zeros(len(kinds), 700, dtype=torch.int16)
    counts[:, 5] = 2
    together = draw(logits, wishes_of(kinds), numbers, counts, has_top_k=True)
    for i, params in enumerate(kinds):
        one = slice(i, i + 1)
        own = counts[one] if has_penalties(params) else None
        alone = draw(logits[one], wishes_of([params]), numbers[:, one], own, has_top_k=params.top_k > 0)
        assert together[i] == alone[0]
    assert together[-1] == logits[-1].argmax()


def test_penalties_are_those_of_the_plain_path() -> None:
    params = SamplingParams(temperature=0, repetition_penalty=1.3, presence_penalty=0.4, frequency_penalty=0.3)
    prompt, written = [2, 3, 3, 40], [7, 7, 3, 9, 7]
    sampler = RowSampler(params, 1, prompt)
    counts = torch.zeros(1, 60, dtype=torch.int16)
    counts[0, prompt] |= IN_PROMPT
    for token in written:
        sampler.accept(token)
        counts[0, token] += 1
    for seed in range(50):
        logits = torch.randn(1, 60, generator=torch.Generator().manual_seed(seed))
        logits[0, [3, 7, 40]] += 2.5
        plain = logits[0].clone()
        sampler.adjust(plain)
        assert draw(logits, wishes_of([params]), numbers_for(1), counts, has_top_k=False)[0] == plain.argmax()


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_row_that_is_broken_says_so_and_leaves_the_others_alone(broken: float, temperature: float) -> None:
    logits = torch.zeros(3, 300)
    logits[1, 7] = broken
    logits[2] = -math.inf
    params = [SamplingParams(temperature=temperature, top_p=0.9)] * 3
    tokens = draw(logits, wishes_of(params), numbers_for(3), None, has_top_k=True).tolist()
    assert tokens[0] >= 0
    assert tokens[1:] == [BROKEN, BROKEN]


@pytest.mark.parametrize("number", [0.0, 1 - 2**-53])
def test_the_ends_of_the_range_draw_tokens_that_are_possible(number: float) -> None:
    logits = torch.full((1, BLOCK + 9), -math.inf)
    logits[0, 1], logits[0, BLOCK + 3] = 3.0, 2.0
    numbers = torch.full((ROUNDS, 1), number, dtype=torch.float64)
    for params in (SamplingParams(), SamplingParams(top_k=2), SamplingParams(top_k=5), SamplingParams(min_p=0.01)):
        token = int(draw(logits, wishes_of([params]), numbers, None, has_top_k=params.top_k > 0)[0])
        assert token == (1 if number == 0 else BLOCK + 3)


@pytest.mark.parametrize(
    "params",
    [
        SamplingParams(top_p=1e-9),
        SamplingParams(min_p=1.0),
        SamplingParams(top_k=1),
        SamplingParams(temperature=1e-300),
    ],
)
def test_tiny_truncations_and_temperatures_keep_the_likeliest_token(params: SamplingParams) -> None:
    logits = logits_of(50)
    assert set(tokens_of(params, logits, [], 50, seed=1).tolist()) == {int(logits.argmax())}
