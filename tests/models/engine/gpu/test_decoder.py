"""An engine with a decoder, run eagerly on the same static tensors that graphs would be captured over."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from models.engine.checkpoint import Checkpoint
from models.engine.events import Cancelled, Done, Event, Failed, FailureKind, RowFinished
from models.engine.families import build_network
from models.engine.gpu.decoder import Decoder
from models.engine.gpu.graphs import Replayed, Runner
from models.engine.gpu.ranges import look_plainly
from models.engine.gpu.step import Bucket, Step
from models.engine.network import Batch, KeyValues, Network
from models.engine.params import BeamParams, ContrastiveParams, SamplingParams
from models.engine.request import Request
from models.engine.weaving import WeavingEngine
from tests.models.engine.families import CONFIGS, WINDOWED, make_model
from tests.models.engine.test_weaving import BASE, _next_request, alone, ask, of, random_request
from tests.models.tiny import drain, encode, finished, texts, token_ids

COLUMNS = 192 + 100
GREEDY = SamplingParams(temperature=0)


class Noted(Replayed):
    """Notes the buckets, and fails where it is told to."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.buckets: list[Bucket] = []
        self.fault: Callable[[Bucket], Exception | None] = lambda _: None

    def __call__(self, bucket: Bucket) -> None:
        self.buckets.append(bucket)
        if (fault := self.fault(bucket)) is not None:
            raise fault
        super().__call__(bucket)


def make_engine(
    checkpoint: Checkpoint, network: Network | None = None, num_slots: int = 4, most: int = 64, **how: int
) -> tuple[WeavingEngine, Noted]:
    network = network or build_network(checkpoint)
    made: list[Noted] = []

    def runner(step: Step) -> Runner:
        made.append(Noted(step))
        return made[0]

    num_columns = how.pop("num_columns", COLUMNS)
    decoder = Decoder(network, num_slots, num_columns, look_plainly, runner, most)
    return WeavingEngine(checkpoint, network, num_slots, num_columns, decoder=decoder, **how), made[0]


def ahead(checkpoint: Checkpoint, request: Request) -> list[Event]:
    """What another engine with a decoder makes of the request when it has nothing else to do."""
    return drain(make_engine(checkpoint)[0], request)


@pytest.mark.parametrize("name", sorted(CONFIGS.keys() - set(WINDOWED)))
def test_greedy_text_is_that_of_the_plain_path(name: str, llama: Checkpoint) -> None:
    checkpoint = make_model(name, llama)
    engine, noted = make_engine(checkpoint)
    requests = [
        Request(f"{k}", tuple(range(20 + k, 40 + 3 * k)), seed=k, n=1 + k, max_tokens=12, sampling=GREEDY)
        for k in range(3)
    ]
    events = drain(engine, *requests)
    assert noted.buckets
    for request in requests:
        assert texts(of(events, request.id), request.id) == texts(alone(checkpoint, request), request.id)
    assert engine.pool.num_free == 4


def test_every_request_is_as_if_it_were_alone(checkpoint: Checkpoint) -> None:
    engine, _ = make_engine(checkpoint, max_read=16)
    rng = random.Random(1)
    for number in range(5):
        requests = [random_request(checkpoint, rng, f"{number}.{k}") for k in range(rng.randint(1, 7))]
        events = drain(engine, *requests)
        for request in requests:
            found, expected = of(events, request.id), ahead(checkpoint, request)
            assert texts(found, request.id) == texts(expected, request.id)
            assert finished(found) == finished(expected)
            assert found[-1] == expected[-1]
            if request.sampling.temperature == 0 or request.num_logprobs is not None:
                assert texts(found, request.id) == texts(alone(checkpoint, request), request.id)
    assert engine.pool.num_free == 4


def test_greedy_with_penalties_and_stops_is_that_of_the_plain_path(checkpoint: Checkpoint) -> None:
    """Counts of prompt and text move with their rows while others end and come."""
    endless = replace(checkpoint, end_ids=frozenset())
    engine, noted = make_engine(endless)
    kinds = [
        GREEDY,
        SamplingParams(temperature=0, repetition_penalty=1.4),
        SamplingParams(temperature=0, frequency_penalty=0.7),
        SamplingParams(temperature=0, presence_penalty=1.1),
    ]
    requests = [
        ask(checkpoint, BASE[: 30 + 5 * k], id=f"{k}", n=1 + k % 3, max_tokens=10 + 7 * k, sampling=kinds[k % 4])
        for k in range(9)
    ]
    events = drain(engine, *requests)
    assert {bucket.has_penalties for bucket in noted.buckets} == {True, False}
    for request in requests:
        assert texts(events, request.id) == texts(alone(endless, request), request.id)


