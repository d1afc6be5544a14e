"""A section as a picture: SVG, the same text for the same numbers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.evaluate.numbers import Number
from models.evaluate.report.markdown import ARROWS
from models.evaluate.section import Column, Row, Section

COLORS = ("#b5542c", "#3d5a80", "#7a9e3f", "#8a5a9e", "#c79a2b", "#4a8f8f")
STYLE: Any = {  # matplotlib types the names one by one
    "svg.hashsalt": "talewright",
    "svg.fonttype": "none",
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "grid.color": "#e3ded6",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
_ROW_INCHES = 0.3
_PANEL_INCHES = 2.6
_PANELS_IN_A_ROW = 3


def section_plot(section: Section) -> str | None:
    """Each plotted column as a panel: a point and its interval for every row. None where there is nothing to show."""
    columns = [c for c in section.columns if c.is_plotted and _shown(section, c)]
    if not columns:
        return None
    rows = [row for row in section.rows if any(row.numbers.get(c.key) for c in columns)]
    models = list(dict.fromkeys(row.model for row in section.rows))
    across = min(len(columns), _PANELS_IN_A_ROW)
    down = -(-len(columns) // across)
    with mpl.rc_context(STYLE):
        height = down * (0.75 + _ROW_INCHES * len(rows))
        figure = Figure(figsize=(2.4 + _PANEL_INCHES * across, height), layout="constrained")
        for place, column in enumerate(columns):
            axes = figure.add_subplot(down, across, place + 1)
            _panel(axes, column, rows, models, has_names=place % across == 0)
        return to_svg(figure)


def scatter_plot(section: Section, x: str, y: str, *, is_log: bool) -> str | None:
    """Rows as numbered points between two of the section's columns, with their intervals; their names stand beside.

    A row that has only the height, such as that of the stories themselves, is a line.
    """
    by_key = {column.key: column for column in section.columns}
    rows = [row for row in section.rows if row.numbers.get(x) and row.numbers.get(y)]
    if not rows:
        return None
    with mpl.rc_context({**STYLE, "axes.grid.axis": "both"}):
        figure = Figure(figsize=(10.5, 5.2), layout="constrained")
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            _point(axes, place, row.numbers.get(x), row.numbers.get(y), row.group)
        for row in section.rows:
            if (height := row.numbers.get(y)) is not None and row.numbers.get(x) is None and not row.group:
                axes.axhline(height.value, color="#6b6256", linestyle=":", linewidth=1.2, label=row.model)
        axes.set_yscale("log" if is_log else "linear")
        if is_log:
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("{x:g}")
            axes.tick_params(axis="y", which="minor", labelsize=7)
        axes.set_xlabel(by_key[x].title + ARROWS[by_key[x].better])
        axes.set_ylabel(by_key[y].title + ARROWS[by_key[y].better])
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8, handletextpad=0.3)
        return to_svg(figure)


def to_svg(figure: Figure) -> str:
    """The drawing alone, without the lines that only a file of its own needs."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def _panel(axes: Axes, column: Column, rows: Sequence[Row], models: Sequence[str], *, has_names: bool) -> None:
    scale = 100 if column.is_share else 1
    for place, row in enumerate(rows):
        number = row.numbers.get(column.key)
        if number is None:
            continue
        color = COLORS[models.index(row.model) % len(COLORS)]
        if number.low is not None and number.high is not None:
            axes.plot([scale * number.low, scale * number.high], [place, place], color=color, linewidth=2.5, alpha=0.45)
        axes.plot([scale * number.value], [place], color=color, marker="o", markersize=5)
    names = [" · ".join(part for part in (row.model, row.group) if part) for row in rows]
    axes.set_yticks(range(len(rows)), names if has_names else [""] * len(rows))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.08)
    axes.set_title(column.title + (", %" if column.is_share else "") + ARROWS[column.better], loc="left", fontsize=9)


def _point(axes: Axes, place: int, x: Number | None, y: Number | None, name: str) -> None:
    assert x is not None  # noqa: S101  # the caller has looked
    assert y is not None  # noqa: S101
    color = COLORS[place % len(COLORS)]
    for ends, at in ((x, "x"), (y, "y")):
        if ends.low is not None and ends.high is not None:
            span = [ends.low, ends.high]
            across, up = (span, [y.value] * 2) if at == "x" else ([x.value] * 2, span)
            axes.plot(across, up, color=color, alpha=0.3, linewidth=1.3, zorder=2)
    axes.plot([x.value], [y.value], color=color, marker="o", markersize=11, linestyle="none", zorder=3)
    axes.annotate(str(place + 1), (x.value, y.value), color="white", ha="center", va="center", fontsize=7, zorder=4)
    axes.plot([], [], color=color, marker="o", markersize=6, linestyle="none", label=f"{place + 1}  {name}")


def _shown(section: Section, column: Column) -> bool:
    return any(row.numbers.get(column.key) is not None for row in section.rows)
