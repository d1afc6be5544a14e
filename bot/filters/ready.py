"""The ready-made lists: what comes with the bot, by category and severity, and the innocent words that look alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from bot.filters.levels import Levels, Severity
from bot.filters.terms import Term, parse_term

LISTS = Path(__file__).parent / "lists"


def is_stopped(term: Term, levels: Levels) -> bool:
    """Whether the levels stop a listed term."""
    return levels.level(term.category).stops(term.severity)


@lru_cache(maxsize=1)
def innocent_words() -> frozenset[str]:
    """Words that only look like a disguise or a compound of a listed one."""
    lines = (LISTS / "innocent.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@lru_cache(maxsize=1)
def all_terms() -> tuple[Term, ...]:
    """The listed terms, whatever is chosen."""
    return tuple(_parse((LISTS / "words_en.txt").read_text(encoding="utf-8").splitlines()))


def _parse(lines: Iterable[str]) -> Iterator[Term]:
    """Sections `[category severity marks]` of terms with commas between; `core` and `alone` are marks."""
    category, severity, marks = "", Severity.STRONG, frozenset[str]()
    for line in lines:
        if line.startswith("["):
            category, level, *rest = line.strip("[]").split()
            severity, marks = Severity[level.upper()], frozenset(rest)
        elif not line.startswith("#"):
            for written in filter(None, map(str.strip, line.split(","))):
                plain = parse_term(category, written, severity)
                yield Term(
                    category,
                    written,
                    plain.words,
                    plain.is_prefix,
                    plain.is_suffix,
                    severity,
                    is_listed=True,
                    is_core="core" in marks,
                    is_ambiguous="alone" in marks,
                )
