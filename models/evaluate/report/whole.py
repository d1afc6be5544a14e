"""A report: its header and its sections; written as three files, read from one, put beside others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.evaluate.header import Header
from models.evaluate.report.markdown import to_markdown
from models.evaluate.report.page import to_page
from models.evaluate.section import Row, Section

NAME = "report"
VERSION = 1


class BadReport(Exception):
    """A report can't be read; the message says which and why."""


@dataclass(frozen=True)
class Report:
    """`extras` go into the JSON beside header and sections."""

    title: str
    header: Header
    sections: tuple[Section, ...]
    extras: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "version": VERSION,
            "title": self.title,
            "header": self.header.to_json(),
            **self.extras,
            "sections": [section.to_json() for section in self.sections],
        }


def write_json(report: Report, path: Path) -> None:
    """Everything, candidates included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_folder(report: Report, folder: Path) -> Path:
    """``report.json``, ``report.md`` and ``report.html``; gives the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(report, folder / f"{NAME}.json")
    markdown = to_markdown(report.title, report.header, report.sections)
    (folder / f"{NAME}.md").write_text(markdown, encoding="utf-8")
    page = folder / f"{NAME}.html"
    page.write_text(to_page(report.title, report.header, report.sections), encoding="utf-8")
    return page


def read_sections(path: Path) -> list[Section]:
    """Of a report that was written before. Raises `BadReport`."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        if said.get("version") != VERSION:
            raise BadReport(f"{path}: version {said.get('version')!r} is not {VERSION}")
        return [Section.from_json(section) for section in said["sections"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadReport(f"{path} is no report of talewright evaluate: {error!r}") from error


def beside(sections: Sequence[Section], others: Mapping[str, Sequence[Section]]) -> tuple[Section, ...]:
    """Rows of other reports under those of this one, section by section, each with the name of its report.

    Where a section was measured with other settings, its rows say so: such numbers do not compare.
    """
    merged = []
    for section in sections:
        rows = list(section.rows)
        for name, theirs in others.items():
            for other in theirs:
                if other.key == section.key:
                    rows += [_borrowed(row, name, _difference(section, other)) for row in other.rows]
        merged.append(replace(section, rows=tuple(rows)))
    known = {section.key for section in sections}
    for name, theirs in others.items():
        for other in theirs:
            if other.key not in known:
                merged.append(replace(other, rows=tuple(_borrowed(row, name, "") for row in other.rows)))
                known.add(other.key)
    return tuple(merged)


def _borrowed(row: Row, name: str, difference: str) -> Row:
    note = "; ".join(part for part in (row.note, difference) if part)
    return replace(row, model=f"{row.model} ({name})", note=note)


def _difference(section: Section, other: Section) -> str:
    if section.is_here_only and section.settings.get("machine") != other.settings.get("machine"):
        return "measured on another machine"
    differing = sorted(
        key
        for key in section.settings.keys() | other.settings.keys()
        if section.settings.get(key) != other.settings.get(key)
    )
    return f"other settings: {', '.join(differing)}" if differing else ""
