"""All rules of a server, compiled: text in, verdict out."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.filters.base import ALLOWED, FILTER_ERROR, Action, Hit, Mode, TextKind, Verdict
from bot.filters.finders import Finder, Found, Scores, Text
from bot.filters.normalise import Normalised
from bot.filters.rules import Rule, RuleKind

log = logging.getLogger(__name__)

COVER = "▒"
NO_ROLES: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Judged:
    """A find and what became of it: `why` it counts or not, in words for moderators."""

    hit: Hit
    counts: bool
    why: str


@dataclass(frozen=True)
class Reading:
    """The text as one step reads it, with the spans of the original that it reads differently."""

    name: str
    text: str
    changed: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True)
class Trace:
    """Every step from a text to its verdict."""

    text: str
    kind: TextKind
    readings: tuple[Reading, ...]
    judged: tuple[Judged, ...]
    verdict: Verdict


class RuleSet:
    """What may be said. Immutable, so threads may share it; built by `compile_rules`.

    It fails closed: a text on which a rule breaks is refused.
    """

    def __init__(self, finders: Sequence[Finder], rules: Sequence[Rule]) -> None:
        self._finders = tuple(finders)
        self.wants_scores = any(rule.kind is RuleKind.CATEGORY for rule in rules)
        """Some rule is for a classifier's categories, so the caller asks the classifier first."""

    def check(
        self, text: str, kind: TextKind, *, roles: frozenset[int] = NO_ROLES, scores: Scores | None = None
    ) -> Verdict:
        """What is decided about the text. Never raises. `scores` are the classifier's; None where it failed."""
        try:
            return _verdict(text, self._judge(Text(text, scores), kind, roles))
        except Exception:
            # Any failure at all: a text that was not judged is not shown. The text itself stays out of the log.
            log.exception("A rule failed on a %s of %d characters, which is refused", kind, len(text))
            return Verdict.refuse(FILTER_ERROR, type(self).__name__)

    def explain(
        self, text: str, kind: TextKind, *, roles: frozenset[int] = NO_ROLES, scores: Scores | None = None
    ) -> Trace:
        """Likewise with every step, for whoever asks why. Raises where `check` would fail closed."""
        read = Text(text, scores)
        judged = self._judge(read, kind, roles)
        return Trace(text, kind, tuple(_readings(read)), tuple(judged), _verdict(text, judged))

    def banned_phrases(self, verdict: Verdict, text: str) -> tuple[str, ...]:
        """The words of the hits that refused the text, as they stand there, for the decoder to avoid."""
        whole = (0, len(text))
        written = (
            text[hit.start : hit.end].strip()
            for hit in verdict.hits
            if hit.action is Action.BLOCK and hit.mode is Mode.ON and (hit.start, hit.end) != whole
        )
        return tuple(dict.fromkeys(phrase for phrase in written if phrase))

    def _judge(self, text: Text, kind: TextKind, roles: frozenset[int]) -> list[Judged]:
        found: dict[tuple[str, int | None, str, int, int, Action], Found] = {}
        for finder in self._finders:
            for one in finder.find(text):
                key = (one.rule.name, one.rule.id, one.term, one.start, one.end, one.action)
                found.setdefault(key, one)
        if not found:
            return []
        applied = [(one, _not_applied(one.rule, kind, roles)) for one in found.values()]
        exceptions = _Exceptions(
            one for one, reason in applied if reason is None and one.action is Action.ALLOW and one.rule.mode is Mode.ON
        )
        judged = [_judge_one(one, reason, exceptions) for one, reason in applied]
        return sorted(judged, key=lambda one: (one.hit.start, -one.hit.end))


def _not_applied(rule: Rule, kind: TextKind, roles: frozenset[int]) -> str | None:
    """Why a rule is not for this text, or None where it is."""
    if rule.text_kinds and kind not in rule.text_kinds:
        return f"not for texts of the kind {kind}"
    if not rule.bypass_roles.isdisjoint(roles):
        return "the writer has a role that it does not hold for"
    return None


class _Exceptions:
    """Which exception a find lies within, in logarithmic time: a text may have a thousand of both."""

    def __init__(self, found: Iterable[Found]) -> None:
        self._starts: list[int] = []
        self._reaching: list[Found] = []
        """Of all exceptions up to a start, the one that ends last."""
        for one in sorted(found, key=lambda one: one.start):
            furthest = self._reaching[-1] if self._reaching else one
            self._starts.append(one.start)
            self._reaching.append(one if one.end > furthest.end else furthest)

    def around(self, start: int, end: int) -> Found | None:
        """An exception that holds all of the place."""
        before = bisect_right(self._starts, start)
        if not before or self._reaching[before - 1].end < end:
            return None
        return self._reaching[before - 1]


def _judge_one(one: Found, reason: str | None, exceptions: _Exceptions) -> Judged:
    rule = one.rule
    name = rule.name or one.term
    hit = Hit(name, rule.id, rule.category, one.action, one.start, one.end, rule.mode, one.score, one.term)
    if reason is None and one.action is not Action.ALLOW:
        around = exceptions.around(one.start, one.end)
        if around is not None:
            reason = f"lies within an exception, {around.rule.name}"
    if reason is not None:
        return Judged(hit, False, reason)
    if rule.mode is Mode.SHADOW:
        return Judged(hit, True, "only reported: the rule is in the shadow")
    return Judged(hit, True, "an exception" if one.action is Action.ALLOW else "counts")


def _verdict(text: str, judged: Iterable[Judged]) -> Verdict:
    hits = tuple(one.hit for one in judged if one.counts and one.hit.action is not Action.ALLOW)
    if not hits:
        return ALLOWED
    acting = [hit for hit in hits if hit.mode is Mode.ON]
    if not acting:
        return Verdict(True, hits=hits)
    first = max(acting, key=lambda hit: hit.action.strength)  # of equals, the first in the text
    masked = _cover(text, acting) if first.action is Action.MASK else None
    return Verdict(
        first.action is not Action.BLOCK,
        first.category,
        first.rule,
        first.start,
        first.end,
        first.action,
        hits,
        masked,
    )


def _cover(text: str, hits: Iterable[Hit]) -> str:
    """The text with its masked places covered; blanks stay, so that lines break as before."""
    characters = list(text)
    for hit in hits:
        if hit.action is Action.MASK:
            for position in range(hit.start, hit.end):
                if not characters[position].isspace():
                    characters[position] = COVER
    return "".join(characters)


def _readings(text: Text) -> Iterable[Reading]:
    previous = text.original
    for name, reading in (("folded", text.folded), ("symbols as letters", text.as_letters)):
        if reading.text != previous:
            yield Reading(name, reading.text, tuple(_changes(reading)))
        previous = reading.text


def _changes(reading: Normalised) -> Iterable[tuple[int, int, str]]:
    """The places of the original that are read as something else than themselves in small letters."""
    read: dict[int, str] = {}
    for character, origin in zip(reading.text, reading.origins, strict=True):
        read[origin] = read.get(origin, "") + character
    for position, character in enumerate(reading.original):
        now = read.get(position, "")
        if now not in (character, character.lower()):
            yield position, position + 1, now
