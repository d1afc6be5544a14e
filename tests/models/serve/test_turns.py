"""Two engines take turns."""

from __future__ import annotations

from typing import Any

import pytest

from models.engine.events import Event
from models.engine.interface import Engine
from models.engine.masked.plan import Plan
from models.engine.masked.request import MaskedRequest
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
