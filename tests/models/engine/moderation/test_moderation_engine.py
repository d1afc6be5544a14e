"""The engine: windows of many requests, step by step, each request with its own end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.engine.events import Cancelled, Done, Event, Failed, Prefilled, Scored
from models.engine.moderation.checkpoint import ClassifierCheckpoint
from models.engine.moderation.engine import ModerationEngine
from models.engine.moderation.request import ModerationRequest, request_for
from tests.models.classifiers import keyword

LONG = "the king " * 60  # 120 tokens, in windows of 62


@pytest.fixture
def checkpoint() -> ClassifierCheckpoint:
    return keyword()


def drain(engine: ModerationEngine) -> list[Event]:
    events: list[Event] = []
    while engine.has_work:
        events += engine.step()
    return events


def scores_of(events: list[Event], request_id: str) -> list[list[float]]:
    (found,) = (event for event in events if isinstance(event, Scored) and event.request_id == request_id)
    return [[round(score, 2) for score in scores] for scores in found.scores]


def test_each_text_has_the_scores_of_its_own_words(checkpoint: ClassifierCheckpoint) -> None:
    engine = ModerationEngine(checkpoint)
    request = request_for(checkpoint, "a", ["the dragon", "a cold cat", "the king", "cold dragon", ""])
    engine.add(request)
    events = drain(engine)
    assert [type(event) for event in events] == [Prefilled, Scored, Done]
    assert scores_of(events, "a") == [[1, 0], [0, 1], [0, 0], [1, 1], [0, 0]]
    assert request.num_tokens == events[0].num_prompt_tokens == 4 + 5 + 4 + 4 + 2  # type: ignore[union-attr]


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_word_anywhere_in_a_long_text_counts(checkpoint: ClassifierCheckpoint, place: str) -> None:
    texts = {"first": f"dragon {LONG}", "middle": f"{LONG} dragon {LONG}", "last": f"{LONG} dragon"}
    engine = ModerationEngine(checkpoint)
    engine.add(request_for(checkpoint, "a", [texts[place], LONG]))
    assert scores_of(drain(engine), "a") == [[1, 0], [0, 0]]


def test_no_reading_is_larger_than_it_may_be(checkpoint: ClassifierCheckpoint) -> None:
    model: Any = checkpoint.model
    engine = ModerationEngine(checkpoint, max_batch_tokens=128)
    engine.add(request_for(checkpoint, "a", [LONG, "a cat", LONG]))
    drain(engine)
    assert all(len(lengths) * max(lengths) <= 128 for lengths in model.read)
    assert engine.num_steps == len(model.read) > 1


def test_a_model_that_can_not_fill_up_reads_one_window_at_a_time(checkpoint: ClassifierCheckpoint) -> None:
    model: Any = checkpoint.model
    engine = ModerationEngine(replace(checkpoint, can_share=False))
    engine.add(request_for(checkpoint, "a", ["a cat", "the dragon", "cold"]))
    assert scores_of(drain(engine), "a") == [[0, 0], [1, 0], [0, 1]]
    assert [len(lengths) for lengths in model.read] == [1, 1, 1]


def test_a_short_request_does_not_wait_for_a_long_one(checkpoint: ClassifierCheckpoint) -> None:
    engine = ModerationEngine(checkpoint, max_batch_tokens=64)
    engine.add(request_for(checkpoint, "long", [LONG] * 5))
    engine.step()
    engine.add(request_for(checkpoint, "short", ["the dragon"]))
    ends = [event.request_id for event in drain(engine) if isinstance(event, Done)]
    assert ends == ["short", "long"]


def test_requests_beyond_the_running_ones_wait_and_come_in_their_order(checkpoint: ClassifierCheckpoint) -> None:
    engine = ModerationEngine(checkpoint, max_batch_tokens=1)
    names = [f"r{i}" for i in range(engine.max_running + 3)]
    for name in names:
        engine.add(request_for(checkpoint, name, ["a cat"]))
    assert [event.request_id for event in drain(engine) if isinstance(event, Done)] == names


def test_a_request_that_is_given_up_is_not_read_further(checkpoint: ClassifierCheckpoint) -> None:
    model: Any = checkpoint.model
    engine = ModerationEngine(checkpoint, max_batch_tokens=1)
    engine.add(request_for(checkpoint, "a", [LONG]))
    engine.add(request_for(checkpoint, "b", ["a cat"]))
    engine.step()
    engine.cancel("a")
    events = drain(engine)
    assert Cancelled("a", 0) in events
    assert [event.request_id for event in events if isinstance(event, Done)] == ["b"]
    assert len(model.read) == 2
    engine.cancel("a")
    assert not engine.has_work


def test_one_that_waits_can_be_given_up_too(checkpoint: ClassifierCheckpoint) -> None:
    engine = ModerationEngine(checkpoint)
    engine.add(request_for(checkpoint, "a", ["a cat"]))
    engine.cancel("a")
    assert drain(engine) == [Cancelled("a", 0)]
    assert engine.num_steps == 0


def test_whichever_request_is_at_fault_fails_alone(checkpoint: ClassifierCheckpoint) -> None:
    def fail_at_night(_module: Any, _args: Any, given: dict[str, Any]) -> None:
        if bool((given["input_ids"] == night).any()):
            raise RuntimeError("no")

    night = checkpoint.reader.backend.token_to_id("night")
    checkpoint.model.register_forward_pre_hook(fail_at_night, with_kwargs=True)
    engine = ModerationEngine(checkpoint)
    engine.add(request_for(checkpoint, "good", ["the dragon"]))
    engine.add(request_for(checkpoint, "bad", ["the night", "the dragon"]))
    events = drain(engine)
    assert scores_of(events, "good") == [[1, 0]]
    assert [event.request_id for event in events if isinstance(event, Failed)] == ["bad"]
    assert not [event for event in events if isinstance(event, Scored) and event.request_id == "bad"]
    engine.add(request_for(checkpoint, "after", ["cold"]))
    assert scores_of(drain(engine), "after") == [[0, 1]]


def test_one_id_is_taken_once_and_nothing_to_read_is_no_request(checkpoint: ClassifierCheckpoint) -> None:
    engine = ModerationEngine(checkpoint)
    engine.add(request_for(checkpoint, "a", ["a cat"]))
    with pytest.raises(ValueError, match="already here"):
        engine.add(request_for(checkpoint, "a", ["a cat"]))
    with pytest.raises(ValueError, match="nothing to read"):
        engine.add(ModerationRequest("b", ()))
    engine.reset()
    assert not engine.has_work


def test_a_reset_forgets_what_is_left_to_read(checkpoint: ClassifierCheckpoint) -> None:
    engine = ModerationEngine(checkpoint, max_batch_tokens=64)
    engine.add(request_for(checkpoint, "a", [f"{LONG} dragon"]))
    engine.step()
    assert engine.has_work
    engine.reset()
    assert engine.step() == []
    assert engine.num_steps == 1
    engine.add(request_for(checkpoint, "a", ["a cold cat"]))
    assert scores_of(drain(engine), "a") == [[0, 1]]
