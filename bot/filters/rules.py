"""What a rule of a server is, and whether it can be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from bot.errors import RuleError
from bot.filters import links, patterns, shapes, terms
from bot.filters.base import Action, Mode, TextKind
from bot.filters.levels import Tier

MAX_NAME = 60
MAX_PATTERNS = 1000
"""In one rule; a server may have many rules."""

Option = float | int | str | bool
NO_OPTIONS: Mapping[str, Option] = MappingProxyType({})


class RuleKind(StrEnum):
    """What a rule's patterns are."""

    WORDS = "words"  # `word`, `word*`, `*word`, `*word*`, `several words`
    REGEX = "regex"  # RE2's language
    LINKS = "links"  # domains; none: every link
    INVITES = "invites"  # codes of invitations that stay allowed
    MENTIONS = "mentions"  # users, roles, everyone; none: all of them
    SHAPE = "shape"  # caps, repeats, newlines, marks, length, emojis
    CATEGORY = "category"  # categories that a classifier gives scores for


@dataclass(frozen=True)
class Rule:
    """One rule as moderators see it. Empty `text_kinds` and `tiers` mean all; `channel_id` None, the whole server."""

    name: str
    kind: RuleKind
    patterns: tuple[str, ...] = ()
    category: str = "custom"
    action: Action = Action.BLOCK
    mode: Mode = Mode.ON
    text_kinds: frozenset[TextKind] = frozenset()
    bypass_roles: frozenset[int] = frozenset()
    tiers: frozenset[Tier] = frozenset()
    options: Mapping[str, Option] = field(default_factory=lambda: NO_OPTIONS, hash=False)
    id: int | None = None
    channel_id: int | None = None


OPTIONS: Mapping[RuleKind, Mapping[str, type]] = {
    RuleKind.WORDS: {"disguises": bool},
    RuleKind.REGEX: {"case_sensitive": bool, "disguises": bool},
    RuleKind.LINKS: {"only_listed": bool},
    RuleKind.INVITES: {},
    RuleKind.MENTIONS: {"max": int},
    RuleKind.SHAPE: dict.fromkeys(shapes.SHAPES, float),
    RuleKind.CATEGORY: {"flag": float, "block": float, "fail": str},
}


def check_rule(rule: Rule) -> None:
    """Raises RuleError with a sentence for whoever makes the rule."""
    if not rule.name.strip() or len(rule.name) > MAX_NAME:
        raise RuleError(f"A rule needs a name of 1 to {MAX_NAME} characters.")
    if not rule.category.strip() or len(rule.category) > MAX_NAME:
        raise RuleError(f"A rule needs a category of 1 to {MAX_NAME} characters; the writer is told it.")
    if len(rule.patterns) > MAX_PATTERNS:
        raise RuleError(f"A rule takes {MAX_PATTERNS:,} entries at most; this one has {len(rule.patterns):,}.")
    _check_options(rule)
    _CHECKS[rule.kind](rule)


def _check_options(rule: Rule) -> None:
    known = OPTIONS[rule.kind]
    for name, value in rule.options.items():
        wanted = known.get(name)
        if wanted is None:
            can = ", ".join(known) or "none"
            raise RuleError(f"A rule of kind {rule.kind} has no option “{name}”. It has: {can}.")
        if not _is_of(value, wanted):
            raise RuleError(f"The option “{name}” must be {_NAMES[wanted]}, not {value!r}.")


_NAMES = {bool: "true or false", int: "a whole number from 0", float: "a number from 0", str: "a word"}


def _is_of(value: object, wanted: type) -> bool:
    if wanted is bool or wanted is str:
        return isinstance(value, wanted)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value >= 0 and (wanted is float or isinstance(value, int))  # NaN is not >= 0


def _check_words(rule: Rule) -> None:
    _need_patterns(rule, "at least one word")
    for written in rule.patterns:
        try:
            terms.parse_term(rule.category, written)
        except ValueError as error:
            raise RuleError(f"“{written}” is no word or phrase that can be looked for: it needs {error}.") from error


def _check_regex(rule: Rule) -> None:
    _need_patterns(rule, "at least one pattern")
    for written in rule.patterns:
        patterns.check_pattern(written, case_sensitive=bool(rule.options.get("case_sensitive", False)))


def _check_links(rule: Rule) -> None:
    if rule.options.get("only_listed"):
        _need_patterns(rule, "at least one domain that stays allowed")
    for written in rule.patterns:
        if not links.is_domain(written):
            raise RuleError(f"“{written}” is no domain. Write it like example.com.")


def _check_invites(rule: Rule) -> None:
    for written in rule.patterns:
        if not links.is_invite_code(written):
            raise RuleError(f"“{written}” is no invitation’s code. It is what follows discord.gg/.")


def _check_mentions(rule: Rule) -> None:
    _need_known(rule, links.MENTION_NAMES, "mention")


def _check_shape(rule: Rule) -> None:
    _need_patterns(rule, "at least one shape")
    _refuse_exception(rule)
    _need_known(rule, tuple(shapes.SHAPES), "shape")
    for name in rule.options:
        if name not in rule.patterns:
            raise RuleError(f"There is a limit for “{name}”, but the rule does not look at it.")


def _check_category(rule: Rule) -> None:
    _need_patterns(rule, "at least one of the classifier’s categories")
    _refuse_exception(rule)
    for name in ("flag", "block"):
        if float(rule.options.get(name, 0)) > 1:
            raise RuleError(f"The option “{name}” is a score from 0 to 1.")
    if rule.options.get("fail", "allow") not in ("allow", "block"):
        raise RuleError("The option “fail” is allow or block: what happens while the classifier cannot be asked.")


def _need_patterns(rule: Rule, what: str) -> None:
    if not rule.patterns:
        raise RuleError(f"A rule of kind {rule.kind} needs {what}.")


def _need_known(rule: Rule, known: tuple[str, ...], what: str) -> None:
    for written in rule.patterns:
        if written not in known:
            raise RuleError(f"“{written}” is no {what}. There are: {', '.join(known)}.")


def _refuse_exception(rule: Rule) -> None:
    """A whole text is hit, so an exception would switch every other rule off."""
    if rule.action is Action.ALLOW:
        raise RuleError(f"A rule of kind {rule.kind} judges a text as a whole and cannot be an exception.")


_CHECKS = {
    RuleKind.WORDS: _check_words,
    RuleKind.REGEX: _check_regex,
    RuleKind.LINKS: _check_links,
    RuleKind.INVITES: _check_invites,
    RuleKind.MENTIONS: _check_mentions,
    RuleKind.SHAPE: _check_shape,
    RuleKind.CATEGORY: _check_category,
}
