"""Engines that take turns, a step each, so that no kind of request waits for another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from models.engine.events import Event
from models.engine.interface import Engine
from models.engine.masked.request import MaskedRequest
from models.engine.moderation.request import ModerationRequest
from models.engine.request import Request

if TYPE_CHECKING:
    from models.engine.masked.engine import MaskedEngine
    from models.engine.moderation.engine import ModerationEngine

WritingRequest = Request | MaskedRequest
AnyRequest = WritingRequest | ModerationRequest


class _Stepped(Protocol):
    """What all engines have, whatever they take."""

    @property
    def num_steps(self) -> int: ...

    @property
    def has_work(self) -> bool: ...

    def cancel(self, request_id: str) -> None: ...

    def step(self) -> list[Event]: ...

    def reset(self) -> None: ...


class Turns:
    """As `interface.Engine`, for the requests of all."""

    def __init__(self, engine: Engine, masked: MaskedEngine | None, moderation: ModerationEngine | None = None) -> None:
        self._engine = engine
        self._masked = masked
        self._moderation = moderation
        self._in_turn: list[_Stepped] = [each for each in (engine, masked, moderation) if each is not None]

    @property
    def max_running(self) -> int:
        """Of requests that have text written."""
        return self._engine.max_running + (0 if self._masked is None else self._masked.max_running)

    @property
    def max_moderations(self) -> int:
        """Of requests that have text scored."""
        return 0 if self._moderation is None else self._moderation.max_running

    @property
    def num_steps(self) -> int:
        return sum(each.num_steps for each in self._in_turn)

    @property
    def has_work(self) -> bool:
        return any(each.has_work for each in self._in_turn)

    def add(self, request: AnyRequest) -> None:
        match request:
            case Request():
                self._engine.add(request)
            case MaskedRequest() if self._masked is not None:
                self._masked.add(request)
            case ModerationRequest() if self._moderation is not None:
                self._moderation.add(request)
            case _:
                kind = "masked" if isinstance(request, MaskedRequest) else "moderation"
                raise ValueError(f"there is no {kind} model here")

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
