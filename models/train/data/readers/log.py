"""What a source says of itself while it is read: its files, what it held back, and whom to name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from models.train.data.files import TextFile


@dataclass(frozen=True, order=True)
class Credit:
    """One line of ATTRIBUTION.tsv."""

    source: str
    work: str
    author: str
    licence: str
    note: str = ""


@dataclass
class SourceLog:
    """Filled by the reader, in the order of reading; `notes` counts what was seen and left out, by reason."""

    files: list[TextFile] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    credits: list[Credit] = field(default_factory=list)
    details: dict[str, str] = field(default_factory=dict)
