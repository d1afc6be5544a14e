"""Moderators' patterns: RE2's language only, whose time is linear in the text whatever the pattern."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from weakref import WeakValueDictionary

import re2

from bot.errors import RuleError

MAX_LENGTH = 500
MAX_PROGRAM = 3000
"""Instructions of one compiled pattern. `\\pL+` alone has 1,200; `(a?){1000}` has 2,000."""
MAX_TOTAL = 60_000
"""Instructions of all patterns together."""
MAX_SPANS = 100
"""Of one pattern in one text; the rest says nothing new."""

_ALWAYS = b"\x01always\x02"
"""Put behind every text, and looked for as one pattern more. The empty pattern is that in a set."""

_PROBES = (
    "A quiet morning by the harbour.",
    "she ran, laughed & fell",
    "Why not? “Nobody knows!”",
    "ЛИСА ПОШЛА В ЛЕС",
    "42 + 17 = 59",
    "昔々、山がありました",
    "…",
)
"""Texts with so little in common that only a pattern for everything finds something in each."""

_HELP = {
    "invalid perl operator: (?=": "look-ahead, `(?=…)`",
    "invalid perl operator: (?!": "look-ahead, `(?!…)`",
    "invalid perl operator: (?<": "look-behind, `(?<=…)` or `(?<!…)`",
    "invalid perl operator: (?>": "atomic groups, `(?>…)`",
    "bad repetition operator": "possessive or doubled repetition, such as `a++` or `a**`",
}


class Pattern:
    """One compiled pattern. Immutable, so threads may share it."""

    def __init__(self, written: str, *, case_sensitive: bool = False) -> None:
        self.written = written
        self.case_sensitive = case_sensitive
        self._regexp = _compile(written, case_sensitive)
        self.size = max(self._regexp.programsize, self._regexp.reverseprogramsize)

    def spans(self, encoded: bytes) -> list[tuple[int, int]]:
        """Where it stands in UTF-8 text, in bytes. Empty finds are left out."""
        found = []
        for match in self._regexp.finditer(encoded):
            if match.end() > match.start():
                found.append((match.start(), match.end()))
                if len(found) == MAX_SPANS:
                    break
        return found


_checked: WeakValueDictionary[tuple[str, bool], Pattern] = WeakValueDictionary()
"""Those that some compiled rules are made of, so a change of one rule compiles no other's patterns."""


def check_pattern(written: str, *, case_sensitive: bool = False) -> Pattern:
    """The pattern, compiled. Raises RuleError with a sentence where it cannot be used."""
    known = _checked.get((written, case_sensitive))
    if known is None:
        known = _checked[written, case_sensitive] = _compile_checked(written, case_sensitive)
    return known


def _compile_checked(written: str, case_sensitive: bool) -> Pattern:
    if not written.strip():
        raise RuleError("A pattern must not be empty.")
    if len(written) > MAX_LENGTH:
        raise RuleError(f"A pattern may have {MAX_LENGTH} characters; this one has {len(written):,}.")
    pattern = Pattern(written, case_sensitive=case_sensitive)
    if pattern.size > MAX_PROGRAM:
        raise RuleError(
            f"The pattern “{_short(written)}” is too large: {pattern.size:,} steps, and {MAX_PROGRAM:,} are allowed. "
            "Large repetitions such as {1000} and classes such as \\pL inside of them are the usual reason."
        )
    if pattern._regexp.fullmatch(b"") is not None:
        raise RuleError(
            f"The pattern “{_short(written)}” matches the empty text, so it would find nothing in particular."
        )
    if all(pattern.spans(probe.encode()) for probe in _PROBES):
        raise RuleError(f"The pattern “{_short(written)}” finds something in every text.")
    return pattern


