"""The record as pictures: SVG, the same bytes for the same figures. Each gets a model's rows, none of them skipped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.bench.figures import GOAL_S, Row
from models.bench.tables import SPEED

STYLE: Any = {  # matplotlib types the names one by one
    "svg.hashsalt": "talewright",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
}
OWN, OTHER = ("#b5542c", "#d98f5c", "#e8bf94"), ("#3d5a80", "#6f92b5", "#a9c1d9")
"""Shades for W1, W2 and W3: of this project's engine, and of the others."""


def speed_plot(model: str, rows: Sequence[Row], path: Path) -> None:
    """Tokens a second of every subject in W1, W2 and W3, fastest first."""
    by_subject: dict[str, dict[str, float]] = {}
    for row in rows:
        by_subject.setdefault(row["subject"], {})[row["workload"]] = row["tokens_s"]
    subjects = sorted(by_subject, key=lambda name: max(by_subject[name].values()))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 0.9 + 0.55 * len(subjects)), layout="constrained")
        axes = figure.add_subplot()
        for offset, workload in enumerate(SPEED):
            for place, subject in enumerate(subjects):
                speed = by_subject[subject].get(workload)
                if speed is None:
                    continue
                color = (OWN if subject.startswith("engine") else OTHER)[offset]
                y = place + 0.27 * (1 - offset)
                axes.barh(y, speed, height=0.25, color=color)
                axes.annotate(f"{workload}  {speed:.0f}", (speed, y), (3, 0), textcoords="offset points", va="center")
        axes.set_yticks(range(len(subjects)), subjects)
        axes.set_xlabel("tokens a second")
        axes.set_title(model, loc="left")
        axes.margins(x=0.12)
        _save(figure, path)


def arrivals_plot(model: str, rows: Sequence[Row], path: Path) -> None:
    """W4: from the median to the 95th percentile of the seconds to the first sentence and to the ballot."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 1.2 + 0.5 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        for place, row in enumerate(reversed(rows)):
            _span(axes, place + 0.15, row["sentence_p50_s"], row["sentence_p95_s"], OTHER[1])
            _span(axes, place - 0.15, row["ballot_p50_s"], row["ballot_p95_s"], OWN[0])
        axes.axvline(GOAL_S, color="#999999", linewidth=0.8, linestyle=":")
        axes.set_yticks(range(len(rows)), [row["subject"] for row in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("seconds, p50 to p95: above to the first sentence, below to the ballot")
        axes.set_title(f"{model}, W4", loc="left")
        _save(figure, path)


def growth_plot(model: str, rows: Sequence[Row], path: Path) -> None:
    """Seconds over each axis, to the end and (dotted) to the first token."""
    names = list(dict.fromkeys(row["axis"] for row in rows))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.2 * len(names), 3), layout="constrained")
        for place, axis in enumerate(names):
            axes = figure.add_subplot(1, len(names), place + 1)
            for color, subject in zip((OWN[0], OTHER[0], OTHER[2]), _subjects(rows), strict=False):
                line = sorted(
                    (row["x"], row["total_s"], row["first_token_s"])
                    for row in rows
                    if row["axis"] == axis and row["subject"] == subject
                )
                xs, totals, firsts = zip(*line, strict=True)
                axes.plot(xs, totals, color=color, marker="o", markersize=3, label=subject)
                axes.plot(xs, firsts, color=color, linestyle=":", linewidth=1)
            axes.set_xlabel(axis)
            axes.set_xticks(sorted({row["x"] for row in rows if row["axis"] == axis}))
            axes.tick_params(axis="x", labelrotation=60, labelsize=7)
            axes.set_ylim(bottom=0)
            if place == 0:
                axes.set_ylabel("seconds")
                axes.set_title(model, loc="left")
                axes.legend(frameon=False, loc="center right")
        _save(figure, path)


def _subjects(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["subject"] for row in rows))


def _span(axes: Axes, y: float, low: float | None, high: float | None, color: str) -> None:
    """A line from p50 to p95; an arrow where the end was not seen, nothing where neither was."""
    if low is None:
        return
    if high is None:
        axes.plot([low], [y], color=color, marker=">", markersize=6)
        return
    axes.plot([low, high], [y, y], color=color, linewidth=4, solid_capstyle="butt")
    axes.plot([low, high], [y, y], color=color, marker="|", markersize=9, linestyle="none")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None})
