"""The record as tables in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from models.bench.figures import GOAL_S, Row, cost_per_thousand
from models.bench.subjects import BASELINE

Column = tuple[str, Callable[[Row], str]]
SPEED = ("W1", "W2", "W3")


def table(columns: Sequence[Column], rows: Sequence[Row], what: str = "way") -> str:
    """A line for each row, its subject (`what` that is) first; a row that was skipped says why instead of figures."""
    head = [what, *(name for name, _ in columns)]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        if "skipped" in row:
            cells = [f"skipped: {row['skipped']}", *[""] * (len(columns) - 1)]
        else:
            cells = [cell(row) for _, cell in columns]
        lines.append([row["subject"], *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def speed_tables(rows: Sequence[Row], price_per_hour: float) -> str:
    """W1 to W3, one table for each model and workload, with ratios to the tutorial's way."""
    return _grouped([row for row in rows if row["workload"] in SPEED], lambda group: _speed(group, price_per_hour))


def arrival_tables(rows: Sequence[Row]) -> str:
    """W4, one table for each model."""
    return _grouped([row for row in rows if row["workload"] == "W4"], lambda _: ARRIVALS)


def memory_table(rows: Sequence[Row]) -> str:
    """The most that each subject took, while it loaded and while it answered."""
    parts = []
    for model in dict.fromkeys(row["model"] for row in rows):
        most: dict[str, Row] = {}
        for row in (row for row in rows if row["model"] == model and "skipped" not in row):
            known = most.setdefault(row["subject"], {**row, "peak_mb": 0, "loading_mb": 0})
            for name in ("peak_mb", "loading_mb"):
                known[name] = max(known[name], row[name])
        parts.append(f"**{model}**\n\n{table(MEMORY, list(most.values()))}")
    return "\n\n".join(parts)


def http_table(rows: Sequence[Row]) -> str:
    """The engine alone beside the same engine behind the worker."""
    named = [{**row, "subject": f"{row['model']}, {row['subject']}, {row['workload'].split()[0]}"} for row in rows]
    return table(HTTP, named)


def growth_table(rows: Sequence[Row]) -> str:
    """Seconds of each round, one table for each model and axis."""
    parts = []
    for model, axis in dict.fromkeys((row["model"], row["axis"]) for row in rows if row["axis"]):
        group = [row for row in rows if (row["model"], row["axis"]) == (model, axis)]
        values = sorted({row["x"] for row in group})
        found = {(row["subject"], row["x"]): row for row in group}
        subjects = [{"subject": name} for name in dict.fromkeys(row["subject"] for row in group)]
        columns: list[Column] = [(str(value), _seconds_at(found, value)) for value in values]
        parts.append(f"**{model}, {axis}**\n\n{table(columns, subjects)}")
    skipped = [f"{row['model']}, {row['subject']}: skipped: {row['skipped']}" for row in rows if "skipped" in row]
    return "\n\n".join(parts + skipped)


def _seconds_at(found: dict[tuple[str, int], Row], value: int) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        at = found.get((row["subject"], value))
        return "" if at is None else f"{at['total_s']:.2f}"

    return cell


def _grouped(rows: Sequence[Row], columns: Callable[[Sequence[Row]], Sequence[Column]]) -> str:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["model"], row["workload"]), []).append(row)
    return "\n\n".join(
        f"**{model}, {workload}**\n\n{table(columns(group), group)}" for (model, workload), group in groups.items()
    )


def _speed(rows: Sequence[Row], price_per_hour: float) -> Sequence[Column]:
    base = next((row["total_s"] for row in rows if row["subject"] == BASELINE and "skipped" not in row), None)

    def share(precision: str) -> Callable[[Row], str]:
        # In float32, 8-bit weights are no part of what could be reached.
        return lambda row: (
            ""
            if precision == "int8" and row["precision"] != "int8"
            else f"{row[f'{precision}_roofline_s'] / row['total_s']:.0%}"
        )

    return [
        ("first token, s", lambda row: f"{row['first_token_s']:.3f}"),
        ("all candidates, s", lambda row: f"{row['total_s']:.2f}"),
        ("tokens/s", lambda row: f"{row['tokens_s']:.0f}"),
        ("times the tutorial's speed", lambda row: "" if base is None else f"{base / row['total_s']:.1f}"),
        ("of the float32 roofline", share("float32")),
        ("of the int8 roofline", share("int8")),
        (
            "cost of 1,000 ballots",
            lambda row: f"{cost_per_thousand(row['total_s'], row['ballots'], price_per_hour):.3f}",
        ),
    ]


def _seconds(name: str) -> Callable[[Row], str]:
    return lambda row: "not in time" if row[name] is None else f"{row[name]:.2f}"


ARRIVALS: list[Column] = [
    ("requests", lambda row: str(row["requests"])),
    ("asked a second", lambda row: str(row["rate"])),
    ("for, s", lambda row: f"{row['seconds']:.0f}"),
    ("first token p50, s", _seconds("first_token_s")),
    ("first sentence p50, s", _seconds("sentence_p50_s")),
    ("p95, s", _seconds("sentence_p95_s")),
    ("ballot p50, s", _seconds("ballot_p50_s")),
    ("p95, s", _seconds("ballot_p95_s")),
    (f"within {GOAL_S:.0f} s", lambda row: f"{row['on_time']:.0%}"),
    ("of these a minute", lambda row: f"{row['goodput_per_minute']:.1f}"),
    ("fairness", lambda row: "" if row["fairness"] is None else f"{row['fairness']:.2f}"),
    ("tokens/s", lambda row: f"{row['tokens_s']:.0f}"),
]
MEMORY: list[Column] = [
    ("while it answers, MB", lambda row: str(row["peak_mb"])),
    ("while it loads, MB", lambda row: str(row["loading_mb"])),
]
HTTP: list[Column] = [
    ("engine alone, s", lambda row: f"{row['engine_s']:.3f}"),
    ("through the worker, s", lambda row: f"{row['total_s']:.3f}"),
    ("costs, median of pairs", lambda row: f"{row['http_cost']:+.1%}"),
    ("first token, alone, s", lambda row: f"{row['engine_first_token_s']:.3f}"),
    ("through the worker, s", lambda row: f"{row['first_token_s']:.3f}"),
]
