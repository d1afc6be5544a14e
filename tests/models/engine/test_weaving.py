"""Many requests at once over shared memory, each as if it were alone."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
import torch

from models.engine.checkpoint import Checkpoint
from models.engine.events import Cancelled, Delta, Done, Event, Failed, FailureKind, Prefilled
from models.engine.families import build_network
from models.engine.network import Batch, KeyValues, Network
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine
from tests.models.tiny import drain, encode, finished, texts, token_ids

BASE = "Once upon a time there was a dragon who lived on a hill of gold, and the dragon was lonely. "
COLUMNS = 192 + 100


class Watched:
    """A network that notes how many rows each step computed, and fails or spoils where it is told to."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.shape, self.projections = network.shape, network.projections
        self.sizes: list[int] = []
        self.num_readers: list[int] = []
        self.fault: Exception | None = None
        self.spoils = False
        self.poisoned = -1  # a prompt with this token meets the fault

    def forward(self, batch: Batch, cache: list[KeyValues]) -> torch.Tensor:
        self.sizes.append(len(batch.ids))
        self.num_readers.append(sum(segment.is_reading for segment in batch.segments))
        read = [batch.ids[s.first : s.first + s.count] for s in batch.segments if s.is_reading]
        is_met = any(bool((ids == self.poisoned).any()) for ids in read)
        if is_met and self.fault is not None:
            raise self.fault
        logits = self._network.forward(batch, cache)
        if is_met and self.spoils:
            for layer in cache:
                for segment in batch.segments:
                    layer.values[segment.slot] = float("nan")
            return logits * float("nan")
        return logits


@pytest.fixture
def network(checkpoint: Checkpoint) -> Watched:
    return Watched(build_network(checkpoint))


def make_engine(checkpoint: Checkpoint, network: Network, num_slots: int = 4, **how: int) -> WeavingEngine:
    return WeavingEngine(checkpoint, network, num_slots, how.pop("num_columns", COLUMNS), **how)


def ask(checkpoint: Checkpoint, prompt: str = BASE, **changes: object) -> Request:
    asked: dict[str, object] = {"id": "r", "seed": 7, "max_tokens": 24, **changes}
    return Request(prompt_ids=encode(checkpoint, prompt), **asked)  # type: ignore[arg-type]


def alone(checkpoint: Checkpoint, request: Request) -> list[Event]:
    """What another engine makes of the request when it has nothing else to do."""
    return drain(SerialEngine(checkpoint), request)


def of(events: Iterable[Event], request_id: str) -> list[Event]:
    return [event for event in events if event.request_id == request_id]


def random_request(checkpoint: Checkpoint, rng: random.Random, name: str) -> Request:
    text = BASE[: rng.randint(3, len(BASE))] * rng.randint(1, 2)
    sampling = SamplingParams(
        temperature=rng.choice([0, 0.8, 1.0]),
        top_p=rng.choice([0.9, 1]),
        top_k=rng.choice([0, 20]),
        repetition_penalty=rng.choice([1.0, 1.2]),
    )
    return Request(
        id=name,
        prompt_ids=encode(checkpoint, text)[:100],
        seed=rng.randrange(10**6),
        n=rng.randint(1, 5),
        max_tokens=rng.choice([0, 1, 5, 20, 60]),
        sampling=sampling,
        stop=rng.choice([(), ("a",), ("on", "he ")]),
        num_logprobs=rng.choice([None, 0, 2]),
        prompt_logprobs=rng.random() < 0.1,
    )


def test_every_request_is_as_if_it_were_alone(checkpoint: Checkpoint, network: Watched) -> None:
    engine, rng = make_engine(checkpoint, network, max_read=16), random.Random(1)
    for number in range(12):
        requests = [random_request(checkpoint, rng, f"{number}.{k}") for k in range(rng.randint(1, 7))]
        events = drain(engine, *requests)
        for request in requests:
            expected, found = alone(checkpoint, request), of(events, request.id)
            assert texts(found, request.id) == texts(expected, request.id)
            assert finished(found) == finished(expected)
            assert found[-1] == expected[-1]
            for index in range(request.n):
                assert token_ids(found, index) == token_ids(expected, index)
    assert engine.pool.num_free == 4


def test_logprobs_are_those_of_a_request_alone(checkpoint: Checkpoint, network: Watched) -> None:
    engine = make_engine(checkpoint, network, max_read=5)
    request = ask(checkpoint, num_logprobs=3, prompt_logprobs=True, n=2)
    drain(engine, ask(checkpoint, id="before"))  # what it leaves in the slot is not taken for read
    found, expected = drain(engine, request), alone(checkpoint, request)
    assert isinstance(found[0], Prefilled)
    assert isinstance(expected[0], Prefilled)
    rows = [
        [described for e in events if isinstance(e, Delta) and e.index == 1 for described in e.logprobs]
        for events in (found, expected)
    ]
    for mine, theirs in ((found[0].prompt_logprobs, expected[0].prompt_logprobs), rows):
        assert [(one.token, one.offset) for one in mine] == [(one.token, one.offset) for one in theirs]
        assert [one.logprob for one in mine[1:]] == pytest.approx([one.logprob for one in theirs[1:]], abs=1e-4)


