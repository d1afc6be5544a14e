"""Who is measured: this engine, and the other ways that the same libraries offer, on the same weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

import torch

from models.bench.workloads import Arrivals, Workload, Written
from models.engine.checkpoint import Checkpoint
from models.engine.events import Delta, Done, Event, RowFinished
from models.engine.interface import Engine
from models.engine.request import Request


@dataclass
class Timing:
    """Seconds from a turn's (or a request's) beginning: to the first token, one a request; and to the end."""

    first_s: list[float] = field(default_factory=list)
    done_s: list[float] = field(default_factory=list)
    total_s: float = 0.0
    num_tokens: int = 0

    def note(self, event: Event, after_s: float, seen: set[str]) -> None:
        """Counts an engine's event; `seen` are the requests that have had their first token, and is added to."""
        if isinstance(event, Delta) and event.request_id not in seen:
            seen.add(event.request_id)
            self.first_s.append(after_s)
        elif isinstance(event, RowFinished):
            self.num_tokens += event.num_tokens
        elif isinstance(event, Done):
            self.done_s.append(after_s)


class Subject(Protocol):
    """Something that can do a workload."""

    name: str

    def run(self, workload: Workload) -> Timing: ...


class EngineSubject:
    """An engine of this project, driven as the worker drives it."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self._engine = engine

    def run(self, workload: Workload) -> Timing:
        self._engine.reset()
        timing, written, turn = Timing(), Written(), 0
        began = time.perf_counter()
        while requests := workload.next_turn(turn, written):
            written = self._turn(requests, timing)
            turn += 1
        timing.total_s = time.perf_counter() - began
        return timing

    def _turn(self, requests: Sequence[Request], timing: Timing) -> Written:
        began = time.perf_counter()
        for request in requests:
            self._engine.add(request)
        seen, written = set[str](), {request.id: [list[int]() for _ in range(request.n)] for request in requests}
        while self._engine.has_work:
            for event in self._engine.step():
                timing.note(event, time.perf_counter() - began, seen)
                if isinstance(event, Delta):
                    written[event.request_id][event.index] += event.token_ids
        return written

    def run_arrivals(self, arrivals: Arrivals) -> Timing:
        """In real time: a request is added when its moment has come."""
        self._engine.reset()
        timing, waiting = Timing(), list(arrivals.requests)
        came: dict[str, float] = {}
        seen = set[str]()
        began = time.perf_counter()
        while waiting or self._engine.has_work:
            while waiting and waiting[0][0] <= time.perf_counter() - began:
                at, request = waiting.pop(0)
                came[request.id] = at
                self._engine.add(request)
            if not self._engine.has_work:
                time.sleep(max(0.0, waiting[0][0] - (time.perf_counter() - began)))
                continue
            for event in self._engine.step():
                timing.note(event, time.perf_counter() - began - came[event.request_id], seen)
        timing.total_s = time.perf_counter() - began
        return timing


class GenerateSubject:
    """`generate` of transformers: a call for each candidate, as tutorials do it, or one call for all of them.

    It takes one request after the other, and gives nothing before the end of a call unless it is given a streamer. So
    the first token of each request is reckoned: what it waited, and the time of a call of its own for one token.
    """

    def __init__(self, name: str, checkpoint: Checkpoint, *, is_together: bool) -> None:
        self.name = name
        self._checkpoint = checkpoint
        self._is_together = is_together

    def run(self, workload: Workload) -> Timing:
        timing, written, turn = Timing(), Written(), 0
        while requests := workload.next_turn(turn, written):
            first_s = self._first(requests[0])
            began, written = time.perf_counter(), Written()
            for request in requests:
                timing.first_s.append(time.perf_counter() - began + first_s)
                written[request.id] = self._answer(request)
                timing.done_s.append(time.perf_counter() - began)
                timing.num_tokens += sum(map(len, written[request.id]))
            timing.total_s += time.perf_counter() - began
            turn += 1
        return timing

    def _answer(self, request: Request) -> list[list[int]]:
        torch.manual_seed(request.seed)
        if self._is_together:
            return self._generate(request, request.max_tokens, request.n)
        return [self._generate(request, request.max_tokens, 1)[0] for _ in range(request.n)]

    def _first(self, request: Request) -> float:
        began = time.perf_counter()
        self._generate(request, 1, request.n if self._is_together else 1)
        return time.perf_counter() - began

    @torch.inference_mode()
    def _generate(self, request: Request, new: int, n: int) -> list[list[int]]:
        model, sampling = self._checkpoint.model, request.sampling
        ids = torch.tensor([request.prompt_ids], device=self._checkpoint.device)
        generate = cast("Callable[..., torch.Tensor]", model.generate)
        answer = generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=new,
            min_new_tokens=new,
            do_sample=True,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=0,
            repetition_penalty=1.0,
            num_return_sequences=n,
            eos_token_id=None,
            pad_token_id=0,
        )
        rows: list[list[int]] = answer[:, ids.shape[1] :].tolist()
        return rows
