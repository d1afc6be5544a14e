"""A picture of a run's curves: loss, validation loss and learning rate over the tokens seen."""

from __future__ import annotations

from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Rows = list[dict[str, float]]


def draw_curves(rows: Rows, path: Path) -> None:
    """Writes the picture in the format that the path's ending names, from the rows of ``metrics.csv``."""
    figure = Figure(figsize=(8, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    _line(above, rows, "loss", "training", linewidth=1, color="tab:blue")
    _line(above, rows, "eval_loss", "validation", marker="o", markersize=3, color="tab:orange")
    above.set_ylabel("loss (nats per token)")
    if above.lines:
        above.legend()
    _line(below, rows, "learning_rate", "learning rate", color="tab:gray")
    below.set_ylabel("learning rate")
    below.set_xlabel("tokens seen")
    for axes in (above, below):
        axes.grid(alpha=0.3)
    # Neither the time nor random names inside: the same run draws the same file.
    with rc_context({"svg.hashsalt": "talewright"}):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _line(axes: Axes, rows: Rows, column: str, label: str, **style: object) -> None:
    points = [(row["tokens"], row[column]) for row in rows if column in row]
    if points:
        axes.plot([x for x, _ in points], [y for _, y in points], label=label, **style)  # type: ignore[arg-type]
