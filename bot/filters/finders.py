"""What looks for the hits of each kind of rule in one text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, Protocol

from bot.filters import links, shapes
from bot.filters.base import Action
from bot.filters.drawn import read_symbols_as_letters
from bot.filters.levels import LISTED, Levels
from bot.filters.normalise import Normalised, normalise
from bot.filters.patterns import check_pattern, pattern_set
from bot.filters.rules import Rule, RuleKind
from bot.filters.signs import find_signs

DEFAULT_BLOCK = 0.8
"""The score from which a classifier's category is acted on, where a rule names none."""

_NO_DRAWING = frozenset("=_(/")
"""A text in ASCII without one of these has no drawing."""

Scores = Mapping[str, float]


class Found(NamedTuple):
    """A rule's find, before exceptions and roles are looked at. `action` may be weaker than the rule's."""

    rule: Rule
    start: int
    end: int
    term: str
    action: Action
    score: float | None = None


class Text:
    """A text with its readings, each made when it is first asked for."""

    def __init__(self, original: str, scores: Scores | None = None) -> None:
        self.original = original
        self.scores = scores

    @cached_property
    def folded(self) -> Normalised:
        return normalise(self.original)

    @cached_property
    def as_letters(self) -> Normalised:
        return read_symbols_as_letters(self.folded)


class Finder(Protocol):
    """Finds what its rules look for."""

    def find(self, text: Text) -> Iterator[Found]: ...


class PatternFinder:
    """All patterns of all rules that are read in the same way."""

    def __init__(self, rules: Iterable[Rule], *, folded: bool) -> None:
        pairs = [(rule, written) for rule in rules for written in rule.patterns]
        self._rules = [rule for rule, _ in pairs]
        self._folded = folded
        self._patterns = [
            check_pattern(written, case_sensitive=bool(rule.options.get("case_sensitive", False)))
            for rule, written in pairs
        ]
        self._set = pattern_set(self._patterns)

    def find(self, text: Text) -> Iterator[Found]:
        reading = text.folded.text if self._folded else text.original
        if self._folded and reading == text.original.lower():
            return  # the other finder has read it
        for index, start, end in self._set.find(reading):
            rule = self._rules[index]
            place = text.folded.original_span(start, end) if self._folded else (start, end)
            yield Found(rule, *place, self._patterns[index].written, rule.action)


class SignFinder:
    """Drawings, at the levels of the ready-made lists."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels
        self._rules = {category: Rule("drawing", RuleKind.WORDS, category=category) for category in LISTED}

    def find(self, text: Text) -> Iterator[Found]:
        if text.original.isascii() and _NO_DRAWING.isdisjoint(text.original):
            return
        for sign in find_signs(text.original, self._levels):
            rule = self._rules[sign.category]
            yield Found(rule, sign.start, sign.end, text.original[sign.start : sign.end], rule.action)


class LinkFinder:
    """Links, invitations or mentions, for one rule."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._listed = tuple(written.lower() for written in rule.patterns)

    def find(self, text: Text) -> Iterator[Found]:
        if self._rule.kind is RuleKind.MENTIONS:
            yield from self._find_mentions(text)
            return
        look = links.find_links if self._rule.kind is RuleKind.LINKS else links.find_invites
        for place in look(text.folded.text):
            if self._is_meant(place.what):
                span = text.folded.original_span(place.start, place.end)
                yield Found(self._rule, *span, place.what, self._rule.action)

    def _is_meant(self, what: str) -> bool:
        if self._rule.kind is RuleKind.INVITES:
            return what not in self._listed
        is_listed = any(links.is_under(what, domain) for domain in self._listed)
        if self._rule.options.get("only_listed", False):
            return not is_listed
        return is_listed or not self._listed

    def _find_mentions(self, text: Text) -> Iterator[Found]:
        places = [
            place for place in links.find_mentions(text.original) if not self._listed or place.what in self._listed
        ]
        if len(places) > int(self._rule.options.get("max", 0)):
            for place in places:
                yield Found(self._rule, place.start, place.end, place.what, self._rule.action)


class ShapeFinder:
    """Shapes, for one rule."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._limits = {name: float(rule.options.get(name, shapes.SHAPES[name].limit)) for name in rule.patterns}

    def find(self, text: Text) -> Iterator[Found]:
        for name, start, end in shapes.find_shapes(text.original, self._limits):
            yield Found(self._rule, start, end, name, self._rule.action)


class CategoryFinder:
    """What a classifier said of the text, for one rule. Without its word, `fail` decides."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._block = float(rule.options.get("block", DEFAULT_BLOCK))
        self._flag = float(rule.options.get("flag", self._block))
        self._fails_closed = rule.options.get("fail", "allow") == "block"

    def find(self, text: Text) -> Iterator[Found]:
        for name in self._rule.patterns:
            score = None if text.scores is None else text.scores.get(name)
            action = self._act(score)
            if action is not None:
                yield Found(self._rule, 0, len(text.original), name, action, score)

    def _act(self, score: float | None) -> Action | None:
        if score is None or score != score:  # unknown, or not a number
            return self._rule.action if self._fails_closed else None
        if score >= self._block:
            return self._rule.action
        return Action.FLAG if score >= self._flag else None
