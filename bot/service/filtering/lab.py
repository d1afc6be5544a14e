"""Where moderators tune what may be said: rules, levels, versions, and the way back from each change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from bot.errors import BadInput, RuleError
from bot.filters import Level, Mode, Rule, TextKind, Tier, check_rule
from bot.filters.levels import LISTED
from bot.service.filtering.book import RuleBook, ServerRules, places_of
from bot.service.filtering.choice import (
    NO_LEVELS,
    Choice,
    is_looser,
    levels_of,
    loosens,
    overridden,
    rules_in,
    with_levels,
)
from bot.service.filtering.codec import choice_to_text, rule_of, rule_to_text
from bot.service.filtering.known import Place
from bot.service.filtering.planning import Wanted, level_changes, wanted_rules
from bot.service.filtering.scoring import Scorer
from bot.service.filtering.views import (
    Explained,
    HitFigure,
    Imported,
    ImportPlan,
    LabView,
    Revision,
    RuleEntry,
    WithheldText,
)
from bot.store import RuleChange, Store, StoredRule
from bot.story.audit import Deed

FIGURES_OF = timedelta(days=30)
"""The figures are of so long; what is older is forgotten anyway."""
NO_RULE = "There is no such rule here (any more)."
MAX_REASON = 300


@dataclass(frozen=True)
class Author:
    """Who changes something, and why."""

    user_id: int
    reason: str = ""


class FilterLab:
    """Who may change what is the caller's to check: `RuleEntry.needs_server`, `loosens` and `level_loosens` say what.

    Nothing is stored that the server's rules could not be compiled with; once it is stored it holds, from the next text
    on. Raises BadInput (RuleError for a rule) with a sentence for the moderator.
    """

    def __init__(self, store: Store, book: RuleBook, scorer: Scorer, now: Callable[[], datetime]) -> None:
        self._store = store
        self._book = book
        self._scorer = scorer
        self._now = now
        self._changing = asyncio.Lock()

    # looks

    async def look(self, place: Place) -> LabView:
        """What holds at the place: the server's rules first, then the channel's."""
        server = await self._book.server(place.guild_id)
        choices, tier, places = server.choices_for(place), server.tier_for(place), places_of(place)
        here = {rule.id for rule in rules_in(server.rules, places)}
        entries = [
            replace(
                entry, is_overridden=entry.rule is not None and entry.rule.mode is not Mode.OFF and one.id not in here
            )
            for one in server.stored
            if one.channel_id in places
            for entry in [_entry(one, server)]
        ]
        return LabView(
            *(place.guild_id, place.channel_id, place.known.is_age_restricted),
            entries=tuple(sorted(entries, key=lambda one: (one.stored.channel_id is not None, one.stored.id))),
            tier=tier,
            levels=levels_of(choices, tier),
            of_server=server.choice(None),
            of_channel=server.choice(place.channel_id),
            health=self._scorer.health,
            problem=server.problem or await self._problem(place),
        )

    async def rule(self, guild_id: int, rule_id: int) -> RuleEntry:
        """A rule as it is now."""
        server = await self._book.server(guild_id)
        return _entry(_stored(server, rule_id), server)

    async def versions(self, guild_id: int, rule_id: int) -> list[StoredRule]:
        """All versions of a rule, also of one that was taken away; the newest first."""
        found = await self._store.rule_versions(guild_id, rule_id)
        if not found:
            raise BadInput(NO_RULE)
        return found

    async def rule_then(self, guild_id: int, rule_id: int, version: int) -> Rule:
        """The rule as it was in one of its versions."""
        versions = await self.versions(guild_id, rule_id)
        then = next((one for one in versions if one.version == version and one.body is not None), None)
        if then is None:
            raise BadInput("This rule has no such version to go back to.")
        return rule_of(then)

    async def revisions(self, guild_id: int, limit: int = 20, before_id: int | None = None) -> list[Revision]:
        """The last changes of the whole set, the newest first: of those before `before_id`."""
        return await self._store.filter_revisions(guild_id, before_id=before_id, limit=limit)

    async def figures(self, guild_id: int) -> list[HitFigure]:
        """How often each rule hit lately, in shadow mode too."""
        return await self._store.hit_figures(guild_id, self._now() - FIGURES_OF)

    async def withheld(self, guild_id: int, channel_id: int, round_id: int | None = None) -> list[WithheldText]:
        """What was withheld from a round; without one, from the channel's last round from which something was."""
        if round_id is None:
            round_id = await self._store.last_withholding_round(guild_id, channel_id)
        return [] if round_id is None else await self._store.withheld_texts(guild_id, round_id)

    async def explain(self, place: Place, text: str, kind: TextKind) -> Explained:
        """Each step from the text to its verdict, as if it were typed there now. Nothing is noted."""
        rules = await self._book.rules_for(place)
        (scores,) = await self._scorer.score([text]) if rules.wants_scores else [None]
        roles = place.roles_for(kind)
        trace = await asyncio.to_thread(rules.explain, text, kind, roles=roles, scores=scores)
        server = await self._book.server(place.guild_id)
        return Explained(trace, server.tier_for(place), rules.wants_scores, scores)

    async def loosens(self, guild_id: int, rule: Rule) -> bool:
        """Whether only who manages the server may make this rule."""
        return rule.channel_id is None or loosens(rule, (await self._book.server(guild_id)).rules)

    async def level_loosens(self, guild_id: int, channel_id: int | None, category: str, level: Level | None) -> bool:
        """Whether only who manages the server may choose this level: a channel may be stricter by itself."""
        if channel_id is None:
            return True
        if level is None:
            return False
        of_server = (await self._book.server(guild_id)).choice(None)
        return any(is_looser(level, levels_of([of_server], tier).level(category)) for tier in Tier)

    # changes

    async def add(self, guild_id: int, rule: Rule, by: Author) -> RuleEntry:
        """A new rule, where its `channel_id` says."""
        (made,) = await self._save(guild_id, [Wanted(replace(rule, id=None))], by, Deed.RULE_ADDED)
        return await self.rule(guild_id, made.id)

    async def change(self, guild_id: int, rule_id: int, rule: Rule, from_version: int, by: Author) -> RuleEntry:
        """Another version of a rule, made of its version `from_version`; it stays where it is."""
        old = _stored(await self._book.server(guild_id), rule_id)
        wanted = replace(rule, id=rule_id, channel_id=old.channel_id)
        await self._save(guild_id, [Wanted(wanted, from_version)], by, Deed.RULE_CHANGED)
        return await self.rule(guild_id, rule_id)

    async def switch(self, guild_id: int, rule_id: int, mode: Mode, by: Author) -> RuleEntry:
        """Off, shadow or on."""
        stored = _stored(await self._book.server(guild_id), rule_id)
        return await self.change(guild_id, rule_id, replace(rule_of(stored), mode=mode), stored.version, by)

    async def remove(self, guild_id: int, rule_id: int, by: Author) -> None:
        """Takes a rule away; its versions stay, and any of them can come back. Also one that can't be read."""
        stored = _stored(await self._book.server(guild_id), rule_id)
        change = RuleChange(rule_id, stored.channel_id, stored.name, None, stored.version)
        await self._commit(guild_id, [change], by, Deed.RULE_REMOVED)

    async def go_back(self, guild_id: int, rule_id: int, version: int, by: Author) -> RuleEntry:
        """The rule as it was in that version; one that was taken away is there again."""
        then = await self.rule_then(guild_id, rule_id, version)
        newest = (await self.versions(guild_id, rule_id))[0].version
        await self._save(guild_id, [Wanted(then, newest)], by, Deed.RULES_RESTORED)
        return await self.rule(guild_id, rule_id)

    async def restore(self, guild_id: int, revision_id: int, by: Author) -> Revision:
        """All rules and levels as they were after that change (0: before the first). Returns the change that it is."""
        async with self._changing:
            then = [rule_of(one) for one in await self._store.filter_rules(guild_id, revision_id=revision_id)]
            await self._book.require_usable(then)
            await self._store.restore_rules(guild_id, revision_id, by.user_id, self._now(), _reason(by))
            self._book.forget(guild_id)
            return (await self.revisions(guild_id, limit=1))[0]

    async def undo(self, guild_id: int, by: Author) -> Revision:
        """Takes the last change back, whatever it was, and whatever number of rules it touched."""
        revisions = await self.revisions(guild_id, limit=2)
        if not revisions:
            raise BadInput("Nothing was changed here yet.")
        return await self.restore(guild_id, revisions[1].id if len(revisions) > 1 else 0, by)

    async def set_level(
        self, guild_id: int, channel_id: int | None, category: str, level: Level | None, by: Author
    ) -> int | None:
        """How strict the ready-made list of a category is in a place; None: as the place above it has it.

        Returns the id of the change, None where it was so already.
        """
        if category not in LISTED:
            raise BadInput(f"There is no list “{category[:50]}”. There are: {', '.join(LISTED)}.")
        return await self._choose(guild_id, channel_id, partial(with_levels, levels={category: level}), by)

    async def set_tier(self, guild_id: int, channel_id: int | None, tier: Tier | None, by: Author) -> int | None:
        """Whom age-restricted channels are for; every other channel is for everybody, whatever is chosen.

        Returns the id of the change, None where it was so already.
        """
        return await self._choose(guild_id, channel_id, partial(replace, tier=tier), by)

    async def explain_change(self, guild_id: int, revision_id: int, by: Author) -> None:
        """Why a change was made, said after it: once, and by whoever made it."""
        reason = _reason(by)
        if not reason:
            raise BadInput("Please say why.")
        await self._store.explain_revision(guild_id, revision_id, by.user_id, reason, self._now())
        self._book.forget(guild_id)  # what it keeps of each rule has the reason too

    async def plan_import(
        self, guild_id: int, channel_id: int | None, rules: Sequence[Rule], levels: Mapping[str, Level] = NO_LEVELS
    ) -> ImportPlan:
        """What `take_over` would change, and whether only who manages the server may."""
        server = await self._book.server(guild_id)
        wanted = wanted_rules(server, channel_id, rules)
        placed = [one.rule for one in wanted]
        changes = level_changes(server, channel_id, levels)
        present = {rule.id: rule for rule in server.rules}
        touched = [*placed, *(present[rule.id] for rule in placed if rule.id in present)]
        is_loosening = any(loosens(rule, server.rules) for rule in touched) or any(
            [await self.level_loosens(guild_id, channel_id, one.category, one.after) for one in changes]
        )
        return ImportPlan(
            channel_id,
            added=tuple(rule for rule in placed if rule.id is None),
            changed=tuple((present.get(rule.id), rule) for rule in placed if rule.id is not None),
            same=len(rules) - len(placed),
            levels=tuple(changes),
            needs_server=channel_id is None or is_loosening,
        )

    async def take_over(
        self,
        guild_id: int,
        channel_id: int | None,
        rules: Sequence[Rule],
        by: Author,
        levels: Mapping[str, Level] = NO_LEVELS,
    ) -> Imported:
        """Rules and levels in one change: rules of a name that the place has become that rule's next version, and a
        list that `levels` does not name stays as it is.
        """
        server = await self._book.server(guild_id)
        wanted, changes = wanted_rules(server, channel_id, rules), level_changes(server, channel_id, levels)
        choose = partial(with_levels, levels=levels) if changes else None
        change = None
        if wanted:
            made = await self._save(guild_id, wanted, by, Deed.RULES_IMPORTED, choose)
            change = made[0].revision_id
        elif choose is not None:
            change = await self._choose(guild_id, channel_id, choose, by)
        added = sum(one.rule.id is None for one in wanted)
        same = len(rules) - len(wanted)
        return Imported(added, len(wanted) - added, same, tuple(changes), change)

    async def _choose(
        self, guild_id: int, channel_id: int | None, choose: Callable[[Choice], Choice], by: Author
    ) -> int | None:
        async with self._changing:
            body = choice_to_text(choose((await self._book.server(guild_id)).choice(channel_id)))
            changed = await self._store.set_filter_levels(
                guild_id, channel_id, body, by.user_id, self._now(), _reason(by)
            )
            self._book.forget(guild_id)
            return changed

    async def _save(
        self,
        guild_id: int,
        wanted: Sequence[Wanted],
        by: Author,
        deed: Deed,
        choose: Callable[[Choice], Choice] | None = None,
    ) -> list[StoredRule]:
        """Checks each rule, also one that is off, and all of them together, before anything is stored.

        `choose` is what their place chooses of the ready-made lists in the same change.
        """
        await asyncio.to_thread(_check_all, [one.rule for one in wanted])
        changes = [
            RuleChange(one.rule.id, one.rule.channel_id, one.rule.name, rule_to_text(one.rule), one.from_version)
            for one in wanted
        ]
        return await self._commit(guild_id, changes, by, deed, [one.rule for one in wanted], choose)

    async def _commit(
        self,
        guild_id: int,
        changes: Sequence[RuleChange],
        by: Author,
        deed: Deed,
        rules: Sequence[Rule] = (),
        choose: Callable[[Choice], Choice] | None = None,
    ) -> list[StoredRule]:
        async with self._changing:
            server = await self._book.server(guild_id)
            touched = {change.rule_id for change in changes}
            others = [rule for rule in server.rules if rule.id not in touched]
            await self._book.require_usable([*others, *rules])
            places = () if choose is None else {change.channel_id for change in changes}
            levels = {place: choice_to_text(choose(server.choice(place))) for place in places if choose}
            made = await self._store.change_rules(
                *(guild_id, changes, by.user_id, self._now()), deed=deed, reason=_reason(by), levels=levels
            )
            self._book.forget(guild_id)
            return made

    async def _problem(self, place: Place) -> str | None:
        try:
            await self._book.rules_for(place)
        except RuleError as error:
            return str(error)
        return None


def _check_all(rules: Sequence[Rule]) -> None:
    """In a thread: patterns are compiled."""
    for rule in rules:
        check_rule(rule)


def _stored(server: ServerRules, rule_id: int) -> StoredRule:
    stored = next((one for one in server.stored if one.id == rule_id), None)
    if stored is None:
        raise BadInput(NO_RULE)
    return stored


def _entry(stored: StoredRule, server: ServerRules) -> RuleEntry:
    rule = next((one for one in server.rules if one.id == stored.id), None)
    if rule is None:
        return RuleEntry(stored, None, server.problem)
    return RuleEntry(
        stored,
        rule,
        overrides=overridden(rule, server.rules) is not None,
        needs_server=rule.channel_id is None or loosens(rule, server.rules),
    )


def _reason(by: Author) -> str:
    return by.reason.strip()[:MAX_REASON]
