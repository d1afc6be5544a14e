"""Which rules hold where, and from when on."""

from __future__ import annotations

import sqlite3

import pytest

from bot.errors import BadInput, Filtered, NothingUsable, RuleError
from bot.filters import Action, Level, Mode, Rule, RuleKind, TextKind, Tier
from bot.service.filtering.choice import Choice
from bot.service.filtering.known import UNKNOWN, Known
from bot.service.filtering.lab import FilterLab
from bot.service.filtering.views import LevelChange
from bot.story.audit import Deed
from tests.bot.service.far_end import fresh_text
from tests.bot.service.filtering.moderators import BY, place, words
from tests.bot.service.world import CHANNEL, FORBIDDEN, GUILD, World

OTHER = CHANNEL + 1
THREAD = 500


@pytest.fixture
def lab(world: World) -> FilterLab:
    return world.services.filters


async def stops(lab: FilterLab, text: str, channel_id: int = CHANNEL, known: Known = UNKNOWN) -> bool:
    explained = await lab.explain(place(channel_id, known), text, TextKind.HINT)
    return not explained.trace.verdict.allowed


async def test_a_rule_holds_from_the_next_text_on_and_no_longer_than_it_is_there(world: World, lab: FilterLab) -> None:
    await world.story()
    await world.services.rounds.cancel(CHANNEL, (await world.begin(hint="a toad")).opened_by)
    entry = await lab.add(GUILD, words("toad"), BY)
    with pytest.raises(Filtered, match="custom") as refused:
        await world.begin(hint="a toad")
    assert refused.value.text == "a toad"
    await lab.remove(GUILD, entry.stored.id, BY)
    await world.begin(hint="a toad")


async def test_a_rule_that_comes_while_the_model_writes_holds_in_the_same_round(world: World, lab: FilterLab) -> None:
    await world.story()
    bad, good = [f"The toad number {n} sat down." for n in range(4)], [fresh_text(n) for n in range(50, 53)]

    async def add_then_answer(request: object, body: dict[str, object]) -> object:
        await lab.add(GUILD, words("toad"), BY)
        return await world.far._stream(request, body, bad)  # type: ignore[arg-type]

    world.far.then(add_then_answer, good)  # type: ignore[arg-type]
    view = await world.open()
    assert {candidate.text for candidate in view.candidates} == set(good)
    assert view.round.withheld == len(bad)


async def test_a_channel_inherits_and_overrides_and_other_channels_see_nothing_of_it(lab: FilterLab) -> None:
    await lab.add(GUILD, words("Toads", "toad"), BY)
    await lab.add(GUILD, words("newts", "newt", channel_id=CHANNEL), BY)
    assert await stops(lab, "a toad")
    assert await stops(lab, "a newt")
    assert not await stops(lab, "a newt", OTHER)
    await lab.add(GUILD, words("toads", "tadpole", channel_id=CHANNEL), BY)
    assert not await stops(lab, "a toad")
    assert await stops(lab, "a tadpole")
    assert await stops(lab, "a toad", OTHER)
    view = await lab.look(place())
    assert [(one.stored.name, one.overrides, one.is_overridden, one.needs_server) for one in view.entries] == [
        ("Toads", False, True, True),
        ("newts", False, False, False),
        ("toads", True, False, True),
    ]


async def test_a_threads_channel_is_known_and_its_rules_hold_there(lab: FilterLab) -> None:
    await lab.add(GUILD, words("newt", channel_id=CHANNEL), BY)
    assert await stops(lab, "a newt", THREAD, Known(parent_id=CHANNEL))
    assert not await stops(lab, "a newt", THREAD)


async def test_only_an_age_restricted_channel_of_a_server_that_chose_so_is_for_others(lab: FilterLab) -> None:
    mild = words("grown up", "toad", tiers=frozenset({Tier.GENERAL, Tier.TEEN}))
    await lab.add(GUILD, mild, BY)
    grown = Known(is_age_restricted=True)
    assert await stops(lab, "a toad", known=grown)
    await lab.set_tier(GUILD, None, Tier.MATURE, BY)
    assert not await stops(lab, "a toad", known=grown)
    assert await stops(lab, "a toad")  # what is not known is for everybody
    await lab.set_tier(GUILD, CHANNEL, Tier.TEEN, BY)
    assert await stops(lab, "a toad", known=grown)
    assert not await stops(lab, "a toad", OTHER, grown)
    assert (await lab.look(place(OTHER, grown))).tier is Tier.MATURE
    assert (await lab.look(place(OTHER))).tier is Tier.GENERAL