class PatternSet:
    """Many patterns in one pass over the text; then only those that may be there are asked where. Immutable.

    Nearly every pattern has letters without which it finds nothing, so those are looked for first. All patterns in one
    automaton would be as quick on prose, but on a text of random letters it has a new state for every letter.
    """

    def __init__(self, found: Sequence[Pattern]) -> None:
        self._patterns = tuple(found)
        self._letters = _compile_filter(found)
        at_any_time = set(self._letters.Match(b"", True) or ())
        self._sets = [_compile_set(found, at_any_time, sensitive) for sensitive in (False, True)]
        self._with_letters = [index for index in range(len(found)) if index not in at_any_time]

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """Index of the pattern, start and end in code points, in the patterns' order."""
        encoded = text.encode("utf-8", "replace")  # half a surrogate pair becomes one `?`, so places stay the same
        hits = []
        for index in self._candidates(encoded):
            for start, end in self._patterns[index].spans(encoded):
                hits.append((index, _characters(encoded, start), _characters(encoded, end)))
        return hits

    def _candidates(self, encoded: bytes) -> list[int]:
        """Indexes of the patterns that may find something. Where RE2 has run out of memory, all of its patterns."""
        found: set[int] = set()
        if self._with_letters:
            # RE2 reports a lack of memory as no match, so there is one pattern more that always matches.
            matches = self._letters.Match(encoded + _ALWAYS, True) or ()
            found.update(matches if len(self._patterns) in matches else self._with_letters)
            found.discard(len(self._patterns))
            found.intersection_update(self._with_letters)
        for indexes, one in self._sets:
            if one is None:
                continue
            matches = one.Match(encoded) or ()
            found.update([indexes[n] for n in matches if n < len(indexes)] if len(indexes) in matches else indexes)
        return sorted(found)


_sets: WeakValueDictionary[tuple[Pattern, ...], PatternSet] = WeakValueDictionary()


def pattern_set(found: Sequence[Pattern]) -> PatternSet:
    """Of these patterns, in this order; one that some compiled rules have already, where there is one."""
    key = tuple(found)
    known = _sets.get(key)
    if known is None:
        known = _sets[key] = PatternSet(key)
    return known


def _compile_filter(patterns: Sequence[Pattern]) -> re2.Filter:
    """The letters that each pattern cannot do without."""
    one = re2.Filter()
    for pattern in patterns:
        one.Add(pattern.written.encode(), _options(pattern.case_sensitive))
    one.Add(_ALWAYS, _options(False))
    one.Compile()
    return one


def _compile_set(
    patterns: Sequence[Pattern], some: Collection[int], sensitive: bool
) -> tuple[list[int], re2.Set | None]:
    """Those of some patterns that are of one case, and RE2's set of them."""
    indexes = [index for index in sorted(some) if patterns[index].case_sensitive is sensitive]
    if not indexes:
        return [], None
    one = re2.Set.SearchSet(_options(sensitive))
    for index in indexes:
        one.Add(patterns[index].written.encode())
    one.Add(b"")  # matches always
    one.Compile()
    return indexes, one


def _characters(encoded: bytes, until: int) -> int:
    return len(encoded[:until].decode("utf-8", "ignore"))


def _compile(written: str, case_sensitive: bool) -> re2._Regexp:
    try:
        return re2.compile(written.encode(), _options(case_sensitive))
    except (re2.error, UnicodeEncodeError) as error:
        raise RuleError(_explain(written, error)) from error


def _options(case_sensitive: bool) -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = case_sensitive
    options.never_capture = True
    return options


def _explain(written: str, error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "The pattern has half a character in it."
    said = error.args[0]
    said = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    refused = next((name for key, name in _HELP.items() if said.startswith(key)), None)
    if said.startswith("invalid escape sequence: \\") and said[-1:].isdigit():
        refused = "back-references, such as `\\1`"
    if refused is not None:
        return f"The pattern “{_short(written)}” uses what is not supported here, since it can take forever: {refused}."
    return f"The pattern “{_short(written)}” cannot be read: {said}."


def _short(written: str) -> str:
    return written if len(written) <= 80 else written[:79] + "…"
