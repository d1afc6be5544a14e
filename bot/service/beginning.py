"""How a round begins: what was typed is checked, what a rewrite would replace is found, and nothing is asked yet."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.errors import BadInput, NoStory, WorkerError
from bot.service import textcheck
from bot.service.filtering.judging import Judge
from bot.service.filtering.known import Known, Place
from bot.service.light import require_readable, require_rewriter
from bot.service.sampling import MAX_SEED
from bot.service.settings import SettingsService
from bot.store import Store
from bot.story.kept_words import kept_words
from bot.story.limits import Admission, Quotas
from bot.story.model import Passage, Round, RoundKind, Story, Style
from bot.worker import WorkerClient

LOOK_S = 1.5
"""How long the worker may take to say whether it can rewrite lightly, before a command must be answered (3 s)."""


class Beginning:
    """Begins rounds in state `generating`. What can be refused is refused here, before anything is public."""

    def __init__(
        self,
        store: Store,
        worker: WorkerClient,
        judge: Judge,
        settings: SettingsService,
        now: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._store = store
        self._worker = worker
        self._judge = judge
        self._settings = settings
        self._now = now
        self._rng = rng

    async def running(self, channel_id: int) -> Story:
        """The channel's story. Raises NoStory."""
        story = await self._store.running_story(channel_id)
        if story is None:
            raise NoStory
        return story

    async def begin(
        self,
        kind: RoundKind,
        guild_id: int,
        channel_id: int,
        user_id: int,
        hint: str | None,
        interaction_id: int | None,
        number: int | None,
        style: Style,
        known: Known,
    ) -> Round:
        """See `RoundService.begin`."""
        story = await self.running(channel_id)
        rule = textcheck.HINT if kind is RoundKind.CONTINUE else textcheck.INSTRUCTION
        place = Place(guild_id, channel_id, replace(known, user_id=user_id))
        judged = await textcheck.accept_optional(self._judge, place, hint, rule)
        wanted = None if judged is None else judged.text
        passage_id = None
        if kind is RoundKind.REWRITE:
            replaced = await self._replaced(story, number, hint)
            # Without a number it is whatever is the last passage when the round begins.
            passage_id = None if number is None or replaced is None else replaced.id
            if style is Style.LIGHT and replaced is not None:
                require_readable(replaced, hint)
                keep = kept_words(wanted or "", replaced.text)  # refuses what a light rewrite can't do
                await self._require_rewriter(keep)
        round_ = await self.begin_in(story, kind, guild_id, user_id, interaction_id, known, wanted, passage_id, style)
        if judged is not None:
            await self._judge.report(place, judged, round_id=round_.id)
        return round_

    async def begin_in(
        self,
        story: Story,
        kind: RoundKind,
        guild_id: int,
        user_id: int,
        interaction_id: int | None,
        known: Known,
        hint: str | None = None,
        passage_id: int | None = None,
        style: Style = Style.FRESH,
        *,
        with_text: bool = False,
    ) -> Round:
        """A round of a story that was just read, with what was checked.

        Raises NoStory, RoundRunning, BadInput; Stopped and OverQuota, which are decided in the transaction that begins
        the round, so that of two commands at the same time only one gets the last place.
        """
        quotas = await self.quotas(guild_id, story.channel_id, known)
        return await self._store.begin_round(
            story.id,
            kind,
            await self._settings.resolve(guild_id, story.channel_id),
            hint=hint,
            passage_id=passage_id,
            style=style,
            opened_by=user_id,
            guild_id=guild_id,
            channel_id=story.channel_id,
            seed=self._rng.randint(0, MAX_SEED),
            interaction_id=interaction_id,
            admission=Admission(quotas, known.parent_id, with_text),
            now=self._now(),
        )

    async def quotas(self, guild_id: int, channel_id: int, known: Known) -> Quotas:
        """The limits that hold for whoever asks."""
        quotas = await self._settings.quotas(guild_id, channel_id)
        return quotas.for_moderator() if known.is_moderator else quotas

    async def _replaced(self, story: Story, number: int | None, typed: str | None) -> Passage | None:
        """The passage of canon with this number; None for a story without any, which the store refuses."""
        canon = await self._store.canon(story.id)
        if not canon or number is None:
            return canon[-1] if canon else None
        if not 1 <= number <= len(canon):
            raise BadInput(f"There is no passage {number}: this story's are numbered from 1 to {len(canon)}.", typed)
        return canon[number - 1]

    async def _require_rewriter(self, keep: tuple[str, ...]) -> None:
        """Raises NoRewriter where the worker says so in time; `generate` will find out where it does not answer.

        Asked anew each time: a host who has just added the model would be told for ever that there is none.
        """
        try:
            async with asyncio.timeout(LOOK_S):
                card = await self._worker.describe(anew=True)
        except (TimeoutError, WorkerError):
            return
        require_rewriter(card, keep)