async def test_levels_go_from_the_tier_over_the_server_to_the_channel(lab: FilterLab) -> None:
    await lab.set_level(GUILD, None, "profanity", Level.OFF, BY)
    await lab.set_level(GUILD, CHANNEL, "profanity", Level.STRONG, BY)
    assert (await lab.look(place())).levels.level("profanity") is Level.STRONG
    assert (await lab.look(place(OTHER))).levels.level("profanity") is Level.OFF
    await lab.set_level(GUILD, CHANNEL, "profanity", None, BY)
    await lab.set_level(GUILD, None, "profanity", None, BY)
    assert (await lab.look(place())).levels.level("profanity") is Level.MILD
    with pytest.raises(BadInput, match="no list"):
        await lab.set_level(GUILD, None, "toads", Level.OFF, BY)


async def test_what_loosens_a_channel_is_the_servers_to_decide(lab: FilterLab) -> None:
    await lab.add(GUILD, words("toads", "toad"), BY)
    assert await lab.loosens(GUILD, words("anything"))
    assert not await lab.loosens(GUILD, words("newts", channel_id=CHANNEL))
    assert await lab.loosens(GUILD, words("TOADS", channel_id=CHANNEL))
    assert await lab.loosens(GUILD, words("newts", channel_id=CHANNEL, action=Action.ALLOW))
    assert await lab.level_loosens(GUILD, None, "slur", Level.MILD)
    assert await lab.level_loosens(GUILD, CHANNEL, "slur", Level.OFF)
    assert not await lab.level_loosens(GUILD, CHANNEL, "slur", Level.MILD)
    assert not await lab.level_loosens(GUILD, CHANNEL, "slur", None)


async def test_a_role_excuses_its_members_and_never_the_model(world: World, lab: FilterLab) -> None:
    await lab.add(GUILD, words("toad", bypass_roles=frozenset({7})), BY)
    await world.story()
    world.far.then(*[["The toad number one sat down."] * 4] * 3)
    round_ = await world.begin(hint="a toad", known=Known(roles=frozenset({7})))
    with pytest.raises(NothingUsable):
        await world.services.rounds.generate(round_.id, lambda _: Known(roles=frozenset({7})))
    with pytest.raises(Filtered):
        await world.begin(hint="a toad", known=Known(roles=frozenset({8})))


async def test_the_hosts_own_words_hold_whatever_a_server_chooses(lab: FilterLab) -> None:
    await lab.set_level(GUILD, None, "profanity", Level.OFF, BY)
    assert await stops(lab, f"a {FORBIDDEN}")


async def test_a_rule_that_cannot_be_used_is_refused_before_it_is_stored(lab: FilterLab) -> None:
    for rule in (Rule("look", RuleKind.REGEX, (r"(?=a)b",)), Rule("", RuleKind.WORDS, ("toad",))):
        with pytest.raises(RuleError):
            await lab.add(GUILD, rule, BY)
        with pytest.raises(RuleError):
            await lab.add(GUILD, Rule(rule.name, rule.kind, rule.patterns, mode=Mode.OFF), BY)
    assert (await lab.look(place())).entries == ()


async def test_a_server_whose_rules_cannot_be_read_says_nothing_until_they_can(world: World, lab: FilterLab) -> None:
    """It fails closed, says why, and the rule can be taken away."""
    entry = await lab.add(GUILD, words("toad"), BY)
    connection = sqlite3.connect(world.path)
    connection.executescript(
        """DROP TRIGGER filter_rule_versions_are_immutable;
        UPDATE filter_rule_versions SET body = '{"name": "toad", "kind": "telepathy"}'"""
    )
    connection.close()
    await world.restart()
    lab = world.services.filters
    with pytest.raises(Filtered, match="filter error"):
        await world.story()
    view = await lab.look(place())
    assert view.problem is not None
    assert "telepathy" in view.problem
    assert view.entries[0].problem == view.problem
    await lab.remove(GUILD, entry.stored.id, BY)
    assert (await lab.look(place())).problem is None
    await world.story()


async def test_another_server_is_another_world(lab: FilterLab) -> None:
    entry = await lab.add(GUILD, words("toad"), BY)
    with pytest.raises(BadInput, match="no such rule"):
        await lab.rule(GUILD + 1, entry.stored.id)
    with pytest.raises(BadInput, match="no such rule"):
        await lab.go_back(GUILD + 1, entry.stored.id, 1, BY)


async def test_a_rule_goes_back_to_any_of_its_versions(lab: FilterLab) -> None:
    entry = await lab.add(GUILD, words("toad"), BY)
    rule_id = entry.stored.id
    await lab.change(GUILD, rule_id, words("toad", "newt"), 1, BY)
    with pytest.raises(BadInput, match="meanwhile"):
        await lab.change(GUILD, rule_id, words("toad", "eft"), 1, BY)
    await lab.switch(GUILD, rule_id, Mode.OFF, BY)
    await lab.remove(GUILD, rule_id, BY)
    assert not await stops(lab, "a toad")
    back = await lab.go_back(GUILD, rule_id, 1, BY)
    assert (back.stored.version, back.rule) == (5, entry.rule)
    assert await stops(lab, "a toad")
    with pytest.raises(BadInput, match="no such version"):
        await lab.go_back(GUILD, rule_id, 4, BY)  # the version that took it away


