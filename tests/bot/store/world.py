"""Short ways to the states that tests begin from: a story with canon, a round that generates, a ballot that is open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.store import Closed, Store
from bot.story.model import (
    Candidate,
    Draft,
    Hints,
    Method,
    PromptRecord,
    Provenance,
    Round,
    RoundKind,
    RoundSettings,
    Source,
    Story,
    Style,
    Tally,
)

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
GUILD, CHANNEL = 700, 800
ALICE, BOB, CAROL = 11, 12, 13
SETTINGS = RoundSettings()
OTHER_SETTINGS = RoundSettings(5, 0.5, Method.PLURALITY, 7, 200, Tally.LIVE, early=False, hints=Hints.LOOSE)

PROVENANCE = Provenance(
    model="storyteller",
    revision="abc",
    seed=2**80,
    sampling={"temperature": 0.8, "top_p": 0.95, "max_tokens": 120, "stop": ["<|end|>"]},
    prompt=PromptRecord(("premise", "canon"), (1, 2), (3,), "gold, dragon", 210, 384),
    prompt_tokens=210,
    completion_tokens=64,
    finish_reason="stop",
)


def model_drafts(count: int = 3) -> list[Draft]:
    return [Draft(f"Text {number}.", Source.MODEL, provenance=PROVENANCE) for number in range(count)]


def toggled(current: frozenset[int], choice: int) -> frozenset[int]:
    """Approval without the rule about none of these: enough to see whether a click is lost."""
    return current ^ {choice}


async def start(store: Store, channel_id: int = CHANNEL, guild_id: int = GUILD, title: str = "The Hill") -> Story:
    return await store.start_story(guild_id, channel_id, title, "A fox.", ALICE, NOW)


async def begin(
    store: Store,
    story: Story,
    kind: RoundKind = RoundKind.CONTINUE,
    settings: RoundSettings = SETTINGS,
    interaction_id: int | None = None,
    hint: str | None = None,
    passage_id: int | None = None,
    style: Style = Style.FRESH,
) -> Round:
    return await store.begin_round(
        story.id,
        kind,
        settings,
        hint=hint,
        passage_id=passage_id,
        style=style,
        opened_by=ALICE,
        guild_id=story.guild_id,
        channel_id=story.channel_id,
        seed=5,
        interaction_id=interaction_id,
        now=NOW,
    )


async def open_ballot(
    store: Store,
    story: Story,
    kind: RoundKind = RoundKind.CONTINUE,
    count: int = 3,
    passage_id: int | None = None,
) -> tuple[Round, list[Candidate]]:
    round_ = await begin(store, story, kind, passage_id=passage_id)
    drafts = model_drafts(count)
    if kind is RoundKind.REWRITE:
        assert round_.passage_id is not None
        old = await store.passage(round_.passage_id)
        drafts.append(Draft(old.text, Source.INCUMBENT, old.author_user_id, old.id))
    return await store.open_ballot(round_.id, drafts, 0, LATER, NOW)


async def close(store: Store, round_: Round, winner: Candidate | None) -> Closed:
    return await store.close_round(round_.id, "lead", None if winner is None else winner.id, None, LATER)


async def play(
    store: Store,
    story: Story,
    winner: int = 0,
    kind: RoundKind = RoundKind.CONTINUE,
    passage_id: int | None = None,
) -> Closed:
    """One whole round that the candidate at position `winner` wins."""
    round_, candidates = await open_ballot(store, story, kind, passage_id=passage_id)
    return await close(store, round_, candidates[winner])