def test_the_next_turn_reads_only_what_is_new(checkpoint: Checkpoint) -> None:
    """Rows that stand apart are found and moved together as woven ones are."""
    endless = replace(checkpoint, end_ids=frozenset())
    network = Counting(build_network(checkpoint))
    engine, _ = make_engine(endless, network)
    prompt, num_known = encode(checkpoint, BASE), 0
    for turn, (num_rows, chosen) in enumerate(((3, 1), (1, 0), (5, 4))):
        request = Request(f"t{turn}", prompt, seed=turn, n=num_rows, max_tokens=15)
        network.num_read = 0
        events = drain(engine, request)
        assert texts(events, request.id) == texts(ahead(endless, request), request.id)
        assert network.num_read == len(prompt) - num_known
        written = token_ids(events, chosen)
        num_known = len(prompt) + len(written) - 1
        prompt = (*prompt, *written, *encode(checkpoint, " and"))
    greedy = Request("greedy", prompt, seed=1, n=2, max_tokens=15, sampling=GREEDY)
    assert texts(drain(engine, greedy), "greedy") == texts(alone(endless, greedy), "greedy")


def test_a_step_is_launched_before_the_last_one_is_looked_at(checkpoint: Checkpoint) -> None:
    """An end that is found late costs a step for its row, and none where it was foreseen."""
    endless = replace(checkpoint, end_ids=frozenset())
    engine, noted = make_engine(endless)
    engine.add(ask(checkpoint, n=2, max_tokens=10, sampling=GREEDY))
    engine.step()  # reads, and draws the first token
    assert not engine.step()  # launches
    assert len(noted.buckets) == 1
    while engine.has_work:
        engine.step()
    assert len(noted.buckets) == 9


def test_an_end_that_is_found_late_changes_nothing(checkpoint: Checkpoint) -> None:
    """Stop strings and end tokens: the row's last column is nobody's, and the next turn does not take it for read."""
    engine, noted = make_engine(checkpoint)
    request = ask(checkpoint, n=4, max_tokens=60, stop=("a", "e"), sampling=SamplingParams(top_p=0.95))
    events = drain(engine, request)
    ends = finished(events)
    assert {end.num_tokens for end in ends.values()} != {60}
    assert texts(events) == texts(ahead(checkpoint, request))
    drawn = max(end.num_tokens for end in ends.values())
    assert len(noted.buckets) <= drawn + 1
    for index, end in ends.items():
        assert len(engine.pool.slots[0].rows[index]) == end.num_tokens - 1
    assert engine.pool.num_free == 4


def test_rows_that_do_not_fit_at_once_are_written_in_waves(checkpoint: Checkpoint) -> None:
    request = ask(checkpoint, n=5, max_tokens=40, sampling=SamplingParams(temperature=0, frequency_penalty=0.2))
    engine, noted = make_engine(checkpoint, num_slots=1, num_columns=len(request.prompt_ids) + 2 * 39)
    assert texts(drain(engine, request)) == texts(alone(checkpoint, request))
    assert {bucket.num_lanes for bucket in noted.buckets} <= {1, 2}


def test_undecided_rows_take_another_step_and_end_as_they_should(checkpoint: Checkpoint) -> None:
    """A tiny top-p refuses nearly everything, and is greedy in the end."""
    endless = replace(checkpoint, end_ids=frozenset())
    engine, noted = make_engine(endless)
    request = ask(checkpoint, n=3, max_tokens=20, sampling=SamplingParams(temperature=2.0, top_p=1e-6))
    events = drain(engine, request)
    greedy = replace(request, sampling=GREEDY)
    assert texts(events) == texts(alone(endless, greedy))
    assert len(noted.buckets) > 19


@pytest.mark.parametrize(
    "request_of",
    [
        lambda c: ask(c, num_logprobs=1),
        lambda c: ask(c, sampling=SamplingParams(top_k=5_000)),
        lambda c: ask(c, n=17, max_tokens=3),
        lambda c: ask(c, n=6, max_tokens=3),  # more than the lanes that there are
        lambda c: ask(c, sampling=SamplingParams(typical_p=0.8)),
        lambda c: ask(c, sampling=SamplingParams(logit_bias=((5, 3.0),))),
        lambda c: ask(c, sampling=SamplingParams(dry_multiplier=0.8)),
        lambda c: ask(c, n=2, banned_phrases=("e", "on")),
        lambda c: ask(c, n=2, must_include=("castle",)),
        lambda c: ask(c, n=2, beams=BeamParams(3)),
        lambda c: ask(c, contrastive=ContrastiveParams(0.6, 3)),
    ],
)
def test_what_graphs_cannot_do_goes_the_plain_way(
    checkpoint: Checkpoint, request_of: Callable[[Checkpoint], Request]
) -> None:
    engine, noted = make_engine(checkpoint, most=4)
    request = request_of(checkpoint)
    other = ask(checkpoint, BASE[:30], id="other", n=3)
    events = drain(engine, request, other)
    assert texts(events) == texts(alone(checkpoint, request))
    assert texts(events, "other") == texts(ahead(checkpoint, other), "other")
    assert all(bucket.num_lanes <= 3 for bucket in noted.buckets)


