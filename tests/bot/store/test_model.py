"""Any sequence of calls against the store does what it does to a few dictionaries, restarts in between included."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.errors import BadInput, NoRound, NoStory, RoundOver, RoundRunning, StoreError, StoryRunning
from bot.store import Closed, Store
from bot.story.model import NONE_OF_THESE, Candidate, Draft, Round, RoundKind, RoundState, Source
from tests.bot.store.world import ALICE, LATER, NOW, SETTINGS, model_drafts

UNFINISHED = (RoundState.GENERATING, RoundState.OPEN)
MEMBERS = st.integers(1, 3)
PICKS = st.integers(0, 20)
"""Picks one of what there is, counted modulo."""
INTERACTIONS = st.none() | st.integers(1, 6)


@dataclass
class PlainStory:
    id: int
    channel_id: int
    canon: list[str] = field(default_factory=list)
    is_running: bool = True


@dataclass
class PlainRound:
    id: int
    story: PlainStory
    kind: RoundKind
    asked_by: int | None
    state: RoundState = RoundState.GENERATING
    candidates: list[Candidate] = field(default_factory=list)
    held: dict[int, str] = field(default_factory=dict)
    ballots: dict[int, frozenset[int]] = field(default_factory=dict)
    unconfirmed: dict[tuple[int, int], bool] = field(default_factory=dict)
    is_extended: bool = False
    place: int = -1
    """Where in canon the passage stands that a rewrite would replace."""

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED


def toggle(current: frozenset[int], choice: int) -> frozenset[int]:
    if choice == NONE_OF_THESE or NONE_OF_THESE in current:
        return frozenset({choice}) - (current & {choice})
    return current ^ {choice}


class StoreMachine(RuleBasedStateMachine):
    """The dictionaries beside a store on a real file. A rule foretells what the call does, and then makes it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "model.sqlite3"
        self.runner = asyncio.Runner()
        self.store = self.run(Store.open(self.path)._open())
        self.stories: list[PlainStory] = []
        self.rounds: list[PlainRound] = []
        self.counted: dict[int, PlainRound] = {}
        self.num_texts = 0

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def run(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(call)

    def expect(self, refusal: type[Exception] | None, call: Coroutine[Any, Any, Any]) -> Any:
        """Makes the call, which must be refused as foretold, or not at all."""
        try:
            result = self.run(call)
        except Exception as error:
            if type(error) is not refusal:
                raise
            return None
        assert refusal is None, f"{result} instead of {refusal}"
        return result

    def text(self) -> str:
        self.num_texts += 1
        return f"Text {self.num_texts}."

    def unfinished(self, story: PlainStory) -> PlainRound | None:
        return next((round_ for round_ in self.rounds if round_.story is story and round_.is_unfinished), None)

    def finish(self, round_: PlainRound, state: RoundState) -> None:
        round_.state = state
        self.counted = {interaction: where for interaction, where in self.counted.items() if where is not round_}

    def is_new(self, interaction: int | None) -> bool:
        """Whether an interaction is new; the caller notes it where the call is not refused."""
        return interaction is None or interaction not in self.counted

    def note(self, round_: PlainRound, interaction: int | None) -> None:
        if interaction is not None:
            self.counted[interaction] = round_

    @rule(channel_id=st.integers(1, 2))
    def start_story(self, channel_id: int) -> None:
        is_taken = any(story.is_running and story.channel_id == channel_id for story in self.stories)
        call = self.store.start_story(channel_id, channel_id, "T", "", ALICE, NOW)
        story = self.expect(StoryRunning if is_taken else None, call)
        if story is not None:
            self.stories.append(PlainStory(story.id, channel_id))

    @precondition(lambda self: self.stories)
    @rule(pick=PICKS)
    def end_story(self, pick: int) -> None:
        story = self.stories[pick % len(self.stories)]
        refusal = NoStory if not story.is_running else RoundRunning if self.unfinished(story) else None
        if self.expect(refusal, self.store.end_story(story.id, ALICE, NOW)) is not None:
            story.is_running = False

    @precondition(lambda self: self.stories)
    @rule(
        pick=PICKS, kind=st.sampled_from(RoundKind), interaction=st.none() | st.integers(101, 110), at=st.none() | PICKS
    )
    def begin_round(self, pick: int, kind: RoundKind, interaction: int | None, at: int | None) -> None:
        story = self.stories[pick % len(self.stories)]
        place = -1 if at is None or kind is RoundKind.CONTINUE or not story.canon else at % len(story.canon)
        replaced = None if place < 0 else self.run(self.store.canon(story.id))[place].id
        call = self.store.begin_round(
            *(story.id, kind, SETTINGS),
            hint=None,
            passage_id=replaced,
            opened_by=ALICE,
            guild_id=story.channel_id,
            channel_id=story.channel_id,
            seed=1,
            interaction_id=interaction,
            now=NOW,
        )
        earlier = next((round_ for round_ in self.rounds if interaction and round_.asked_by == interaction), None)
        if earlier is not None:
            assert self.run(call).id == earlier.id
            return
        lacks_passage = kind is RoundKind.REWRITE and not story.canon
        refusal = (
            *([NoStory] if not story.is_running else []),
            *([RoundRunning] if self.unfinished(story) else []),
            *([BadInput] if lacks_passage else []),
            None,
        )[0]
        round_: Round | None = self.expect(refusal, call)
        if round_ is not None:
            self.rounds.append(PlainRound(round_.id, story, kind, interaction, place=place))

    @precondition(lambda self: self.rounds)
    @rule(pick=PICKS, member=MEMBERS, interaction=INTERACTIONS)
    def add_text(self, pick: int, member: int, interaction: int | None) -> None:
        round_ = self.rounds[pick % len(self.rounds)]
        written = {c.author_user_id: c.text for c in round_.candidates if c.source is Source.MEMBER} | round_.held
        is_replay = not self.is_new(interaction) and member in written
        reserved = SETTINGS.candidates + (round_.kind is RoundKind.REWRITE) + len(round_.held)
        taken = len(round_.candidates) if round_.state is RoundState.OPEN else reserved
        is_refused = not is_replay and (member in written or taken >= 8)
        refusal = RoundOver if not round_.is_unfinished else BadInput if is_refused else None
        text = self.text()
        call = self.store.add_text(round_.id, member, text, NOW, interaction_id=interaction)
        added = self.expect(refusal, call)
        if added is None:
            return
        assert added.text == (written[member] if is_replay else text)
        if is_replay:
            return
        if self.is_new(interaction):
            self.note(round_, interaction)
        if isinstance(added, Candidate):
            round_.candidates.append(added)
        else:
            round_.held[member] = text

    @precondition(lambda self: self.rounds)
    @rule(pick=PICKS, count=st.integers(0, 3))
    def open_ballot(self, pick: int, count: int) -> None:
        round_ = self.rounds[pick % len(self.rounds)]
        drafts = [Draft(self.text(), draft.source) for draft in model_drafts(count)]
        if round_.kind is RoundKind.REWRITE and round_.state is RoundState.GENERATING:
            replaced = self.run(self.store.round(round_.id)).passage_id
            drafts.append(Draft(round_.story.canon[round_.place], Source.INCUMBENT, None, replaced))
        is_empty = not drafts and not round_.held
        refusal = RoundOver if round_.state is not RoundState.GENERATING else StoreError if is_empty else None
        result = self.expect(refusal, self.store.open_ballot(round_.id, drafts, 0, LATER, NOW))
        if result is not None:
            opened, candidates = result
            assert [c.text for c in candidates[: len(drafts)]] == [draft.text for draft in drafts]
            assert {c.author_user_id: c.text for c in candidates[len(drafts) :]} == round_.held
            round_.state, round_.candidates, round_.held = opened.state, candidates, {}

    @precondition(lambda self: self.rounds)
    @rule(pick=PICKS, member=MEMBERS, choice=PICKS, interaction=INTERACTIONS)
    def click(self, pick: int, member: int, choice: int, interaction: int | None) -> None:
        round_ = self.rounds[pick % len(self.rounds)]
        ids = [NONE_OF_THESE, *(candidate.id for candidate in round_.candidates), 10_000]
        chosen = ids[choice % len(ids)]
        is_new = self.is_new(interaction)
        is_refused = is_new and chosen == 10_000
        refusal = RoundOver if round_.state is not RoundState.OPEN else BadInput if is_refused else None
        call = self.store.toggle(round_.id, member, chosen, interaction, NOW, toggle)
        ballot = self.expect(refusal, call)
        if refusal is None:
            before = round_.ballots.get(member, frozenset())
            if is_new:
                self.note(round_, interaction)
            if is_new and round_.unconfirmed.get((member, chosen)) is not (chosen in before):
                after = toggle(before, chosen)
                self.set_ballot(round_, member, after)
                round_.unconfirmed[member, chosen] = chosen in after
            assert (None if ballot is None else ballot.choices) == round_.ballots.get(member)

    @precondition(lambda self: self.rounds)
    @rule(pick=PICKS, choice=PICKS)
    def confirm(self, pick: int, choice: int) -> None:
        round_ = self.rounds[pick % len(self.rounds)]
        if round_.unconfirmed:
            member, chosen = sorted(round_.unconfirmed)[choice % len(round_.unconfirmed)]
            self.run(self.store.confirm_click(round_.id, member, chosen))
            del round_.unconfirmed[member, chosen]

    @precondition(lambda self: self.rounds)
    @rule(pick=PICKS, member=MEMBERS, choices=st.sets(PICKS, max_size=3), interaction=INTERACTIONS)
    def cast(self, pick: int, member: int, choices: set[int], interaction: int | None) -> None:
        round_ = self.rounds[pick % len(self.rounds)]
        ids = [candidate.id for candidate in round_.candidates] or [10_000]
        chosen = frozenset(ids[choice % len(ids)] for choice in choices)
        refusal = None if round_.state is RoundState.OPEN else RoundOver
        ballot = self.expect(refusal, self.store.cast(round_.id, member, chosen, interaction, NOW))
        if refusal is None:
            if self.is_new(interaction):
                self.note(round_, interaction)
                self.set_ballot(round_, member, chosen)
            assert (None if ballot is None else ballot.choices) == round_.ballots.get(member)

    def set_ballot(self, round_: PlainRound, member: int, choices: frozenset[int]) -> None:
        round_.ballots.pop(member, None)
        if choices:
            round_.ballots[member] = choices

    @precondition(lambda self: self.rounds)
    @rule(pick=PICKS, seconds=st.integers(1, 100))
    def extend(self, pick: int, seconds: int) -> None:
        round_ = self.rounds[pick % len(self.rounds)]
        may = round_.state is RoundState.OPEN and not round_.is_extended
        call = self.store.extend_round(round_.id, LATER + timedelta(seconds=seconds))
        if self.expect(None if may else RoundOver, call) is not None:
            round_.is_extended = True

    @precondition(lambda self: self.rounds)
    @rule(pick=PICKS, winner=st.none() | PICKS)
    def close(self, pick: int, winner: int | None) -> None:
        round_ = self.rounds[pick % len(self.rounds)]
        chosen = None
        if winner is not None and round_.candidates:
            chosen = round_.candidates[winner % len(round_.candidates)]
        call = self.store.close_round(round_.id, "lead", None if chosen is None else chosen.id, None, NOW)
        is_first = round_.state is RoundState.OPEN
        closed: Closed | None = self.expect(NoRound if round_.state is RoundState.GENERATING else None, call)
        if closed is None:
            return
        assert closed.is_new == is_first
        if not is_first:
            return
        self.finish(round_, RoundState.CLOSED)
        if chosen is not None and chosen.source is not Source.INCUMBENT:
            if round_.kind is RoundKind.REWRITE:
                round_.story.canon[round_.place] = chosen.text
            else:
                round_.story.canon.append(chosen.text)

    @precondition(lambda self: self.rounds)
    @rule(pick=PICKS)
    def cancel(self, pick: int) -> None:
        round_ = self.rounds[pick % len(self.rounds)]
        refusal = None if round_.is_unfinished else RoundOver
        if self.expect(refusal, self.store.cancel_round(round_.id, ALICE, NOW)) is not None:
            self.finish(round_, RoundState.CANCELLED)

    @precondition(lambda self: self.rounds)
    @rule(pick=PICKS)
    def fail(self, pick: int) -> None:
        round_ = self.rounds[pick % len(self.rounds)]
        refusal = None if round_.state is RoundState.GENERATING else RoundOver
        if self.expect(refusal, self.store.fail_round(round_.id, "x", NOW)) is not None:
            self.finish(round_, RoundState.FAILED)

    @rule()
    def restart(self) -> None:
        self.run(self.store.close())
        self.store = self.run(Store.open(self.path)._open())

    @precondition(lambda self: len(self.stories) > 3)
    @rule(guild_id=st.integers(1, 2))
    def purge(self, guild_id: int) -> None:
        """A server is its one channel here."""
        gone = [story for story in self.stories if story.channel_id == guild_id]
        assert self.run(self.store.purge_guild(guild_id)) == len(gone)
        self.stories = [story for story in self.stories if story.channel_id != guild_id]
        self.rounds = [round_ for round_ in self.rounds if round_.story.channel_id != guild_id]
        self.counted = {key: where for key, where in self.counted.items() if where.story.channel_id != guild_id}

    @invariant()
    def the_store_says_the_same(self) -> None:
        self.run(self.compare())

    async def compare(self) -> None:
        for story in self.stories:
            assert [passage.text for passage in await self.store.canon(story.id)] == story.canon
            assert (await self.store.story(story.id)).is_running == story.is_running
        for round_ in self.rounds:
            stored = await self.store.round(round_.id)
            assert (stored.state, stored.extended) == (round_.state, round_.is_extended)
            assert await self.store.candidates(round_.id) == round_.candidates
            assert {text.user_id: text.text for text in await self.store.held_texts(round_.id)} == round_.held
            ballots = await self.store.ballots(round_.id)
            assert {ballot.user_id: ballot.choices for ballot in ballots} == round_.ballots
        unfinished = [round_.id for round_ in self.rounds if round_.is_unfinished]
        assert [round_.id for round_ in await self.store.unfinished_rounds()] == unfinished


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
