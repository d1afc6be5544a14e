"""Compiles rules, ready-made lists and a host's own words into what judges every text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from weakref import WeakValueDictionary

from bot.errors import RuleError
from bot.filters.base import Mode
from bot.filters.finders import CategoryFinder, Finder, LinkFinder, PatternFinder, ShapeFinder, SignFinder
from bot.filters.levels import Levels, Tier
from bot.filters.patterns import MAX_TOTAL, check_pattern
from bot.filters.ready import all_terms, innocent_words, is_stopped
from bot.filters.rules import Rule, RuleKind, check_rule
from bot.filters.ruleset import RuleSet
from bot.filters.terms import Term, parse_term
from bot.filters.wordfinder import ListedTerm, WordFinder
from bot.filters.words import load_words

MAX_RULES = 500
MAX_TERMS = 20_000
MAX_PATTERNS = 500


def compile_rules(
    rules: Sequence[Rule],
    tier: Tier = Tier.GENERAL,
    levels: Levels | None = None,
    extra_terms: Iterable[Term] = (),
) -> RuleSet:
    """The server's rules over the ready-made lists at its levels, and a host's words, which always hold.

    May take a while, so it belongs into a thread. Raises RuleError for a rule that cannot be used, or too much of them.
    """
    chosen = Levels.of_tier(tier) if levels is None else levels
    active = [rule for rule in rules if rule.mode is not Mode.OFF and (not rule.tiers or tier in rule.tiers)]
    check_rules([active])
    words = _word_finder([rule for rule in active if rule.kind is RuleKind.WORDS], chosen, extra_terms)
    return RuleSet([words, *_other_finders(active), SignFinder(chosen)], active)


def check_rules(places: Iterable[Sequence[Rule]]) -> None:
    """All that `compile_rules` may refuse of the rules that hold together in each of some places, and much quicker.

    Belongs into a thread. Raises RuleError for a rule that cannot be used, or too much of them.
    """
    places = list(places)
    for rule in {id(rule): rule for rules in places for rule in rules}.values():
        check_rule(rule)
    for rules in places:
        _check_counts(rules)


def build_chain(word_files: Sequence[Path]) -> RuleSet:
    """The ready-made lists and the host's files. Raises `ConfigError` for a file that cannot be used."""
    return compile_rules((), extra_terms=[term for path in word_files for term in load_words(path)])


def _check_counts(rules: Sequence[Rule]) -> None:
    if len(rules) > MAX_RULES:
        raise RuleError(f"A server may have {MAX_RULES} rules; these are {len(rules)}.")
    words = sum(len(rule.patterns) for rule in rules if rule.kind is RuleKind.WORDS)
    if words > MAX_TERMS:
        raise RuleError(f"A server may list {MAX_TERMS:,} words and phrases; these are {words:,}.")
    patterns = [
        check_pattern(written, case_sensitive=bool(rule.options.get("case_sensitive", False)))
        for rule in rules
        if rule.kind is RuleKind.REGEX
        for written in rule.patterns
    ]
    if len(patterns) > MAX_PATTERNS:
        raise RuleError(f"A server may have {MAX_PATTERNS} patterns; these are {len(patterns):,}.")
    size = sum(pattern.size for pattern in patterns)
    if size > MAX_TOTAL:
        raise RuleError(f"The patterns are too large together: {size:,} steps, and {MAX_TOTAL:,} are allowed.")


_word_finders: WeakValueDictionary[tuple[tuple[Rule, ...], Levels, tuple[Term, ...]], WordFinder] = (
    WeakValueDictionary()
)


def _word_finder(rules: Sequence[Rule], levels: Levels, extra_terms: Iterable[Term]) -> WordFinder:
    """Of the rules on words and all lists; the one that some compiled rules have already, where there is one."""
    key = (tuple(rules), levels, tuple(extra_terms))
    finder = _word_finders.get(key)
    if finder is None:
        ready = [one for one in _ready() if is_stopped(one.term, levels)]
        own = [ListedTerm(parse_term(rule.category, written), rule) for rule in rules for written in rule.patterns]
        finder = WordFinder([*own, *ready, *map(_as_rule, key[2])], innocent_words())
        _word_finders[key] = finder
    return finder


def _other_finders(rules: Sequence[Rule]) -> list[Finder]:
    finders: list[Finder] = []
    with_patterns = [rule for rule in rules if rule.kind is RuleKind.REGEX]
    if with_patterns:
        finders.append(PatternFinder(with_patterns, folded=False))
        folded = [
            rule
            for rule in with_patterns
            if rule.options.get("disguises", True) and not rule.options.get("case_sensitive")
        ]
        finders.append(PatternFinder(folded, folded=True))
    for rule in rules:
        kind = _ONE_BY_ONE.get(rule.kind)
        if kind is not None:
            finders.append(kind(rule))
    return finders


_ONE_BY_ONE: Mapping[RuleKind, Callable[[Rule], Finder]] = {
    RuleKind.LINKS: LinkFinder,
    RuleKind.INVITES: LinkFinder,
    RuleKind.MENTIONS: LinkFinder,
    RuleKind.SHAPE: ShapeFinder,
    RuleKind.CATEGORY: CategoryFinder,
}


@lru_cache(maxsize=1)
def _ready() -> tuple[ListedTerm, ...]:
    """Made once: all compiled rules share them."""
    return tuple(map(_as_rule, all_terms()))


def _as_rule(term: Term) -> ListedTerm:
    """A listed word is a rule of its own, named as it is written."""
    return ListedTerm(term, replace(_LISTED, name=term.written, category=term.category))


_LISTED = Rule("", RuleKind.WORDS)
