"""Two engines that take turns, a step each, so that neither kind of request waits for the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from models.engine.events import Event
from models.engine.interface import Engine
from models.engine.masked.request import MaskedRequest
from models.engine.request import Request

if TYPE_CHECKING:
    from models.engine.masked.engine import MaskedEngine

AnyRequest = Request | MaskedRequest


class _Stepped(Protocol):
    """What both engines have, whatever they take."""

    @property
    def num_steps(self) -> int: ...

    @property
    def has_work(self) -> bool: ...

    def cancel(self, request_id: str) -> None: ...

    def step(self) -> list[Event]: ...

    def reset(self) -> None: ...


class Turns:
    """As `interface.Engine`, for the requests of both."""

    def __init__(self, engine: Engine, masked: MaskedEngine | None) -> None:
        self._engine = engine
        self._masked = masked
        self._in_turn: list[_Stepped] = [engine] if masked is None else [engine, masked]

    @property
    def max_running(self) -> int:
        return self._engine.max_running + (0 if self._masked is None else self._masked.max_running)

    @property
    def num_steps(self) -> int:
        return sum(each.num_steps for each in self._in_turn)

    @property
    def has_work(self) -> bool:
        return any(each.has_work for each in self._in_turn)

    def add(self, request: AnyRequest) -> None:
        if not isinstance(request, MaskedRequest):
            self._engine.add(request)
        elif self._masked is not None:
            self._masked.add(request)
        else:
            raise ValueError("there is no masked model here")

    def cancel(self, request_id: str) -> None:
        for each in self._in_turn:
            each.cancel(request_id)

    def step(self) -> list[Event]:
        """One step of the engine that has waited longest among those with work."""
        for each in self._in_turn:
            if each.has_work:
                self._in_turn.remove(each)
                self._in_turn.append(each)
                return each.step()
        return []

    def reset(self) -> None:
        for each in self._in_turn:
            each.reset()
