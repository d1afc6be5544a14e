"""Decodes the rows of all requests that graphs can serve, one step ahead of the host.

A step is launched before the last one's tokens are looked at: a row's token goes on into the next step on the device.
So the host learns of an end one step late; what the row drew after it is ignored, and the column that it wrote belongs
to nobody. Everything is launched on one stream, so a slot that is given to another request meanwhile is written by it
only after that.

Requests that want something that the graphs can't do (`can_take`) are left to the plain path.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

import torch

from models.engine.events import Failed
from models.engine.failures import describe_failure
from models.engine.gpu.draw import BROKEN, IN_PROMPT, MAX_TOP_K, ROUNDS, UNDECIDED, WISHES, has_penalties
from models.engine.gpu.graphs import SIZES, Replayed, Runner, capture_all, size_for
from models.engine.gpu.lanes import Lane, Lanes
from models.engine.gpu.layout import MAX_ROWS_OF_SLOT
from models.engine.gpu.memory import Memory
from models.engine.gpu.ranges import Look
from models.engine.gpu.step import Bucket, Step
from models.engine.growth import Growth
from models.engine.network import Network
from models.engine.request import Request
from models.engine.row import Row

log = logging.getLogger(__name__)

Drawn = Mapping[int, int]
"""A token for each place in a growth's wave that has drawn one."""

_KNOWN = frozenset({"id", "prompt_ids", "seed", "n", "max_tokens", "sampling", "stop", "prompt_logprobs"})


@dataclass(frozen=True, eq=False)
class _Seat:
    growth: Growth
    place: int
    row: Row


@dataclass(frozen=True)
class _Flight:
    """A step that was launched: its rows, and their tokens [rows] on their way to the host."""

    seats: Sequence[_Seat]
    tokens: torch.Tensor
    arrival: torch.cuda.Event | None

    def read(self) -> list[int]:
        if self.arrival is not None:
            self.arrival.synchronize()
        tokens: list[int] = self.tokens.tolist()
        return tokens


