"""The rules that hold in each channel, compiled: kept ready, and made anew where moderators changed something."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from bot.errors import RuleError
from bot.filters import Levels, Rule, RuleSet, Tier, compile_rules, load_words
from bot.service.filtering.choice import Choice, levels_of, rules_in, tier_of
from bot.service.filtering.codec import choice_of, rule_of
from bot.service.filtering.known import Place
from bot.service.filtering.shared import Shared
from bot.store import Store, StoredRule

log = logging.getLogger(__name__)

MAX_SERVERS, MAX_SETS = 1000, 128
"""How many servers' rules are kept as they are, and compiled; places with the same rules share a compiled set."""
Compile = Callable[[Sequence[Rule], Tier, Levels], RuleSet]
"""Makes a judge of rules. May take a while, so it runs in a thread; raises RuleError."""


def compiler(word_files: Sequence[Path] = ()) -> Compile:
    """One that adds the host's own lists to every server's rules. Raises ConfigError for a file that can't be used."""
    terms = [term for path in word_files for term in load_words(path)]

    def compile_with(rules: Sequence[Rule], tier: Tier, levels: Levels) -> RuleSet:
        return compile_rules(rules, tier, levels, terms)

    return compile_with


@dataclass(frozen=True)
class ServerRules:
    """A server's rules and choices as they are now. `problem` says which rule can't be read, None where all can."""

    stored: tuple[StoredRule, ...] = ()
    rules: tuple[Rule, ...] = ()
    choices: dict[int | None, Choice] | None = None
    problem: str | None = None

    def choices_for(self, place: Place) -> list[Choice]:
        """From the server's to the place's own."""
        return [self.choice(one) for one in places_of(place)]

    def choice(self, channel_id: int | None) -> Choice:
        """What this place chose itself."""
        return (self.choices or {}).get(channel_id, Choice())

    def tier_for(self, place: Place) -> Tier:
        return tier_of(self.choices_for(place), is_age_restricted=place.known.is_age_restricted)

    def require_readable(self) -> None:
        """Raises RuleError where a rule can't be read: nobody knows then what may be said."""
        if self.problem is not None:
            raise RuleError(self.problem)


class _Key(NamedTuple):
    """Everything that a compiled set is made of."""

    rules: tuple[Rule, ...]
    tier: Tier
    levels: Levels


class RuleBook:
    """Gives the rules of any place at any time.

    What a change has made is never older than the change: `forget` is called after it is committed, and whoever asks
    next waits for the new rules. Compiling happens in a thread, and once for all who ask for the same.
    """

    def __init__(self, store: Store, compile_set: Compile) -> None:
        self._store = store
        self._compile_set = compile_set
        self._servers: Shared[int, ServerRules] = Shared(MAX_SERVERS)
        self._sets: Shared[_Key, RuleSet] = Shared(MAX_SETS)

    async def server(self, guild_id: int) -> ServerRules:
        """The server's rules as they are now."""
        return await self._servers.get(guild_id, lambda: self._load(guild_id))

    async def rules_for(self, place: Place) -> RuleSet:
        """What judges texts in the place. Raises RuleError where its rules can't be used."""
        server = await self.server(place.guild_id)
        server.require_readable()
        tier = server.tier_for(place)
        held = rules_in(server.rules, places_of(place))
        return await self.compiled(held, tier, levels_of(server.choices_for(place), tier))

    async def compiled(self, rules: Sequence[Rule], tier: Tier, levels: Levels) -> RuleSet:
        """These rules compiled, in a thread. Raises RuleError for those that can't be used."""
        key = _Key(tuple(rules), tier, levels)
        return await self._sets.get(key, lambda: asyncio.to_thread(self._compile_set, rules, tier, levels))

    async def require_usable(self, guild_id: int, rules: Sequence[Rule]) -> None:
        """Raises RuleError where a server with these rules could not judge texts in one of its channels."""
        for channel_id in {rule.channel_id for rule in rules} | {None}:
            # Without tiers all of them count at once, so that no tier can break later.
            held = [replace(rule, tiers=frozenset()) for rule in rules_in(rules, [None, channel_id])]
            await self.compiled(held, Tier.GENERAL, Levels.of_tier(Tier.GENERAL))

    def forget(self, guild_id: int) -> None:
        """The server's rules or choices have changed."""
        self._servers.forget(guild_id)

    async def _load(self, guild_id: int) -> ServerRules:
        stored = await self._store.filter_rules(guild_id)
        levels = await self._store.filter_levels(guild_id)
        choices = {channel_id: choice_of(text) for channel_id, text in levels.items()}
        rules = []
        problem = None
        for one in stored:
            try:
                rules.append(rule_of(one))
            except RuleError as error:
                log.error("rule %d of server %d can't be read: %s", one.id, guild_id, error)
                problem = f"The rule “{one.name}” can’t be used: {error}"
        return ServerRules(tuple(stored), tuple(rules), choices, problem)


def places_of(place: Place) -> list[int | None]:
    """From the server (None) to the place itself, over a thread's channel."""
    parent = place.known.parent_id
    return [None, *([] if parent is None or parent == place.channel_id else [parent]), place.channel_id]
