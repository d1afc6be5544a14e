from __future__ import annotations

import pytest

from bot.filters import Action, Mode, Rule, RuleKind, TextKind
from bot.service.filtering import trial
from bot.service.filtering.views import Trial
from tests.bot.service.filtering.moderators import BY, words
from tests.bot.service.filtering.test_judging import Scores
from tests.bot.service.world import ANNA, CHANNEL, GUILD, World

TEXTS = ["The fox met a toad and a newt.", "A toadstool grew in spring.", "The owl slept by the river."]


async def tell(world: World, channel_id: int = CHANNEL) -> None:
    """A round with these texts, which the first of them wins."""
    await world.story(channel_id)
    world.far.then([*TEXTS, TEXTS[0]])
    view = await world.open(channel_id=channel_id)
    await world.vote(view, ANNA, next(c for c in view.candidates if c.text == TEXTS[0]))
    await world.settle(view, forced_by=ANNA)


async def run(world: World, rule: Rule) -> Trial:
    return await world.services.trials.run(GUILD, rule)


async def test_a_new_rule_is_tried_on_what_stood_on_ballots_and_in_canon(world: World) -> None:
    await tell(world)
    found = await run(world, words("toads", "toad*"))
    assert (found.looked_at, found.looked_at_canon, found.hits, found.hits_canon) == (3, 1, 2, 1)
    assert found.is_everything
    assert {(s.text[s.start : s.end], s.is_canon, s.channel_id) for s in found.samples} == {
        ("toad", True, CHANNEL),
        ("toadstool", False, CHANNEL),
    }
    assert await world.services.filters.figures(GUILD) == []
    assert (await run(world, words("eft"))).hits == 0


async def test_a_rule_is_tried_as_if_it_were_on_for_everything(world: World) -> None:
    await tell(world)
    narrow = words("toad", mode=Mode.OFF, text_kinds=frozenset({TextKind.HINT}), action=Action.FLAG)
    assert (await run(world, narrow)).hits == 1


async def test_a_channels_rule_is_tried_on_its_channel(world: World) -> None:
    await tell(world)
    await tell(world, CHANNEL + 1)
    assert (await run(world, words("toad"))).looked_at == 6
    assert (await run(world, words("toad", channel_id=CHANNEL))).looked_at == 3


async def test_exceptions_count_and_an_exception_can_be_tried_itself(world: World) -> None:
    await tell(world)
    exception = words("mushrooms", "toadstool", action=Action.ALLOW)
    assert (await run(world, exception)).hits == 1
    await world.services.filters.add(GUILD, exception, BY)
    assert (await run(world, words("toads", "toad*"))).hits == 1


async def test_looking_is_bounded_and_says_how_far_it_went(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await tell(world)
    monkeypatch.setattr(trial, "MAX_TEXTS", 2)
    found = await run(world, words("toad*"))
    assert (found.looked_at, found.is_everything) == (2, False)


async def test_a_classifiers_rule_is_tried_with_its_scores(world: World) -> None:
    world.classifier = scores = Scores({"owl": {"violence": 0.9}})
    await world.restart()
    await tell(world)
    rule = Rule("harm", RuleKind.CATEGORY, ("violence",), options={"block": 0.8, "fail": "block"})
    found = await run(world, rule)
    assert (found.looked_at, found.hits, found.samples[0].text) == (3, 1, TEXTS[2])
    assert [len(texts) for texts in scores.asked] == [3]
