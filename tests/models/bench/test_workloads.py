"""What is asked."""

from __future__ import annotations

from itertools import pairwise

import pytest

from models.bench.growth import AXES, values_within
from models.bench.workloads import HINT_TOKENS, NEW_TOKENS, NUM_CANDIDATES, ROUNDS, Written, make, make_arrivals


@pytest.mark.parametrize(("name", "num_requests"), [("W1", 1), ("W2", 8), ("W3", 1)])
def test_prompts_fit_and_every_candidate_is_as_long_as_the_others(name: str, num_requests: int) -> None:
    requests = make(name, ROUNDS[name], 300, 768).next_turn(0, {})
    assert len(requests) == num_requests
    assert len({request.prompt for request in requests}) == num_requests
    for request in requests:
        assert (request.n, request.max_tokens, request.temperature, request.top_p) == (3, 80, 0.9, 0.95)
        assert len(request.prompt) <= 700
        assert all(10 <= token < 300 for token in request.prompt)


def test_a_turn_goes_on_with_what_was_written() -> None:
    workload = make("W3", ROUNDS["W3"], 300, 768)
    prompts: list[tuple[int, ...]] = []
    written = Written()
    while requests := workload.next_turn(len(prompts), written):
        (request,) = requests
        prompts.append(request.prompt)
        written = {request.id: [[20 + row] * NEW_TOKENS for row in range(NUM_CANDIDATES)]}
    assert len(prompts) == 5
    for turn, (before, after) in enumerate(pairwise(prompts), 1):
        assert after[: len(before)] == before
        assert after[len(before) :][:NEW_TOKENS] == (20 + turn % NUM_CANDIDATES,) * NEW_TOKENS
        assert len(after) == len(before) + NEW_TOKENS + HINT_TOKENS
    assert len(prompts[-1]) + NEW_TOKENS <= 768


def test_no_run_knows_another_ones_prompts() -> None:
    def prompt(name: str, run: int) -> tuple[int, ...]:
        return make(name, ROUNDS[name], 300, 768, run).next_turn(0, {})[0].prompt

    assert prompt("W1", 0) == prompt("W1", 0)
    assert len({prompt("W1", 0), prompt("W1", 1), prompt("W2", 0)}) == 3


def test_channels_come_at_random_moments_with_mixed_requests() -> None:
    arrivals = make_arrivals(300, 768, num_channels=5, seconds=60.0, per_second=2.0)
    moments = [at for at, _ in arrivals.requests]
    requests = [asked for _, asked in arrivals.requests]
    assert moments == sorted(moments)
    assert 0 < moments[0] < moments[-1] < 60.0
    assert 80 < len(requests) < 160
    assert set(arrivals.channels.values()) == set(range(5))
    assert {asked.n for asked in requests} == {2, 3, 4, 5}
    assert len({asked.max_tokens for asked in requests}) > 20
    assert all(len(asked.prompt) + asked.max_tokens <= 768 for asked in requests)
    own = [asked.prompt for asked in requests if arrivals.channels[asked.id] == 0]
    assert own[1][: len(own[0])] == own[0]  # each channel goes on with its story


def test_growth_goes_as_far_as_the_context_does() -> None:
    context, candidates, channels = AXES
    assert values_within(context, 4096) == [256, 512, 1024, 2048, 4011]
    assert values_within(context, 1024) == [256, 512, 939]
    assert values_within(context, 512) == [256, 427]
    assert values_within(candidates, 512) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert values_within(channels, 4096)[-1] == 64
    assert context.shape(512).prompt_tokens == 512
    assert candidates.shape(8).n == 8
    assert channels.shape(64).num_channels == 64