def test_a_prompt_is_read_once_for_all_its_rows(checkpoint: Checkpoint, network: Watched) -> None:
    request = ask(checkpoint, n=3)
    drain(make_engine(checkpoint, network), request)
    assert network.sizes[0] == len(request.prompt_ids)
    assert set(network.sizes[1:]) <= {1, 2, 3}


def test_the_next_turn_reads_only_what_is_new(checkpoint: Checkpoint, network: Watched) -> None:
    """Three turns of a story: each goes on with one of the rows, whichever, and however many there were."""
    endless = replace(checkpoint, end_ids=frozenset())
    engine = make_engine(endless, network)
    prompt, num_known = encode(checkpoint, BASE), 0
    for turn, (num_rows, chosen) in enumerate(((3, 1), (1, 0), (5, 4))):
        request = Request(f"t{turn}", prompt, seed=turn, n=num_rows, max_tokens=15)
        network.sizes.clear()
        events = drain(engine, request)
        assert texts(events, request.id) == texts(alone(endless, request), request.id)
        assert network.sizes[0] == len(prompt) - num_known
        written = token_ids(events, chosen)
        num_known = len(prompt) + len(written) - 1  # the last token was drawn, and nobody has read it yet
        prompt = (*prompt, *written, *encode(checkpoint, " and"))
    assert [len(slot.tokens) > 0 for slot in engine.pool.slots] == [True, False, False, False]


def test_a_reroll_reads_one_token(checkpoint: Checkpoint, network: Watched) -> None:
    engine = make_engine(checkpoint, network)
    drain(engine, ask(checkpoint, n=3))
    network.sizes.clear()
    again = ask(checkpoint, n=3, seed=8)
    assert texts(drain(engine, again)) == texts(alone(checkpoint, again))
    assert network.sizes[0] == 1


def test_a_new_story_does_not_stall_one_that_is_being_written(checkpoint: Checkpoint, network: Watched) -> None:
    engine = make_engine(replace(checkpoint, end_ids=frozenset()), network, max_read=4)
    engine.add(ask(checkpoint, BASE[:10], id="first", n=2, max_tokens=40))
    engine.step()
    while network.num_readers[-1]:
        engine.step()
    engine.add(ask(checkpoint, id="second"))
    for _ in range(3):
        engine.step()
        assert (network.num_readers[-1], network.sizes[-1]) == (1, 2 + 4), "both rows of the first go on meanwhile"


def test_rows_that_do_not_fit_at_once_are_written_in_waves(checkpoint: Checkpoint, network: Watched) -> None:
    request = ask(checkpoint, n=5, max_tokens=40, sampling=SamplingParams(top_k=20))
    engine = make_engine(checkpoint, network, num_slots=1, num_columns=len(request.prompt_ids) + 2 * 39)
    assert texts(drain(engine, request)) == texts(alone(checkpoint, request))
    assert max(network.sizes[1:]) == 2
    again = replace(request, id="again", n=1)
    assert texts(drain(engine, again), "again") == texts(alone(checkpoint, again), "again")


def test_where_all_slots_are_taken_requests_wait_in_their_order(checkpoint: Checkpoint, network: Watched) -> None:
    engine = make_engine(checkpoint, network, num_slots=2)
    requests = [ask(checkpoint, BASE[: 20 + k], id=f"{k}", max_tokens=10) for k in range(5)]
    events = drain(engine, *requests)
    begun = [e.request_id for e in events if isinstance(e, Prefilled)]
    assert begun == ["0", "1", "2", "3", "4"]
    assert {e.request_id for e in events if isinstance(e, Done)} == set(begun)


def test_cancelling_takes_effect_at_the_next_step(checkpoint: Checkpoint, network: Watched) -> None:
    engine = make_engine(checkpoint, network, num_slots=1)
    for name in ("a", "b", "c"):
        engine.add(ask(checkpoint, id=name, max_tokens=100, n=2))
    engine.step()
    for name in ("a", "c", "unknown"):
        engine.cancel(name)
    events = engine.step()
    assert [e for e in events if isinstance(e, Cancelled)] == [Cancelled("a", 2), Cancelled("c", 0)]
    assert [e.request_id for e in events if isinstance(e, Prefilled)] == ["b"]
    rest = drain(engine)
    assert {e.request_id for e in rest} == {"b"}
    assert isinstance(rest[-1], Done)


