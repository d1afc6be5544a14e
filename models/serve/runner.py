"""The one thread that owns the models: it loads them, then steps their engines in turn while there is work.

Requests come in and cancellations too through one queue of commands; events go out to tickets. Every ticket gets
exactly one of `Done`, `Failed`, `Cancelled`, whatever happens in the engine. The thread outlives any failing request.
After a failure that is not a lack of memory it asks the model for a word once it is idle: a GPU whose context is lost
fails every request from then on, and then the worker says so instead of taking more.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from models.engine.events import Cancelled, End, Event, Failed, FailureKind
from models.engine.moderation.request import ModerationRequest
from models.serve.errors import Busy, NotReady
from models.serve.ledger import CompletionLedger, Ledger, ModerationLedger
from models.serve.loaded import Loaded, probe
from models.serve.metrics import Metrics, ModelState
from models.serve.ticket import Ticket
from models.serve.turns import AnyRequest, Turns

log = logging.getLogger(__name__)

LOADING_RETRY_S = 2
FAULT = "The model failed while working on this request; the log says why."


@dataclass(frozen=True)
class _Add:
    request: AnyRequest


@dataclass(frozen=True)
class _Cancel:
    request_id: str


class _Stop:
    pass


class Runner:
    """`load` runs in the thread. `submit` and `cancel` are for the event loop; they never wait for the model."""

    def __init__(
        self,
        load: Callable[[], Loaded],
        queue_size: int,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._queue_size = queue_size
        self._metrics = metrics
        self._clock = clock
        self._ledgers: tuple[Ledger, Ledger] = (CompletionLedger(metrics, clock), ModerationLedger(metrics, clock))
        self._commands: queue.SimpleQueue[_Add | _Cancel | _Stop] = queue.SimpleQueue()
        self._lock = threading.Lock()  # guards _tickets, _loaded, _state and _detail
        self._tickets: dict[str, Ticket] = {}
        self._loaded: Loaded | None = None
        self._max_running = (0, 0)  # of either ledger's requests: they have queues of their own
        self._state = ModelState.LOADING
        self._detail = "the model is loading"
        self._is_doubted = False
        # A daemon, because loading cannot be interrupted and must not keep the process alive.
        self._thread = threading.Thread(target=self._main, name="model", daemon=True)
        metrics.set_state(self._state)
        metrics.watch(lambda: self.num_waiting, lambda: self.num_running)

    @property
    def state(self) -> ModelState:
        return self._state

    @property
    def detail(self) -> str:
        """Why the state is what it is; empty when ready."""
        return self._detail

    @property
    def num_running(self) -> int:
        with self._lock:
            return sum(ticket.began_at is not None for ticket in self._tickets.values())

    @property
    def num_waiting(self) -> int:
        with self._lock:
            return sum(ticket.began_at is None for ticket in self._tickets.values())

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Cancels what is open and waits up to `timeout_s` for the thread."""
        with self._lock:
            self._set_state(ModelState.FAILED, "the worker is shutting down")
        self._commands.put(_Stop())
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def loaded(self) -> Loaded:
        """The model. Raises `NotReady` while it cannot be asked; its engine is the thread's alone."""
        with self._lock:
            return self._require()

    def submit(self, request: AnyRequest) -> Ticket:
        """Queues a request. Raises `NotReady`, or `Busy` with the seconds after which a place should be free."""
        is_moderation = isinstance(request, ModerationRequest)
        ticket = Ticket(request.id, self._clock(), is_moderation=is_moderation)
        with self._lock:
            self._require()
            max_open = self._max_running[is_moderation] + self._queue_size
            if sum(each.is_moderation is is_moderation for each in self._tickets.values()) >= max_open:
                raise Busy(
                    f"the queue is full: at most {max_open} requests are taken at a time",
                    code="queue_full",
                    retry_after_s=self._ledgers[is_moderation].retry_after_s,
                )
            self._tickets[request.id] = ticket
        self._commands.put(_Add(request))
        return ticket

    def cancel(self, ticket: Ticket) -> None:
        """Gives a request up before the next step; nothing happens to one that has ended."""
        self._commands.put(_Cancel(ticket.request_id))

    def _require(self) -> Loaded:
        """Called with the lock held: whoever gets an answer while it lasts is seen by `close`."""
        if self._loaded is not None and self._state is ModelState.READY:
            return self._loaded
        retry_after_s = LOADING_RETRY_S if self._state is ModelState.LOADING else None
        raise NotReady(self._detail, code=f"model_{self._state}", retry_after_s=retry_after_s)

    # From here on: the thread.

    def _main(self) -> None:
        try:
            loaded = self._load()
            probe(loaded)
        except Exception as error:
            log.exception("the model cannot be served")
            with self._lock:
                self._set_state(ModelState.FAILED, f"the model cannot be served: {error}")
            return
        turns = loaded.turns()
        with self._lock:
            self._loaded, self._max_running = loaded, (turns.max_running, turns.max_moderations)
            if self._state is ModelState.LOADING:  # and not closed meanwhile
                self._set_state(ModelState.READY, "")
        try:
            while self._take_commands(turns):
                self._step(loaded, turns)
        except Exception as error:
            log.critical("the model's thread ends; the worker must be started again", exc_info=error)
            with self._lock:
                self._set_state(ModelState.FAILED, "the model's thread has ended; the log says why")
            self._fail_open()
        else:
            self._publish([Cancelled(request_id, 0) for request_id in self._open_ids()], self._clock())

    def _take_commands(self, engine: Turns) -> bool:
        """Passes on what was asked; waits for it where the engine has nothing to do. False when asked to stop."""
        while True:
            try:
                command = self._commands.get(block=not engine.has_work)
            except queue.Empty:
                return True
            match command:
                case _Add(request):
                    self._add(engine, request)
                case _Cancel(request_id):
                    engine.cancel(request_id)
                case _Stop():
                    return False

    def _add(self, engine: Turns, request: AnyRequest) -> None:
        if request.id not in self._tickets:  # it ended, with all others, before the engine saw it
            return
        try:
            engine.add(request)
        except Exception:
            log.exception("the engine did not take request %s", request.id)
            self._publish([Failed(request.id, FailureKind.INTERNAL, FAULT)], self._clock())

    def _step(self, loaded: Loaded, turns: Turns) -> None:
        began = self._clock()
        steps_before = turns.num_steps
        try:
            events = turns.step()
        except Exception:
            log.exception("the engine failed outside any request; every open request ends")
            turns.reset()
            self._fail_open()
        else:
            self._metrics.steps.inc(turns.num_steps - steps_before)
            self._publish(events, began)
        if self._is_doubted and not turns.has_work:
            self._is_doubted = False
            self._check_model(loaded)

    def _fail_open(self) -> None:
        self._publish(
            [Failed(request_id, FailureKind.INTERNAL, FAULT) for request_id in self._open_ids()], self._clock()
        )

    def _open_ids(self) -> list[str]:
        with self._lock:
            return list(self._tickets)

    def _publish(self, events: Iterable[Event], step_began: float) -> None:
        in_order = sorted(events, key=lambda event: event.request_id)  # stable: each request's events keep their order
        for request_id, own in groupby(in_order, key=lambda event: event.request_id):
            self._publish_to(request_id, list(own), step_began)

    def _publish_to(self, request_id: str, events: Sequence[Event], step_began: float) -> None:
        ticket = self._tickets.get(request_id)
        if ticket is None:
            log.error("the engine spoke of request %s, which is over", request_id)
            return
        for event in events:
            self._is_doubted |= isinstance(event, Failed) and event.kind is FailureKind.INTERNAL
            self._ledgers[ticket.is_moderation].record(event, ticket, step_began)
        if isinstance(events[-1], End):
            with self._lock:
                del self._tickets[request_id]
        ticket.deliver(events)

    def _check_model(self, loaded: Loaded) -> None:
        try:
            probe(loaded)
        except Exception as error:
            log.critical("the model no longer answers; the worker must be started again", exc_info=error)
            with self._lock:
                self._set_state(ModelState.FAILED, f"the model no longer answers: {error}")

    def _set_state(self, state: ModelState, detail: str) -> None:
        """Called with the lock held."""
        self._state = state
        self._detail = detail
        self._metrics.set_state(state)