class Decoder:
    """For a network over `num_slots` slots of `num_columns`, whose keys and values are in `memory`."""

    def __init__(
        self,
        network: Network,
        num_slots: int,
        num_columns: int,
        look: Look,
        runner: Callable[[Step], Runner] = Replayed,
        most: int = SIZES[-1],
    ) -> None:
        shape = network.shape
        self.memory = Memory(shape, num_slots, num_columns)
        self._lanes = Lanes(shape, most, num_slots, num_columns)
        self._step = Step(network, self.memory, self._lanes, look)
        self._run = runner(self._step)
        self._seats: Sequence[_Seat] = ()  # who is in the lanes
        self._flights: list[_Flight] = []
        self._is_doubted = False

    @torch.inference_mode()
    def prepare(self) -> None:
        """Captures the graphs of steps without top-k and penalties; the others are captured when they are needed."""
        capture_all(self._run, self._step, [size for size in SIZES if size <= self._lanes.most])

    def can_take(self, request: Request, running: Iterable[Growth]) -> bool:
        """Whether this request's rows can be decoded here, beside those that are."""
        sampling = request.sampling
        return (
            _is_plain(request, _KNOWN)
            and _is_plain(sampling, frozenset(WISHES))
            and sampling.top_k <= MAX_TOP_K
            and request.n <= MAX_ROWS_OF_SLOT
            and request.max_tokens < IN_PROMPT
            and request.n + sum(growth.request.n for growth in running if growth.is_ahead) <= self._lanes.most
        )

    def step(self, running: Sequence[Growth]) -> list[tuple[Growth, Drawn | Failed]]:
        """Launches the next step for those that are ahead, and tells what the one before has drawn for each of them.

        Nothing is raised. Where a step fails, the next call tries each growth alone, so that one fails alone.
        """
        drawn = self._stepped([growth for growth in running if growth.is_ahead])
        return [(growth, found) for growth, found in drawn if growth in running]  # others were given up meanwhile

    def _stepped(self, growths: Sequence[Growth]) -> list[tuple[Growth, Drawn | Failed]]:
        if self._is_doubted:
            self._is_doubted = False
            return [drawn for growth in growths for drawn in self._step_alone(growth)]
        try:
            self._launch([growth for growth in growths if growth.live])
        except Exception:
            log.exception("a step over %d requests failed", len(growths))
            self._is_doubted = True
            self._seats = ()
            return self._collected(0)
        return self._collected(1 if self._seats else 0)

    def forget(self) -> None:
        """Nobody is in the lanes any more."""
        self._seats, self._flights, self._is_doubted = (), [], False

    def _step_alone(self, growth: Growth) -> list[tuple[Growth, Drawn | Failed]]:
        try:
            self._launch([growth])
        except Exception as error:
            log.exception("a step of request %s failed", growth.request.id)
            self.forget()
            return [(growth, describe_failure(growth.request.id, error))]
        drawn = self._collected(0)
        self._seats = ()
        return drawn

    def _launch(self, growths: Sequence[Growth]) -> None:
        """Runs the next step for all rows that want another token, those in flight counted."""
        pending = Counter(id(seat.row) for flight in self._flights for seat in flight.seats)
        seats = [
            _Seat(growth, place, row)
            for growth in growths
            for place, row in growth.live
            if row.num_tokens + pending[id(row)] < growth.request.max_tokens
        ]
        before, self._seats = self._seats, ()  # where this fails, nobody is anywhere
        if not seats:
            return
        size = min(size_for(len(seats)), self._lanes.most)
        if [id(seat.row) for seat in seats] != [id(seat.row) for seat in before]:
            places = {id(seat.row): lane for lane, seat in enumerate(before)}
            self._lanes.arrange([self._lane(seat, places.get(id(seat.row))) for seat in seats], size)
        self._lanes.bring([[seat.row.sampler.uniform() for _ in range(ROUNDS)] for seat in seats])
        wishes = [seat.growth.request.sampling for seat in seats]
        self._run(Bucket(size, any(map(has_penalties, wishes)), any(wish.top_k > 0 for wish in wishes)))
        self._flights.append(self._sent(seats))
        self._seats = seats

    def _lane(self, seat: _Seat, source: int | None) -> Lane:
        slot, request = seat.growth.slot, seat.growth.request
        return Lane(
            slot=slot.index,
            prompt_ids=request.prompt_ids,
            start=slot.index * self.memory.num_columns + len(slot.tokens) + seat.place * slot.pitch,
            room=request.max_tokens - 1,
            own=() if source is not None else (*slot.rows[seat.place], seat.row.last_token),
            sampling=request.sampling,
            source=source,
        )

    def _sent(self, seats: Sequence[_Seat]) -> _Flight:
        """Sends the tokens to the host; the only thing that it waits for."""
        tokens = self._lanes.tokens[: len(seats)]
        if tokens.device.type != "cuda":
            return _Flight(seats, tokens.clone(), None)
        host = torch.empty(len(seats), dtype=tokens.dtype, pin_memory=True)
        host.copy_(tokens, non_blocking=True)
        arrival = torch.cuda.Event()  # type: ignore[no-untyped-call]
        arrival.record()
        return _Flight(seats, host, arrival)

    def _collected(self, num_left: int) -> list[tuple[Growth, Drawn | Failed]]:
        """What the steps in flight have drawn, but for the last `num_left`."""
        results: list[tuple[Growth, Drawn | Failed]] = []
        while len(self._flights) > num_left:
            results += _told(self._flights.pop(0))
        return results


def _told(flight: _Flight) -> list[tuple[Growth, Drawn | Failed]]:
    growths = list(dict.fromkeys(seat.growth for seat in flight.seats))
    try:
        tokens = flight.read()
    except Exception as error:
        log.exception("the tokens of a step did not arrive")
        return [(growth, describe_failure(growth.request.id, error)) for growth in growths]
    drawn: dict[Growth, dict[int, int] | Failed] = {growth: {} for growth in growths}
    for seat, token in zip(flight.seats, tokens, strict=True):
        found = drawn[seat.growth]
        if seat.row.is_over or token == UNDECIDED or isinstance(found, Failed):
            continue
        if token == BROKEN:
            log.error("request %s failed: the model's output holds no finite maximum", seat.growth.request.id)
            drawn[seat.growth] = describe_failure(seat.growth.request.id, ArithmeticError())
        else:
            found[seat.place] = token
    return list(drawn.items())


def _is_plain(wanted: Any, known: frozenset[str]) -> bool:
    """Whether all fields of a dataclass but the known ones have their defaults, whatever may be added to it later."""
    for each in fields(wanted):
        if each.name in known:
            continue
        default = each.default_factory() if each.default_factory is not MISSING else each.default
        if getattr(wanted, each.name) != default:
            return False
    return True
