"""Compiles rules, ready-made lists and a host's own words into what judges every text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.errors import RuleError
from bot.filters.base import Mode
from bot.filters.finders import CategoryFinder, Finder, LinkFinder, PatternFinder, ShapeFinder, SignFinder
from bot.filters.levels import Levels, Tier
from bot.filters.patterns import MAX_TOTAL, check_pattern
from bot.filters.ready import innocent_words, ready_terms
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
    for rule in active:
        check_rule(rule)
    _check_counts(active)
    listed = [*ready_terms(chosen), *extra_terms]
    return RuleSet([*_finders(active, listed), SignFinder(chosen)], active)


def build_chain(word_files: Sequence[Path]) -> RuleSet:
    """The ready-made lists and the host's files. Raises `ConfigError` for a file that cannot be used."""
    return compile_rules((), extra_terms=[term for path in word_files for term in load_words(path)])


def _check_counts(rules: Sequence[Rule]) -> None:
    if len(rules) > MAX_RULES:
        raise RuleError(f"A server may have {MAX_RULES} rules; these are {len(rules)}.")
    words = sum(len(rule.patterns) for rule in rules if rule.kind is RuleKind.WORDS)
    if words > MAX_TERMS:
        raise RuleError(f"A server may list {MAX_TERMS:,} words and phrases; these are {words:,}.")
    patterns = [written for rule in rules if rule.kind is RuleKind.REGEX for written in rule.patterns]
    if len(patterns) > MAX_PATTERNS:
        raise RuleError(f"A server may have {MAX_PATTERNS} patterns; these are {len(patterns):,}.")
    size = sum(check_pattern(written).size for written in patterns)
    if size > MAX_TOTAL:
        raise RuleError(f"The patterns are too large together: {size:,} steps, and {MAX_TOTAL:,} are allowed.")


def _finders(rules: Sequence[Rule], listed: Iterable[Term]) -> list[Finder]:
    finders: list[Finder] = [WordFinder([*_terms_of(rules), *map(_as_rule, listed)], innocent_words())]
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


def _terms_of(rules: Sequence[Rule]) -> Iterable[ListedTerm]:
    for rule in rules:
        if rule.kind is RuleKind.WORDS:
            for written in rule.patterns:
                yield ListedTerm(parse_term(rule.category, written), rule)


def _as_rule(term: Term) -> ListedTerm:
    """A listed word is a rule of its own, named as it is written."""
    return ListedTerm(term, replace(_LISTED, name=term.written, category=term.category))


_LISTED = Rule("", RuleKind.WORDS)
