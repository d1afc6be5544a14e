"""What the engine is to reach on two CPU cores, and what it reached in a record."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from models.bench.figures import Row
from models.bench.record import Record
from models.bench.subjects import BASELINE, ENGINES, PEERS
from models.bench.tables import SPEED, Column, table

EXACT, INT8 = ENGINES["none"].name, ENGINES["int8"].name
NAMES = {peer.key: peer.name for peer in PEERS}
OTHERS = frozenset(peer.name for peer in PEERS if peer.key != "generic")
"""Engines that are not this project's."""

Found = tuple[float, str]
"""A figure, and where it was measured."""


@dataclass(frozen=True)
class Aim:
    """`worst` finds the figure that is furthest from the aim, or None where nothing was measured.

    It is met at `bound` or more, or at `bound` or less where `is_upper`.
    """

    says: str
    worst: Callable[[Record], Found | None]
    bound: float
    is_upper: bool
    unit: Callable[[float], str]

    def is_met(self, value: float) -> bool:
        return value <= self.bound if self.is_upper else value >= self.bound


def aims_table(record: Record) -> str:
    """A line for each aim that there are figures for; "" where there is none."""
    rows: list[Row] = []
    for aim in AIMS:
        if (found := aim.worst(record)) is not None:
            value, where = found
            rows.append({"subject": aim.says, "value": aim.unit(value), "where": where, "is_met": aim.is_met(value)})
    return table(COLUMNS, rows, "aim") if rows else ""


COLUMNS: Sequence[Column] = (
    ("reached, at worst", lambda row: row["value"]),
    ("where", lambda row: row["where"]),
    ("met", lambda row: "yes" if row["is_met"] else "no"),
)


def _rows(record: Record, workloads: Iterable[str] = SPEED) -> dict[tuple[str, str, str], Row]:
    """Model, workload and subject → what was measured."""
    return {
        (row["model"], row["workload"], row["subject"]): row
        for row in record.get("rows", ())
        if row["workload"] in workloads and "skipped" not in row
    }


def _least(found: Iterable[Found]) -> Found | None:
    return min(found, default=None)


def _most(found: Iterable[Found]) -> Found | None:
    return max(found, default=None)


def _roofline(subject: str, precision: str) -> Callable[[Record], Found | None]:
    return lambda record: _least(
        (row[f"{precision}_roofline_s"] / row["total_s"], f"{model}, {workload}")
        for (model, workload, name), row in _rows(record).items()
        if (model, workload, name) == ("gpt2", "W1", subject)
    )


def _ratio(subject: str, other: str) -> Callable[[Record], Found | None]:
    """How many times as fast as another one."""

    def worst(record: Record) -> Found | None:
        rows = _rows(record)
        return _least(
            (theirs["total_s"] / ours["total_s"], f"{model}, {workload}")
            for (model, workload, name), ours in rows.items()
            if name == subject and (theirs := rows.get((model, workload, other))) is not None
        )

    return worst


def _returning(record: Record) -> Found | None:
    return _most(
        (row["first_token_s"], f"{model}, {name}")
        for (model, workload, name), row in _rows(record).items()
        if workload == "W3" and name in (EXACT, INT8)
    )


def _arrivals(record: Record) -> Found | None:
    """The better of the engine's precisions beside the best of the others, model by model."""
    rows = _rows(record, ("W4",))
    shares = []
    for model in {model for model, _, _ in rows}:
        late = {name: _late(row["ballot_p95_s"]) for (of, _, name), row in rows.items() if of == model}
        ours = [late[name] for name in (EXACT, INT8) if name in late]
        theirs = {name: seconds for name, seconds in late.items() if name in OTHERS}
        if ours and theirs:
            best = min(theirs, key=lambda name: theirs[name])
            share = math.inf if math.isinf(min(ours)) else min(ours) / theirs[best]
            shares.append((share, f"{model}, beside {best}"))
    return _most(shares)


def _http(record: Record) -> Found | None:
    return _most(
        (row["http_cost"], f"{row['model']}, {row['workload'].split()[0]}, {row['subject']}")
        for row in record.get("http", ())
        if "skipped" not in row
    )


def _late(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _times(value: float) -> str:
    return f"{value:.1f} times"


AIMS = (
    Aim("float32, GPT-2, W1: 70 % of the roofline", _roofline(EXACT, "float32"), 0.70, False, _percent),
    Aim("int8, GPT-2, W1: 60 % of the roofline", _roofline(INT8, "int8"), 0.60, False, _percent),
    Aim("int8: 1.5 times OpenVINO's int8", _ratio(INT8, NAMES["openvino"]), 1.5, False, _times),
    Aim("int8: 3 times llama.cpp's Q8_0", _ratio(INT8, NAMES["llama.cpp"]), 3.0, False, _times),
    Aim("float32: 4 times the tutorial's way", _ratio(EXACT, BASELINE), 4.0, False, _times),
    Aim("a returning channel's first token: 50 ms", _returning, 0.05, True, lambda s: f"{1000 * s:.0f} ms"),
    Aim("W4: half of the next best engine's p95 to the ballot", _arrivals, 0.5, True, _percent),
    Aim("HTTP and streaming: 5 %", _http, 0.05, True, lambda share: f"{share:+.1%}"),
)
