"""What becomes of a text that a rule hits: covered, told to moderators, withheld, noted; and asked of a classifier."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bot.errors import Filtered, WorkerDown
from bot.filters import Action, Mode, Rule, RuleKind, TextKind
from bot.service.filtering.scoring import Scorer
from bot.service.sampling import MAX_ASKS
from bot.story.model import RoundKind, Source, Style
from tests.bot.service.far_end import MASKED, fresh_text
from tests.bot.service.filtering.moderators import BY, Desk, place, words
from tests.bot.service.world import ANNA, BEN, CHANNEL, GUILD, World

GOOD = [fresh_text(number) for number in range(200, 210)]
TOADS = [f"The toad sat on stone number {number}." for number in range(4)]


@pytest.fixture
async def desk(world: World) -> Desk:
    world.flags = desk = Desk()
    await world.restart()
    return desk


@dataclass
class Scores:
    """A classifier that knows words: each is a category, and its text's score."""

    known: Mapping[str, Mapping[str, float]]
    asked: list[list[str]] = field(default_factory=list)
    fault: BaseException | None = None

    async def moderate(self, texts: Sequence[str]) -> Sequence[Mapping[str, float]]:
        self.asked.append(list(texts))
        if self.fault is not None:
            raise self.fault
        return [next((s for word, s in self.known.items() if word in text), {}) for text in texts]


async def test_what_a_rule_masks_is_covered_wherever_it_is_kept_and_shown(world: World) -> None:
    await world.services.filters.add(GUILD, words("toad", action=Action.MASK), BY)
    story = await world.services.stories.start(GUILD, CHANNEL, ANNA, "Of a toad", "A toad.", "toad")
    assert (story.title, story.premise, story.style) == ("Of a ▒▒▒▒", "A ▒▒▒▒.", "▒▒▒▒")
    round_ = await world.begin(hint="a toad, please")
    assert round_.hint == "a ▒▒▒▒, please"
    await world.services.rounds.write(GUILD, CHANNEL, BEN, "My toad is mine.", 77)
    world.far.then([TOADS[0], *GOOD[:3]])
    view = await world.services.rounds.generate(round_.id)
    texts = {candidate.text for candidate in view.candidates}
    assert {"My ▒▒▒▒ is mine.", TOADS[0].replace("toad", "▒▒▒▒")} < texts
    assert view.round.withheld == 0
    assert not any("toad" in request["prompt"] for request in world.far.asked)


async def test_what_a_rule_flags_is_shown_and_brought_before_moderators(world: World, desk: Desk) -> None:
    await world.services.filters.add(GUILD, words("toad", action=Action.FLAG), BY)
    await world.story()
    round_ = await world.begin(hint="a toad, please")
    world.far.then([TOADS[0], *GOOD[:3]])
    view = await world.services.rounds.generate(round_.id)
    await world.services.rounds.write(GUILD, CHANNEL, BEN, "My toad is mine.", 77)
    view = await world.services.rounds.view(round_.id)
    model = next(c for c in view.candidates if c.text == TOADS[0])
    member = next(c for c in view.candidates if c.source is Source.MEMBER)
    assert [(one.kind, one.text, one.user_id, one.round_id, one.candidate_id) for one in desk.flagged] == [
        (TextKind.HINT, "a toad, please", ANNA, round_.id, None),
        (TextKind.CANDIDATE, TOADS[0], None, round_.id, model.id),
        (TextKind.PASSAGE, "My toad is mine.", BEN, round_.id, member.id),
    ]
    assert {(one.guild_id, one.channel_id, one.verdict.rule) for one in desk.flagged} == {(GUILD, CHANNEL, "toad")}