def test_cancelling_and_reset_leave_no_slot_and_no_row(checkpoint: Checkpoint) -> None:
    engine, _ = make_engine(checkpoint, num_slots=1)
    for name in ("a", "b"):
        engine.add(ask(checkpoint, id=name, max_tokens=100, n=2))
    for _ in range(4):
        engine.step()
    engine.cancel("a")
    events = engine.step()
    assert [e for e in events if isinstance(e, Cancelled)] == [Cancelled("a", 6)]
    rest = [*events, *drain(engine)]
    request = ask(checkpoint, id="b", max_tokens=100, n=2)
    assert texts(of(rest, "b"), "b") == texts(ahead(checkpoint, request), "b")
    engine.add(replace(request, id="c"))
    engine.step()
    engine.step()
    engine.reset()
    assert not engine.has_work
    assert texts(drain(engine, request), "b") == texts(ahead(checkpoint, request), "b")


def test_a_request_that_fails_in_the_decoder_fails_alone(checkpoint: Checkpoint) -> None:
    """The step over both fails, and then that of the one that has three rows."""
    engine, noted = make_engine(checkpoint)
    noted.fault = lambda bucket: torch.OutOfMemoryError("CUDA out of memory") if bucket.num_lanes >= 3 else None
    good, bad = ask(checkpoint, id="good", n=2, sampling=GREEDY), ask(checkpoint, id="bad", n=3)
    events = drain(engine, good, bad)
    assert [(e.request_id, e.kind) for e in events if isinstance(e, Failed)] == [("bad", FailureKind.OUT_OF_MEMORY)]
    assert texts(events, "good") == texts(alone(checkpoint, good), "good")
    assert engine.pool.num_free == 4


def test_a_step_that_fails_once_costs_nobody_anything(checkpoint: Checkpoint) -> None:
    engine, noted = make_engine(checkpoint)
    noted.fault = lambda _: RuntimeError("once") if len(noted.buckets) == 4 else None
    requests = [ask(checkpoint, BASE[: 20 + k], id=f"{k}", n=2, sampling=GREEDY) for k in range(3)]
    events = drain(engine, *requests)
    for request in requests:
        assert texts(events, request.id) == texts(alone(checkpoint, request), request.id)


def test_numbers_that_are_none_fail_their_request_and_leave_nothing_behind(checkpoint: Checkpoint) -> None:
    network = Poisoned(build_network(checkpoint))
    engine, _ = make_engine(checkpoint, network)
    good, bad = ask(checkpoint, id="good", n=2, sampling=GREEDY), ask(checkpoint, BASE[:40], id="bad", max_tokens=50)
    network.length = len(bad.prompt_ids) + 5
    events = drain(engine, good, bad)
    assert [(e.request_id, e.kind) for e in events if isinstance(e, Failed)] == [("bad", FailureKind.INTERNAL)]
    assert texts(events, "good") == texts(alone(checkpoint, good), "good")
    network.length = -1
    again = replace(bad, sampling=GREEDY)
    assert texts(drain(engine, again), "bad") == texts(alone(checkpoint, again), "bad")


class Counting:
    """A network that counts the tokens that went the plain way."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.shape, self.projections = network.shape, network.projections
        self.num_read = 0

    def forward(self, batch: Batch, cache: list[KeyValues]) -> torch.Tensor:
        self.num_read += len(batch.ids) if isinstance(batch.segments, tuple) else 0
        return self._network.forward(batch, cache)


class Poisoned:
    """A network whose numbers are none for the token in one position."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.shape, self.projections = network.shape, network.projections
        self.length = -1

    def forward(self, batch: Batch, cache: list[KeyValues]) -> torch.Tensor:
        logits = self._network.forward(batch, cache)
        is_met = batch.positions[batch.wanted] == self.length
        return logits.masked_fill(is_met[:, None], float("nan"))


@pytest.mark.parametrize("seed", range(2))
def test_whatever_comes_and_goes_every_stream_is_that_of_a_fresh_run(llama: Checkpoint, seed: int) -> None:
    """Joins, cancellations, rerolls, chosen rows, evictions and full memory at random, over three slots."""
    rng = random.Random(seed)
    engine, _ = make_engine(llama, num_slots=3, max_read=16)
    asked: dict[str, Request] = {}
    seen: dict[str, list[Event]] = {}
    for number in range(30):
        asked[str(number)] = _next_request(llama, rng, str(number), list(asked.values()), seen)
        engine.add(asked[str(number)])
        for _ in range(rng.randint(0, 12)):
            for event in engine.step():
                seen.setdefault(event.request_id, []).append(event)
        if rng.random() < 0.2:
            engine.cancel(rng.choice(list(asked)))
    for event in drain(engine):
        seen.setdefault(event.request_id, []).append(event)
    assert engine.pool.num_free == 3
    for name, request in asked.items():
        ends = [event for event in seen[name] if isinstance(event, Done | Failed | Cancelled)]
        assert ends == [seen[name][-1]]
        assert not isinstance(ends[0], Failed)
        if isinstance(ends[0], Done):
            assert sum(isinstance(event, RowFinished) for event in seen[name]) == request.n
        expected = ahead(llama, request)
        for index in range(request.n):
            whole, found = token_ids(expected, index), token_ids(seen[name], index)
            assert found == (whole if isinstance(ends[0], Done) else whole[: len(found)])