def test_an_id_in_use_is_refused(checkpoint: Checkpoint, network: Watched) -> None:
    engine = make_engine(checkpoint, network)
    engine.add(ask(checkpoint))
    with pytest.raises(ValueError, match="already here"):
        engine.add(ask(checkpoint))
    engine.step()
    with pytest.raises(ValueError, match="already here"):
        engine.add(ask(checkpoint))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (ValueError("boom"), FailureKind.INTERNAL),
        (torch.OutOfMemoryError("CUDA out of memory"), FailureKind.OUT_OF_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 3 TB"), FailureKind.OUT_OF_MEMORY),
    ],
)
def test_a_failing_request_fails_alone(
    checkpoint: Checkpoint, network: Watched, fault: Exception, kind: FailureKind
) -> None:
    engine = make_engine(checkpoint, network)
    good = [ask(checkpoint, BASE[: 20 + k], id=f"good{k}", n=2) for k in range(2)]
    bad = Request("bad", (*good[0].prompt_ids, 290), seed=1)
    network.fault, network.poisoned = fault, 290
    events = drain(engine, good[0], bad, good[1])
    assert [(e.request_id, e.kind) for e in events if isinstance(e, Failed)] == [("bad", kind)]
    for request in good:
        assert texts(events, request.id) == texts(alone(checkpoint, request), request.id)
    assert engine.pool.num_free == 4


def test_numbers_that_are_none_fail_their_request_and_leave_nothing_behind(
    checkpoint: Checkpoint, network: Watched
) -> None:
    engine = make_engine(checkpoint, network, num_slots=1)
    network.spoils, network.poisoned = True, 290
    assert [type(e) for e in drain(engine, Request("bad", (5, 6, 290), seed=1))] == [Failed]
    request = ask(checkpoint, n=3)
    assert texts(drain(engine, request)) == texts(alone(checkpoint, request))


def test_reset_forgets_everything(checkpoint: Checkpoint, network: Watched) -> None:
    engine = make_engine(checkpoint, network, num_slots=1)
    for name in ("a", "b", "c"):
        engine.add(ask(checkpoint, id=name))
    engine.step()
    engine.cancel("b")
    engine.reset()
    assert engine.pool.take((1, 2)) is not None  # by a request that failed before it was running
    engine.reset()
    assert not engine.has_work
    assert engine.pool.num_free == 1
    assert all(not slot.tokens and not slot.rows for slot in engine.pool.slots)
    assert texts(drain(engine, ask(checkpoint))) == texts(alone(checkpoint, ask(checkpoint)))


@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_and_goes_every_stream_is_that_of_a_fresh_run(llama: Checkpoint, seed: int) -> None:
    """Joins, cancellations, rerolls, chosen rows, evictions and full memory at random, over three slots."""
    network, rng = Watched(build_network(llama)), random.Random(seed)
    engine = make_engine(llama, network, num_slots=3, max_read=16)
    asked: dict[str, Request] = {}
    seen: dict[str, list[Event]] = {}
    for number in range(60):
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
        expected = alone(llama, request)
        for index in range(request.n):
            whole, found = token_ids(expected, index), token_ids(seen[name], index)
            assert found == (whole if isinstance(ends[0], Done) else whole[: len(found)])


def _next_request(
    checkpoint: Checkpoint, rng: random.Random, name: str, before: list[Request], seen: dict[str, list[Event]]
) -> Request:
    """A new story, an old one again with another seed, or an old one that goes on with one of its rows."""
    kind = rng.choice(["new", "again", "on"]) if before else "new"
    if kind == "new":
        return random_request(checkpoint, rng, name)
    old = rng.choice(before)
    prompt = old.prompt_ids
    if kind == "on":
        prompt = (*prompt, *token_ids(seen.get(old.id, []), rng.randrange(old.n)), *encode(checkpoint, " and"))[:100]
    return replace(old, id=name, seed=rng.randrange(10**6), prompt_ids=prompt, n=rng.randint(1, 4))


def test_no_slot_leaks_in_ten_thousand_operations(llama: Checkpoint) -> None:
    network, rng = Watched(build_network(llama)), random.Random(9)
    engine = make_engine(llama, network, num_slots=3)
    network.fault, network.poisoned = ValueError("boom"), 290
    num_ends, open_ids = 0, set()
    for number in range(10_000):
        kind = rng.random()
        if kind < 0.3:
            ids = tuple(rng.choices([*range(5, 12), 290] if kind < 0.02 else range(5, 12), k=rng.randint(1, 6)))
            engine.add(Request(str(number), ids, seed=number, n=rng.randint(1, 3), max_tokens=rng.randint(0, 4)))
            open_ids.add(str(number))
        elif kind < 0.35 and open_ids:
            engine.cancel(rng.choice(sorted(open_ids)))
        else:
            ended = {e.request_id for e in engine.step() if isinstance(e, Done | Failed | Cancelled)}
            num_ends += len(ended)
            open_ids -= ended
        assert engine.pool.num_free + len(engine._running) == 3
    num_ends += sum(isinstance(e, Done | Failed | Cancelled) for e in drain(engine))
    assert engine.pool.num_free == 3
    assert num_ends > 2_000