async def test_moderators_who_cannot_be_told_do_not_stop_the_story(
    world: World, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.is_broken = True
    await world.services.filters.add(GUILD, words("toad", action=Action.FLAG), BY)
    await world.story(title="The toad")
    assert "nobody is at the desk" in caplog.text
    (figure,) = await world.services.filters.figures(GUILD)
    assert (figure.rule, figure.action, figure.num_typed) == ("toad", "flag", 1)


async def test_a_rule_in_the_shadow_changes_nothing_and_has_figures(world: World, desk: Desk) -> None:
    await world.services.filters.add(GUILD, words("toad", mode=Mode.SHADOW), BY)
    await world.story()
    round_ = await world.begin(hint="a toad and a toad")
    world.far.then([*TOADS[:3], GOOD[0]])
    view = await world.services.rounds.generate(round_.id)
    assert (view.round.withheld, round_.hint) == (0, "a toad and a toad")
    assert desk.flagged == []
    (figure,) = await world.services.filters.figures(GUILD)
    assert (figure.rule, figure.is_shadow, figure.num_typed, figure.num_candidates) == ("toad", True, 1, 3)


async def test_moderators_see_which_candidates_were_withheld_and_why(world: World) -> None:
    entry = await world.services.filters.add(GUILD, words("toad", category="amphibians"), BY)
    await world.story()
    world.far.then([TOADS[0], *GOOD[:3]])
    view = await world.open()
    (text,) = await world.services.filters.withheld(GUILD, CHANNEL)
    assert (text.round_id, text.text, text.rule, text.category) == (view.round.id, TOADS[0], "toad", "amphibians")
    assert text.start is not None
    assert text.text[text.start : text.end] == "toad"
    assert await world.services.filters.withheld(GUILD, CHANNEL, view.round.id) == [text]
    assert await world.services.filters.withheld(GUILD + 1, CHANNEL, view.round.id) == []
    (figure,) = await world.services.filters.figures(GUILD)
    assert (figure.rule_id, figure.num_candidates) == (entry.stored.id, 1)
    world.clock.advance(days=31)
    await world.services.departures.purge_due()
    assert await world.services.filters.withheld(GUILD, CHANNEL) == []
    assert await world.services.filters.figures(GUILD) == []


async def test_withheld_texts_of_a_round_that_failed_are_kept_too(world: World) -> None:
    await world.services.filters.add(GUILD, words("toad"), BY)
    await world.story()
    world.far.then(*[TOADS] * MAX_ASKS)
    round_ = await world.begin()
    with pytest.raises(Exception, match="filter"):
        await world.services.rounds.generate(round_.id)
    assert len(await world.services.filters.withheld(GUILD, CHANNEL)) == 4 * MAX_ASKS


async def test_asked_again_the_model_is_kept_from_what_was_refused(world: World) -> None:
    world.far.model["abilities"] = ["banned_phrases"]
    await world.services.filters.add(GUILD, words("slug", "slugs", "gnu"), BY)
    await world.story()
    world.far.then([GOOD[0], "The slugs came.", "A gnu, and slugs.", "Slugs!"], GOOD[1:4])
    view = await world.open()
    first, second = world.far.asked
    assert "banned_phrases" not in first
    # A short word stands in many innocent ones, so it is banned with what ends it.
    assert second["banned_phrases"] == ["slugs", *(f" gnu{end}" for end in " .,;:!?\n'\"’”")]
    assert view.round.withheld == 3
    sampled = {c.text: c.provenance.sampling for c in view.candidates if c.provenance is not None}
    assert "banned_phrases" not in sampled[GOOD[0]]
    assert sampled[GOOD[1]]["banned_phrases"] == second["banned_phrases"]


async def test_a_server_that_did_not_say_so_is_not_asked_to_avoid_phrases(world: World) -> None:
    await world.services.filters.add(GUILD, words("toad"), BY)
    await world.story()
    world.far.then(TOADS, GOOD[:3])
    await world.open()
    assert [request for request in world.far.asked if "banned_phrases" in request] == []


async def test_a_ballot_says_when_asking_again_did_not_help(world: World) -> None:
    await world.services.filters.add(GUILD, words("toad"), BY)
    await world.story()
    world.far.then([GOOD[0], *TOADS[:3]], *[TOADS[:3]] * (MAX_ASKS - 1))
    view = await world.open()
    assert len(world.far.asked) == MAX_ASKS
    withheld, fewer = view.notices
    assert withheld == "9 candidates were withheld by a filter."
    assert fewer.startswith("Only 1 of 3 candidates: the storyteller was asked again and given up")


# the classifier

HARM = Rule("harm", RuleKind.CATEGORY, ("violence",), "harm", options={"block": 0.8, "flag": 0.5})


async def with_classifier(world: World, scores: Scores, rule: Rule = HARM) -> None:
    world.classifier = scores
    await world.restart()
    await world.services.filters.add(GUILD, rule, BY)


async def test_a_rounds_candidates_are_scored_in_one_question(world: World) -> None:
    scores = Scores({"toad": {"violence": 0.9}})
    await with_classifier(world, scores)
    await world.story()
    world.far.then([TOADS[0], *GOOD[:3]])
    view = await world.open()
    assert view.round.withheld == 1
    assert [len(texts) for texts in scores.asked] == [2, 4]  # title and premise together, and the candidates


async def test_without_a_rule_that_wants_it_no_classifier_is_asked(world: World) -> None:
    world.classifier = scores = Scores({})
    await world.restart()
    await world.story()
    assert scores.asked == []


@pytest.mark.parametrize(("fail", "passes"), [("allow", True), ("block", False)])
async def test_a_classifier_that_fails_is_counted_and_the_rule_says_what_that_means(
    world: World, fail: str, passes: bool
) -> None:
    scores = Scores({}, fault=WorkerDown("It sleeps."))
    await with_classifier(world, scores, Rule("harm", RuleKind.CATEGORY, ("violence",), options={"fail": fail}))
    if passes:
        await world.story()
    else:
        with pytest.raises(Filtered):
            await world.story()
    health = (await world.services.filters.look(place())).health
    assert health.num_failed == health.num_asked == len(scores.asked) > 0
    assert (health.last_failure, health.last_failed_at) == ("It sleeps.", world.clock.time)


async def test_a_classifier_that_hangs_is_given_up(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    class Asleep:
        async def moderate(self, texts: Sequence[str]) -> Sequence[Mapping[str, float]]:
            await asyncio.Event().wait()
            return []

    scorer = Scorer(Asleep(), world.clock)
    assert await scorer.score(["a", "b"], within_s=0.01) == [None, None]
    assert "did not answer" in caplog.text


async def test_a_classifier_that_answers_for_other_texts_is_not_believed(world: World) -> None:
    class Short:
        async def moderate(self, texts: Sequence[str]) -> Sequence[Mapping[str, float]]:
            return [{"violence": 0.0}]

    scorer = Scorer(Short(), world.clock)
    assert await scorer.score(["a", "b"]) == [None, None]
    assert scorer.health.last_failure == "It answered 1 texts where 2 were asked."


async def test_a_light_rewrite_is_judged_as_well(world: World) -> None:
    await world.story()
    await world.play()
    world.far.others.append(MASKED)
    await world.services.filters.add(GUILD, words("toad"), BY)
    world.far.then(["A toad in other words.", *[f"{GOOD[n]}" for n in range(3)]])
    view = await world.open(RoundKind.REWRITE, style=Style.LIGHT)
    assert view.round.withheld == 1
