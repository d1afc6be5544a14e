"""The rules that hold in each channel, compiled: kept ready, and made anew where moderators changed something."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from weakref import WeakValueDictionary

from bot.errors import RuleError
from bot.filters import Levels, Rule, RuleSet, Tier, check_rules, compile_rules, load_words
from bot.service.filtering.choice import Choice, levels_of, rules_in, tier_of
from bot.service.filtering.codec import choice_of, rule_of
from bot.service.filtering.known import UNKNOWN, Place
from bot.service.filtering.shared import Shared
from bot.store import Store, StoredRule

log = logging.getLogger(__name__)

MAX_SERVERS, MAX_SETS = 1000, 128
"""How many servers' rules are kept as they are, and compiled; places with the same rules share a compiled set."""
MAX_IDLE = 8
"""Compiled sets that no place judges by any more and that are kept for a while: changes are often taken back."""
MAX_PLACES = 1000
"""Of those that judged last; their rules are compiled anew as soon as they change."""
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


@dataclass(frozen=True)
class _Key:
    """Everything that a compiled set is made of."""

    rules: tuple[Rule, ...]
    tier: Tier
    levels: Levels

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.rules, self.tier, self.levels))  # of ten thousand words: not for every text


@dataclass(frozen=True)
class _Use:
    """What a place last judged by."""

    server: ServerRules
    key: _Key


class RuleBook:
    """Gives the rules of any place at any time.

    What a change has made is never older than the change: `forget` is called after it is committed, and whoever asks
    next, or is waiting then, gets the new rules. Compiling happens in a thread, and once for all who ask for the same;
    for the places that judged lately it begins as soon as the new rules are read.
    """

    def __init__(self, store: Store, compile_set: Compile) -> None:
        self._store = store
        self._compile_set = compile_set
        self._servers: Shared[int, ServerRules] = Shared(MAX_SERVERS)
        self._sets: Shared[_Key, RuleSet] = Shared(MAX_SETS)
        self._uses: OrderedDict[Place, _Use] = OrderedDict()
        self._idle: OrderedDict[_Key, None] = OrderedDict()
        self._read: WeakValueDictionary[tuple[int, int], Rule] = WeakValueDictionary()
        """By id and version, which never change: those that some place's rules are made of."""
        self._renewing: dict[int, asyncio.Task[None]] = {}

    async def server(self, guild_id: int) -> ServerRules:
        """The server's rules as they are now."""
        return await self._servers.get(guild_id, lambda: self._load(guild_id))

    async def rules_for(self, place: Place) -> RuleSet:
        """What judges texts in the place at the moment of returning. Raises RuleError where its rules can't be used."""
        place = replace(place, known=replace(place.known, user_id=None, roles=UNKNOWN.roles))  # whoever asks
        while True:
            server = await self.server(place.guild_id)
            server.require_readable()
            use = self._uses.get(place)
            if use is None or use.server is not server:
                use = _Use(server, _key(server, place))
            rules = await self._sets.get(use.key, partial(self._compile, use.key))
            if self._servers.holds(place.guild_id, server):  # else they have changed while they were compiled
                self._note(place, use)
                return rules

    async def require_usable(self, rules: Sequence[Rule]) -> None:
        """Raises RuleError where a server with these rules could not judge texts in one of its channels."""
        # Whatever their tiers: all of them count at once, so that no tier can break later.
        held = [rules_in(rules, [None, channel_id]) for channel_id in {rule.channel_id for rule in rules} | {None}]
        await asyncio.to_thread(check_rules, held)

    def forget(self, guild_id: int) -> None:
        """The server's rules or choices have changed."""
        self._servers.forget(guild_id)

    async def _compile(self, key: _Key) -> RuleSet:
        return await asyncio.to_thread(self._compile_set, key.rules, key.tier, key.levels)

    def _note(self, place: Place, use: _Use) -> None:
        before = [self._uses.pop(place, None)]
        self._uses[place] = use
        while len(self._uses) > MAX_PLACES:
            before.append(self._uses.popitem(last=False)[1])
        for old in before:
            if old is not None and old.key is not use.key:
                self._idle[old.key] = None
                self._drop_idle()

    def _drop_idle(self) -> None:
        """Whatever of the idle ones is used by another place, or again, is none."""
        used = {use.key for use in self._uses.values()}
        self._idle = OrderedDict.fromkeys(key for key in self._idle if key not in used)
        while len(self._idle) > MAX_IDLE:
            self._sets.drop(self._idle.popitem(last=False)[0])

    async def _load(self, guild_id: int) -> ServerRules:
        stored = await self._store.filter_rules(guild_id)
        levels = await self._store.filter_levels(guild_id)
        choices = {channel_id: choice_of(text) for channel_id, text in levels.items()}
        rules = []
        problem = None
        for one in stored:
            try:
                rules.append(self._rule_of(one))
            except RuleError as error:
                log.error("rule %d of server %d can't be read: %s", one.id, guild_id, error)
                problem = f"The rule “{one.name}” can’t be used: {error}"
        self._renew(guild_id)
        return ServerRules(tuple(stored), tuple(rules), choices, problem)

    def _rule_of(self, stored: StoredRule) -> Rule:
        rule = self._read.get((stored.id, stored.version))
        if rule is None:
            rule = self._read[stored.id, stored.version] = rule_of(stored)
        return rule

    def _renew(self, guild_id: int) -> None:
        """Begins to compile what the server's places are going to judge by, the last used first."""
        places = [place for place in reversed(self._uses) if place.guild_id == guild_id]
        before = self._renewing.pop(guild_id, None)
        if before is not None:
            before.cancel()
        if places:
            task = asyncio.create_task(self._make_ready(places), name=f"compiling the rules of server {guild_id}")
            self._renewing[guild_id] = task
            task.add_done_callback(partial(self._end_renewal, guild_id))

    async def _make_ready(self, places: Sequence[Place]) -> None:
        for place in places:  # one after the other: who has a text to judge now should not wait for all of them
            with suppress(RuleError):  # which every text says that is refused for it
                await self.rules_for(place)

    def _end_renewal(self, guild_id: int, task: asyncio.Task[None]) -> None:
        if self._renewing.get(guild_id) is task:
            del self._renewing[guild_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("the rules of server %d were not made ready", guild_id, exc_info=task.exception())


def _key(server: ServerRules, place: Place) -> _Key:
    tier = server.tier_for(place)
    held = rules_in(server.rules, places_of(place))
    return _Key(tuple(held), tier, levels_of(server.choices_for(place), tier))


def places_of(place: Place) -> list[int | None]:
    """From the server (None) to the place itself, over a thread's channel."""
    parent = place.known.parent_id
    return [None, *([] if parent is None or parent == place.channel_id else [parent]), place.channel_id]
