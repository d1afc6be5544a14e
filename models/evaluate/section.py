"""A part of a report: what one measure found, in a shape that JSON, tables and plots are all made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from models.evaluate.numbers import Number


class Better(StrEnum):
    """Which way a number should go."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = ""


@dataclass(frozen=True)
class Column:
    """One number of each row. `is_share` ones are shown in percent; `is_plotted` ones have a picture."""

    key: str
    title: str
    better: Better = Better.NEITHER
    digits: int = 3
    is_share: bool = False
    is_plotted: bool = False

    def show(self, value: float) -> str:
        return f"{100 * value:.1f} %" if self.is_share else f"{value:.{self.digits}f}"

    def to_json(self) -> dict[str, Any]:
        said = {"key": self.key, "title": self.title, "better": self.better.value, "digits": self.digits}
        return said | {"is_share": self.is_share, "is_plotted": self.is_plotted}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Column:
        return cls(**{**said, "better": Better(said["better"])})


@dataclass(frozen=True)
class Row:
    """What was found for `model`; `group` is the text, arm or strategy. `note` says why numbers are missing.

    `details` are the values of the single documents or prompts, for whoever wants to look closer.
    """

    model: str
    group: str
    numbers: Mapping[str, Number | None] = field(default_factory=dict)
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        numbers = {key: None if number is None else number.to_json() for key, number in self.numbers.items()}
        return {
            "model": self.model,
            "group": self.group,
            "numbers": numbers,
            "note": self.note,
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Row:
        numbers = {key: None if n is None else Number.from_json(n) for key, n in said["numbers"].items()}
        return cls(said["model"], said["group"], numbers, said["note"], said["details"])


@dataclass(frozen=True)
class Sample:
    """Texts to look at: `texts` are pairs of a label and what stands there."""

    title: str
    texts: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "texts": [list(pair) for pair in self.texts]}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Sample:
        return cls(said["title"], tuple((label, text) for label, text in said["texts"]))


@dataclass(frozen=True)
class Section:
    """`about` says in a few sentences what is measured and how; `settings` are all that the numbers depend on.

    `unit` is what intervals are drawn over. `is_here_only`: numbers of this machine, not to be compared with others'.
    """

    key: str
    title: str
    about: str
    settings: Mapping[str, Any]
    unit: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    is_here_only: bool = False
    samples: tuple[Sample, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "title": self.title,
            "about": self.about,
            "settings": dict(self.settings),
            "unit": self.unit,
            "is_here_only": self.is_here_only,
            "columns": [column.to_json() for column in self.columns],
            "rows": [row.to_json() for row in self.rows],
            "samples": [sample.to_json() for sample in self.samples],
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Section:
        return cls(
            key=said["key"],
            title=said["title"],
            about=said["about"],
            settings=said["settings"],
            unit=said["unit"],
            columns=tuple(map(Column.from_json, said["columns"])),
            rows=tuple(map(Row.from_json, said["rows"])),
            is_here_only=said["is_here_only"],
            samples=tuple(map(Sample.from_json, said["samples"])),
        )
