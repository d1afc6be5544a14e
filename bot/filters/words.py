"""A host's own word lists: files of `category: word` lines."""

from __future__ import annotations

from pathlib import Path

from bot.errors import ConfigError
from bot.filters.terms import Term, parse_term


def load_words(path: Path) -> list[Term]:
    """Reads `category: word` lines. Blank lines and those that begin with `#` are skipped.

    Raises `ConfigError` naming the file, and the line where one is at fault.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("FILTER_WORDS", f"{path}, which cannot be read ({error})", "a UTF-8 text file") from error
    terms = []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            terms.append(_read_line(path, number, line))
    return terms


def _read_line(path: Path, number: int, line: str) -> Term:
    category, colon, written = (part.strip() for part in line.partition(":"))
    wanted = "`category: word`"
    if colon and category:
        try:
            return parse_term(category, written)
        except ValueError as error:
            wanted = f"`category: word` with {error}"
    raise ConfigError("FILTER_WORDS", f"{line.strip()!r} in {path}, line {number}", wanted)
