"""The word list filter: whole words and phrases, seen through common disguises; innocent look-alikes are left alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.errors import ConfigError
from bot.filters.base import ALLOWED, TextKind, Verdict
from bot.filters.normalise import Normalised, normalise, read_symbols_as_letters
from bot.filters.terms import Term, TermIndex, parse_term


class WordListFilter:
    """Refuses text that contains a term. Compiled once; a check is linear in the text, whatever the number of terms.

    Words match as wholes ("class" is no hit for a term within it), in any case, with accents, look-alike letters and
    invisible characters seen through, and digits or symbols read as letters. Words that are spaced out, stuttered,
    masked with stars or glued to others are not found. In scripts without blanks between words a run counts as one.
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._index = TermIndex(terms)

    def check(self, text: str, kind: TextKind) -> Verdict:
        """A refusal at the first term, the plain reading before the one with symbols as letters. All kinds alike."""
        plain = normalise(text)
        verdict = self._check(plain)
        if not verdict.allowed:
            return verdict
        read = read_symbols_as_letters(plain)
        return verdict if read is plain else self._check(read)

    def _check(self, reading: Normalised) -> Verdict:
        found = self._index.first_in(reading.text)
        if found is None:
            return ALLOWED
        term, start, end = found
        return Verdict.refuse(term.category, term.written, *reading.original_span(start, end))


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
