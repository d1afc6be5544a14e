"""A process that is measured: requests come as lines of JSON, and go back with the seconds that each of them took.

``python runner.py MODULE FOLDER OPTIONS`` loads the weights in FOLDER with the `load` of a module beside this file, and
answers until its input ends; ``python runner.py MODULE --export FROM TO`` has the module convert them first. It runs in
an environment of the engine's own, so it needs the standard library only.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

SENTENCE_TOKENS = 10
"""So many tokens of one candidate count as its first sentence: the mean of the bundled storyteller's sentences."""


@dataclass(frozen=True)
class Asked:
    """One request: `n` candidates of exactly `max_tokens` tokens behind `prompt`, and none ends early."""

    id: str
    prompt: tuple[int, ...]
    n: int
    max_tokens: int
    temperature: float
    top_p: float
    seed: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Asked:
        return cls(**{**said, "prompt": tuple(said["prompt"])})


@dataclass
class Answer:
    """Seconds from the moment at which the request came; None for what has not been reached."""

    rows: list[list[int]]
    first_s: float | None = None
    sentence_s: float | None = None
    done_s: float | None = None


@dataclass
class Notes:
    """Keeps the time of what an engine writes. `now` counts seconds from the beginning of the workload."""

    now: Callable[[], float]
    answers: dict[str, Answer] = field(default_factory=dict)
    came: dict[str, float] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)

    def begin(self, asked: Asked, at: float) -> None:
        self.answers[asked.id] = Answer([[] for _ in range(asked.n)])
        self.came[asked.id] = at
        self.wanted[asked.id] = asked.n * asked.max_tokens

    def wrote(self, request_id: str, row: int, ids: Sequence[int]) -> None:
        """More tokens of a candidate; the last of all of them ends the request."""
        if not ids:
            return
        answer, after_s = self.answers[request_id], self.now() - self.came[request_id]
        answer.rows[row] += ids
        if answer.first_s is None:
            answer.first_s = after_s
        if answer.sentence_s is None and len(answer.rows[row]) >= SENTENCE_TOKENS:
            answer.sentence_s = after_s
        if sum(map(len, answer.rows)) >= self.wanted[request_id]:
            answer.done_s = after_s
            answer.sentence_s = after_s if answer.sentence_s is None else answer.sentence_s


class Answerer(Protocol):
    """An engine that is measured. `step` does the least that it can do at a time, and notes what was written.

    It may also have `prepare(requests)`, which is called before the clock starts with all that will come, `pid`, the
    process whose memory counts, and `close()`.
    """

    def add(self, asked: Asked) -> None: ...

    @property
    def has_work(self) -> bool: ...

    def step(self, notes: Notes) -> None: ...


class OneByOne:
    """The queue of an engine that takes a request at a time: `answer` writes all of it, and notes it as it goes."""

    def __init__(self, answer: Callable[[Asked, Notes], None]) -> None:
        self._answer = answer
        self._waiting: deque[Asked] = deque()

    def add(self, asked: Asked) -> None:
        self._waiting.append(asked)

    @property
    def has_work(self) -> bool:
        return bool(self._waiting)

    def step(self, notes: Notes) -> None:
        self._answer(self._waiting.popleft(), notes)


class AllAtOnce:
    """The queue of an engine that takes a batch at a time: whatever waits is answered together."""

    def __init__(self, answer: Callable[[Sequence[Asked], Notes], None]) -> None:
        self._answer = answer
        self._waiting: list[Asked] = []

    def add(self, asked: Asked) -> None:
        self._waiting.append(asked)

    @property
    def has_work(self) -> bool:
        return bool(self._waiting)

    def step(self, notes: Notes) -> None:
        batch, self._waiting = self._waiting, []
        self._answer(batch, notes)


def replay(answerer: Answerer, arrivals: Sequence[tuple[float, Asked]], patience_s: float) -> tuple[float, Notes]:
    """Adds each request at its moment and answers all; the seconds that took, and the notes.

    Ends `patience_s` after the last arrival, whatever is unanswered by then.
    """
    began = time.perf_counter()
    notes = Notes(lambda: time.perf_counter() - began)
    waiting = deque(arrivals)
    last = arrivals[-1][0] if arrivals else 0.0
    while (waiting or answerer.has_work) and notes.now() < last + patience_s:
        while waiting and waiting[0][0] <= notes.now():
            at, asked = waiting.popleft()
            notes.begin(asked, at)
            answerer.add(asked)
        if answerer.has_work:
            answerer.step(notes)
        else:
            time.sleep(max(0.0, waiting[0][0] - notes.now()))
    for at, asked in waiting:
        notes.begin(asked, at)
    return notes.now(), notes


def peak_bytes(pid: int | None = None) -> int:
    """The most memory that a process has had at a time since it began, or since `forget_peak`."""
    status = Path(f"/proc/{os.getpid() if pid is None else pid}/status")
    if status.exists():
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def forget_peak(pid: int | None = None) -> None:
    """Lets `peak_bytes` count anew, where the system can (Linux: proc(5), clear_refs)."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{os.getpid() if pid is None else pid}/clear_refs").write_text("5")


def answer_lines(answerer: Answerer, lines: Iterator[str], say: Callable[[dict[str, Any]], None]) -> None:
    """The conversation, after a first line that says that the engine is ready."""
    pid = getattr(answerer, "pid", None)
    prepare: Callable[[Sequence[Asked]], None] = getattr(answerer, "prepare", lambda requests: None)
    loading = peak_bytes(pid)
    forget_peak(pid)
    say({"loading_bytes": loading})
    for line in lines:
        said = json.loads(line)
        arrivals = [(at, Asked.from_json(asked)) for at, asked in said["arrivals"]]
        try:
            prepare([asked for _, asked in arrivals])
            total_s, notes = replay(answerer, arrivals, said["patience_s"])
        except Exception as error:
            say({"error": f"{type(error).__name__}: {error}"})
            raise
        answers = {name: asdict(answer) for name, answer in notes.answers.items()}
        say({"total_s": total_s, "answers": answers, "peak_bytes": peak_bytes(pid)})


def keep_output() -> TextIO:
    """The stream for answers. Whatever else is written to standard output from now on goes to standard error."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return kept


def load_with(module: Any) -> Callable[[Path, dict[str, Any]], Answerer]:
    """A module's `load`, or its `load_batch`, which gives a function that answers a batch."""
    if hasattr(module, "load_batch"):
        return lambda folder, options: AllAtOnce(module.load_batch(folder, options))
    load: Callable[[Path, dict[str, Any]], Answerer] = module.load
    return load


def main(load: Callable[[Path, dict[str, Any]], Answerer], folder: str, options: str) -> None:
    """Loads, then answers until standard input ends."""
    kept = keep_output()

    def say(value: dict[str, Any]) -> None:
        kept.write(json.dumps(value) + "\n")
        kept.flush()

    answerer = load(Path(folder), json.loads(options))
    try:
        answer_lines(answerer, iter(sys.stdin.readline, ""), say)
    finally:
        getattr(answerer, "close", lambda: None)()


if __name__ == "__main__":
    module = importlib.import_module(sys.argv[1])
    if sys.argv[2] == "--export":
        module.export(Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main(load_with(module), sys.argv[2], sys.argv[3])
