"""What came of the experiment, as tables."""

from __future__ import annotations

from typing import Any

from models.bench.figures import Row
from models.bench.tables import Column, table

PAYS = 1.1
"""Below so much, nothing is built."""


def speculation_tables(record: dict[str, Any]) -> str:
    """What is accepted, what a step costs, what comes of it, and the verdict."""
    accepted, pays, steps = record["acceptance"], record["speculation"], record["steps"]
    parts = [acceptance_table(accepted, sampling) for sampling in _distinct(accepted, "sampling")]
    parts += ["**A step over so many rows, ms**", steps_table(steps)]
    parts += [best_table(pays, sampling) for sampling in _distinct(pays, "sampling")]
    return "\n\n".join([*parts, verdict(pays)])


def acceptance_table(rows: list[Row], sampling: str) -> str:
    """Tokens that a step brings, by draft and number of guesses."""
    own = [row for row in rows if row["sampling"] == sampling]
    found = {(row["draft"], row["k"]): row["tokens_per_step"] for row in own}

    def at(k: int) -> Column:
        return f"k = {k}", lambda row: f"{found[row['subject'], k]:.2f}"

    columns = [at(k) for k in _distinct(own, "k")]
    drafts = [{"subject": name} for name in _distinct(own, "draft")]
    return f"**Tokens a step, {sampling}**\n\n{table(columns, drafts)}"


def steps_table(rows: list[Row]) -> str:
    """Milliseconds by number of rows."""
    counts = list(dict.fromkeys(count for row in rows for count in row.get("step_ms", {})))

    def at(count: str) -> Column:
        return count, lambda row: f"{row['step_ms'][count]:.2f}"

    columns = [at(count) for count in counts]
    return table(columns, [{**row, "subject": f"{row['model']}, {row['subject']}"} for row in rows])


def best_table(rows: list[Row], sampling: str) -> str:
    """The best draft for each model, precision and number of candidates."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        if row["sampling"] == sampling:
            groups.setdefault((f"{row['model']}, {row['subject']}", row["n"]), []).append(row)
    best = [
        {**max(group, key=lambda row: float(row["speed_up"])), "subject": name} for (name, _), group in groups.items()
    ]
    columns: list[Column] = [
        ("candidates", lambda row: str(row["n"])),
        ("best draft", lambda row: f"{row['draft']}, k = {row['k']}"),
        ("times as fast", lambda row: f"{row['speed_up']:.2f}"),
    ]
    return f"**One channel, {sampling}**\n\n{table(columns, best)}"


def verdict(rows: list[Row]) -> str:
    """Whether any of it is worth building, for text that is sampled as stories are."""
    sampled = [row for row in rows if row["sampling"] != "greedy"]
    best = max(sampled, key=lambda row: float(row["speed_up"]))
    where = f"{best['draft']}, k = {best['k']}, n = {best['n']}, {best['model']}, {best['subject']}"
    if best["speed_up"] < PAYS:
        return f"Lost: sampled stories would be written at most {best['speed_up']:.2f} times as fast ({where})."
    return f"Pays at best: sampled stories would be written {best['speed_up']:.2f} times as fast ({where})."


def _distinct(rows: list[Row], name: str) -> list[Any]:
    return list(dict.fromkeys(row[name] for row in rows))