async def test_the_last_change_is_taken_back_whatever_it_was(world: World, lab: FilterLab) -> None:
    with pytest.raises(BadInput, match="Nothing"):
        await lab.undo(GUILD, BY)
    await lab.take_over(GUILD, None, [words("toad"), words("newt")], BY)
    await lab.set_level(GUILD, None, "slur", Level.OFF, BY)
    await lab.undo(GUILD, BY)
    assert (await lab.look(place())).levels.level("slur") is Level.MILD
    assert await stops(lab, "a toad")
    first = (await lab.revisions(GUILD))[-1]
    assert (first.num_rules, first.author_id, first.reason) == (2, BY.user_id, BY.reason)
    await lab.restore(GUILD, 0, BY)
    assert not await stops(lab, "a toad")
    await lab.undo(GUILD, BY)
    assert await stops(lab, "a toad")
    deeds = [entry.deed for entry in await world.store.audit_entries(GUILD)][::-1]
    assert deeds == [Deed.RULES_IMPORTED, Deed.LEVEL_CHANGED, *[Deed.RULES_RESTORED] * 3]


async def test_what_is_taken_over_twice_changes_only_what_is_different(lab: FilterLab) -> None:
    first = await lab.take_over(GUILD, CHANNEL, [words("toad"), words("newt")], BY)
    again = await lab.take_over(GUILD, CHANNEL, [words("TOAD", "frog"), words("newt"), words("eft")], BY)
    assert (first.added, first.changed, first.same) == (2, 0, 0)
    assert (again.added, again.changed, again.same) == (1, 1, 1)
    assert await stops(lab, "a frog")
    assert not await stops(lab, "a frog", OTHER)


async def test_rules_and_levels_are_taken_over_in_one_change_which_is_taken_back_as_one(
    world: World, lab: FilterLab
) -> None:
    await lab.set_tier(GUILD, CHANNEL, Tier.TEEN, BY)
    await lab.set_level(GUILD, CHANNEL, "insult", Level.STRONG, BY)
    wanted = {"insult": Level.STRONG, "slur": Level.OFF}
    plan = await lab.plan_import(GUILD, CHANNEL, [words("toad")], wanted)
    assert ([rule.name for rule in plan.added], plan.changed, plan.same) == (["toad"], (), 0)
    assert plan.levels == (LevelChange("slur", None, Level.OFF),)
    got = await lab.take_over(GUILD, CHANNEL, [words("toad")], BY, levels=wanted)
    assert (got.added, got.levels) == (1, plan.levels)
    newest = (await lab.revisions(GUILD))[0]
    assert (newest.id, newest.num_rules, newest.num_levels) == (got.change, 1, 1)
    line = (await world.store.audit_entries(GUILD))[0]
    assert (line.deed, line.channel_id) == (Deed.RULES_IMPORTED, CHANNEL)
    assert line.subject.endswith(" and levels")
    view = await lab.look(place())
    assert view.of_channel == Choice(Tier.TEEN, {"insult": Level.STRONG, "slur": Level.OFF})
    again = await lab.plan_import(GUILD, CHANNEL, [words("toad")], wanted)
    assert (again.is_empty, again.same) == (True, 1)
    await lab.undo(GUILD, BY)
    assert (await lab.look(place())).of_channel == Choice(Tier.TEEN, {"insult": Level.STRONG})
    assert not await stops(lab, "a toad")


async def test_levels_alone_are_a_change_of_levels(world: World, lab: FilterLab) -> None:
    got = await lab.take_over(GUILD, None, [], BY, levels={"slur": Level.OFF})
    assert got.change == (await lab.revisions(GUILD))[0].id
    assert (await world.store.audit_entries(GUILD))[0].deed is Deed.LEVEL_CHANGED
    assert (await lab.take_over(GUILD, None, [], BY, levels={"slur": Level.OFF})).change is None


@pytest.mark.parametrize(
    ("rules", "levels", "needs_server"),
    [
        ([words("eft")], {"slur": Level.MILD}, False),
        ([words("eft")], {"slur": Level.STRONG}, True),
        ([words("eft", action=Action.ALLOW)], {}, True),
        ([words("toad")], {}, True),  # in place of the server's
        ([words("newt")], {}, True),  # in place of the channel's exception, which the server's managers made
        ([], {"insult": Level.OFF}, False),  # it is so already
    ],
)
async def test_what_a_file_loosens_is_for_who_manages_the_server(
    lab: FilterLab, rules: list[Rule], levels: dict[str, Level], needs_server: bool
) -> None:
    await lab.add(GUILD, words("toad"), BY)
    await lab.add(GUILD, words("newt", channel_id=CHANNEL, action=Action.ALLOW), BY)
    await lab.set_level(GUILD, CHANNEL, "insult", Level.OFF, BY)
    assert (await lab.plan_import(GUILD, CHANNEL, rules, levels)).needs_server is needs_server
    assert (await lab.plan_import(GUILD, None, rules, levels)).needs_server
