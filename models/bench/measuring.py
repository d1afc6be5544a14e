"""Measures a subject on every workload, in a process of its own."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from models.bench.environments import CannotPrepare
from models.bench.figures import Row, arrivals_row, best_of, round_row
from models.bench.launching import Launcher
from models.bench.machine import BYTES, Machine, roofline_s
from models.bench.process import Answered, SubjectFailed, SubjectProcess
from models.bench.runners.runner import Asked
from models.bench.subjects import Subject
from models.bench.weights import Weights
from models.bench.workloads import ROUNDS, WARM_UP, Round, Workload, Written, make, make_arrivals

NUM_CHANNELS = 64
ARRIVALS_PATIENCE_S = 120.0
"""After the last arrival of W4. What is unanswered by then has lost its community."""


@dataclass(frozen=True)
class Conditions:
    """`seconds` and `rate` (requests a second) are W4's; `patience_s` is how long a turn of the others may take.

    Of `runs` of these the fastest counts.
    """

    workloads: tuple[str, ...]
    runs: int
    seconds: float
    rate: float
    patience_s: float


class Bench:
    """Measures subjects under the same conditions."""

    def __init__(self, conditions: Conditions, machine: Machine, launcher: Launcher) -> None:
        self._conditions = conditions
        self._machine = machine
        self._launcher = launcher

    def measure(self, subject: Subject, weights: Weights) -> list[Row]:
        """A row for each workload. Where the subject can't be had, or fails at one, that row says why."""
        workloads = [name for name in self._conditions.workloads if name != "W4" or subject.can_serve]
        about = {"model": weights.name, "subject": subject.name, "precision": subject.precision}
        rows: list[Row] = []
        process: SubjectProcess | None = None
        with ExitStack() as stack:
            for name in workloads:
                row: Row = {**about, "workload": name}
                try:
                    process = process or stack.enter_context(self._start(subject, weights))
                    row.update(self._workload(process, name, weights), loading_mb=process.loading_bytes >> 20)
                except CannotPrepare as error:
                    rows += [{**about, "workload": each, "skipped": str(error)} for each in workloads]
                    self._launcher.say(line_of(rows[-1]))
                    break
                except SubjectFailed as error:
                    row["skipped"] = str(error)
                    process = None  # the next workload has another one
                    stack.close()
                rows.append(row)
                self._launcher.say(line_of(row))
        return rows

    def _start(self, subject: Subject, weights: Weights) -> SubjectProcess:
        process = self._launcher.start(subject, weights)
        try:
            warm_up(process, weights, self._conditions.patience_s)
            check_weights(process, weights, self._conditions.patience_s)
        except SubjectFailed:
            process.close()
            raise
        return process

    def _workload(self, process: SubjectProcess, name: str, weights: Weights) -> Row:
        if name == "W4":
            return self._arrivals(process, weights)
        runs = range(self._conditions.runs)
        rows = [play_round(process, name, ROUNDS[name], weights, self._conditions.patience_s, run) for run in runs]
        return {**best_of(rows), **self._rooflines(name, weights)}

    def _rooflines(self, name: str, weights: Weights) -> Row:
        def roof(precision: str) -> float:
            workload = make(name, ROUNDS[name], weights.vocab_size, weights.context_tokens)
            return round(roofline_s(self._machine, weights, workload, precision), 4)

        return {f"{precision}_roofline_s": roof(precision) for precision in BYTES}

    def _arrivals(self, process: SubjectProcess, weights: Weights) -> Row:
        c = self._conditions
        arrivals = make_arrivals(weights.vocab_size, weights.context_tokens, NUM_CHANNELS, c.seconds, c.rate)
        answered = process.ask(arrivals.requests, ARRIVALS_PATIENCE_S)
        row = arrivals_row(arrivals, answered.total_s, answered.answers)
        return {**row, "rate": c.rate, "seconds": c.seconds, "peak_mb": answered.peak_bytes >> 20}


def warm_up(process: SubjectProcess, weights: Weights, patience_s: float) -> None:
    """A short round, so that what is done only once is done."""
    play(process, make("warm-up", WARM_UP, weights.vocab_size, weights.context_tokens), patience_s)


def check_weights(process: SubjectProcess, weights: Weights, patience_s: float) -> None:
    """Raises `SubjectFailed` where its likeliest tokens are not the weights'. Rounding to 8 bits may change some."""
    asked = [
        Asked(f"proof {i}", prompt, n=1, max_tokens=1, temperature=0.0, top_p=1.0, seed=0)
        for i, (prompt, _) in enumerate(weights.proofs)
    ]
    answers = process.ask([(0.0, each) for each in asked], patience_s).answers
    right = sum(answers[each.id].rows == [[token]] for each, (_, token) in zip(asked, weights.proofs, strict=True))
    if right < len(asked) / 2:
        raise SubjectFailed(f"of {len(asked)} likeliest tokens only {right} are those of the weights")


def play_round(
    process: SubjectProcess, name: str, shape: Round, weights: Weights, patience_s: float, run: int = 0
) -> Row:
    """The figures of one run of a round of this shape. Raises `SubjectFailed`."""
    turns = play(process, make(name, shape, weights.vocab_size, weights.context_tokens, run), patience_s)
    row = round_row([(turn.total_s, list(turn.answers.values())) for turn in turns])
    return {**row, "peak_mb": turns[-1].peak_bytes >> 20}


def play(process: SubjectProcess, workload: Workload, patience_s: float) -> list[Answered]:
    """Asks a workload turn by turn. Raises `SubjectFailed`, also where not all was answered in time."""
    turns: list[Answered] = []
    written = Written()
    while requests := workload.next_turn(len(turns), written):
        answered = process.ask([(0.0, asked) for asked in requests], patience_s)
        if any(answer.done_s is None for answer in answered.answers.values()):
            raise SubjectFailed(f"{workload.name} was not answered within {patience_s:.0f} s")
        written = {name: answer.rows for name, answer in answered.answers.items()}
        turns.append(answered)
    return turns


def line_of(row: Row) -> str:
    """A row in a line, for those who wait."""
    about = f"{row['model']}, {row['workload']}, {row['subject']}"
    if "skipped" in row:
        return f"{about}: skipped: {row['skipped']}"
    return f"{about}: {row['total_s']:.2f} s, {row['tokens_s']:.0f} tokens/s"
