"""From a record to the report: its tables and pictures, between the markers in `engine.md`.

A marker says where which figures go; the words around them are left alone::

    <!-- figures: speed -->
    … made anew each time …
    <!-- /figures -->
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from models.bench.figures import Row
from models.bench.plots import arrivals_plot, growth_plot, speed_plot
from models.bench.record import Record
from models.bench.sections import TITLES, make_sections
from models.bench.tables import SPEED

REPORT = "engine.md"
_MARKED = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)

Draw = Callable[[str, Sequence[Row], Path], None]


def write_report(record: Record, folder: Path) -> Path:
    """Makes the figures in `engine.md` anew, and the pictures beside it; makes the report where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REPORT
    text = path.read_text(encoding="utf-8") if path.exists() else "# The engine, measured\n"
    pictures = draw_all(record, folder)
    sections = {name: pictures.get(name, "") + tables for name, tables in make_sections(record).items()}
    path.write_text(fill(text, sections), encoding="utf-8")
    return path


def fill(text: str, sections: dict[str, str]) -> str:
    """The text with each section between its markers; one that has none comes at the end, under a title."""
    marked = {found[2] for found in _MARKED.finditer(text)}
    for name in (name for name in sections if name not in marked):
        text += f"\n## {TITLES[name]}\n\n<!-- figures: {name} -->\n<!-- /figures -->\n"
    return _MARKED.sub(
        lambda found: f"{found[1]}{sections[found[2]]}\n{found[3]}" if found[2] in sections else found[0], text
    )


def draw_all(record: Record, folder: Path) -> dict[str, str]:
    """Every picture that there are figures for; Markdown that shows them, by section."""
    rows = [row for row in record.get("rows", []) if "skipped" not in row]
    growth = [row for row in record.get("growth", []) if "skipped" not in row]
    kinds: dict[str, tuple[list[Row], Draw]] = {
        "speed": ([row for row in rows if row["workload"] in SPEED], speed_plot),
        "arrivals": ([row for row in rows if row["workload"] == "W4"], arrivals_plot),
        "growth": (growth, growth_plot),
    }
    return {name: _draw(name, found, draw, folder) for name, (found, draw) in kinds.items()}


def _draw(name: str, rows: Sequence[Row], draw: Draw, folder: Path) -> str:
    """A picture for each model."""
    shown = ""
    for model in dict.fromkeys(row["model"] for row in rows):
        file = f"engine-{name}-{model}.svg"
        draw(model, [row for row in rows if row["model"] == model], folder / file)
        shown += f"![{TITLES[name]}, {model}]({file})\n\n"
    return shown
