"""A functional suite: short cases, each made to test one thing, in the columns of HateCheck (Röttger et al. 2021,
https://aclanthology.org/2021.acl-long.4)."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("functionality", "test_case", "label_gold")
GOLD = {"hateful": True, "non-hateful": False}


class BadSuite(Exception):
    """The file can't be used; the message says where and why."""


@dataclass(frozen=True)
class Case:
    """`target` is the group that it speaks of, empty for none. Cases of one `template` differ in little else."""

    id: str
    functionality: str
    text: str
    is_hateful: bool
    target: str
    template: str


def read_suite(path: Path) -> list[Case]:
    """Raises `BadSuite` and `OSError`."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        try:
            missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise BadSuite(f"{path} has no column {', '.join(missing)}; wanted are those of HateCheck")
            cases = [_case(row, number, path) for number, row in enumerate(reader, 1)]
        except (csv.Error, UnicodeDecodeError) as error:
            raise BadSuite(f"{path}: {error}") from error
    if not cases:
        raise BadSuite(f"{path} has no cases")
    return cases


def write_texts(cases: Sequence[Case], path: Path) -> None:
    """A line for each case, in their order, for judges that read texts from a file."""
    lines = (" ".join(case.text.split()) for case in cases)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _case(row: Mapping[str, str | None], number: int, path: Path) -> Case:
    text, functionality, gold = (row[name] or "" for name in ("test_case", "functionality", "label_gold"))
    if gold not in GOLD:
        raise BadSuite(f"{path}, case {number}: label_gold is {gold!r}; it must be one of {', '.join(GOLD)}")
    if not text.strip() or not functionality:
        raise BadSuite(f"{path}, case {number}: its text or its functionality is empty")
    name = row.get("case_id") or str(number)
    template = row.get("templ_id") or f"case {name}"
    return Case(name, functionality, text, GOLD[gold], (row.get("target_ident") or "").strip(), template)
