"""Engines take turns."""

from __future__ import annotations

from typing import Any

import pytest

from models.engine.events import Event
from models.engine.interface import Engine
from models.engine.masked.plan import Plan
from models.engine.masked.request import MaskedRequest
from models.engine.moderation.request import ModerationRequest
from models.engine.request import Request
from models.serve.turns import Turns


class Counting:
    """An engine at the far end: it works on each request for so many steps as its seed says."""

    max_running = 3

    def __init__(self, name: str, log: list[str]) -> None:
        self._name = name
        self._log = log
        self._left: dict[str, int] = {}
        self.num_steps = 0

    @property
    def has_work(self) -> bool:
        return any(self._left.values())

    def add(self, request: Any) -> None:
        self._left[request.id] = request.seed

    def cancel(self, request_id: str) -> None:
        self._left.pop(request_id, None)

    def step(self) -> list[Event]:
        self.num_steps += 1
        self._log.append(self._name)
        self._left = {each: left - 1 for each, left in self._left.items() if left > 1}
        return []

    def reset(self) -> None:
        self._left.clear()


def both() -> tuple[Turns, list[str]]:
    log: list[str] = []
    causal: Engine = Counting("causal", log)
    return Turns(causal, Counting("masked", log)), log  # type: ignore[arg-type]


def masked(name: str, steps: int) -> MaskedRequest:
    return MaskedRequest(name, Plan("", None, "", (), (), 0), seed=steps)


def test_while_both_have_work_each_steps_as_often_as_the_other() -> None:
    turns, log = both()
    turns.add(Request("c", (1,), seed=5))
    turns.add(masked("m", 3))
    while turns.has_work:
        turns.step()
    assert log == ["causal", "masked"] * 3 + ["causal"] * 2
    assert turns.num_steps == 8


def test_whoever_comes_late_is_next() -> None:
    turns, log = both()
    turns.add(Request("c", (1,), seed=5))
    turns.step()
    turns.step()
    turns.add(masked("m", 1))
    turns.step()
    assert log == ["causal", "causal", "masked"]


def test_cancelling_and_forgetting_reach_both() -> None:
    turns, _ = both()
    turns.add(Request("a", (1,), seed=5))
    turns.add(masked("b", 5))
    turns.cancel("a")
    turns.cancel("b")
    assert not turns.has_work
    turns.add(Request("a", (1,), seed=5))
    turns.add(masked("b", 5))
    turns.reset()
    assert not turns.has_work
    assert turns.step() == []
    assert turns.max_running == 6


def test_without_a_masked_model_its_requests_are_not_taken() -> None:
    turns = Turns(Counting("causal", []), None)
    assert turns.max_running == 3
    with pytest.raises(ValueError, match="no masked model"):
        turns.add(masked("m", 1))


def test_a_moderation_engine_takes_its_turn_and_counts_apart() -> None:
    log: list[str] = []
    turns = Turns(Counting("causal", log), Counting("masked", log), Scoring("moderation", log))  # type: ignore[arg-type]
    assert (turns.max_running, turns.max_moderations) == (6, 3)
    turns.add(Request("c", (1,), seed=3))
    turns.add(masked("m", 2))
    turns.add(ModerationRequest("s", (((1,),), ((2,),))))
    while turns.has_work:
        turns.step()
    assert log == ["causal", "masked", "moderation"] * 2 + ["causal"]
    turns.add(ModerationRequest("s", (((1,),),)))
    turns.cancel("s")
    assert not turns.has_work


def test_without_a_moderation_model_its_requests_are_not_taken() -> None:
    turns = Turns(Counting("causal", []), None)
    assert turns.max_moderations == 0
    with pytest.raises(ValueError, match="no moderation model"):
        turns.add(ModerationRequest("s", (((1,),),)))


class Scoring(Counting):
    """One step for each text."""

    def add(self, request: Any) -> None:
        self._left[request.id] = len(request.texts)
