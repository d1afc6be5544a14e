"""Stories of a channel: start, show, list, end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.errors import NoStory
from bot.filters import TextKind
from bot.service import textcheck
from bot.service.filtering.judging import Judge
from bot.service.filtering.known import UNKNOWN, Known, Place
from bot.service.views import PassageLine, StoryPage, StoryView
from bot.store import Store
from bot.story.finding import find_passages
from bot.story.model import Story

PAGE_SIZE = 10
"""Stories on one page of `/story list`."""


class StoryService:
    """What members do with whole stories. Raises `Refusal`s whose sentence is for the member who asked."""

    def __init__(self, store: Store, judge: Judge, now: Callable[[], datetime]) -> None:
        self._store = store
        self._judge = judge
        self._now = now

    async def start(
        self,
        guild_id: int,
        channel_id: int,
        user_id: int,
        title: str,
        premise: str,
        style: str = "",
        known: Known = UNKNOWN,
    ) -> Story:
        """Starts the channel's story. A blank premise or style is allowed, a blank title is not.

        `style` names a genre or mood; `known` is what Discord says of the channel and the member. Raises BadInput,
        Filtered (both carry the text back), StoryRunning.
        """
        place = Place(guild_id, channel_id, replace(known, user_id=user_id))
        typed = [(title, textcheck.TITLE), (premise, textcheck.PREMISE), (style, textcheck.STYLE)]
        given = [(text, rule) for text, rule in typed if rule is textcheck.TITLE or textcheck.is_given(text)]
        judged = await textcheck.accept_all(self._judge, place, given)
        accepted = {one.kind: one.text for one in judged}
        story = await self._store.start_story(
            *(guild_id, channel_id, accepted[TextKind.TITLE], accepted.get(TextKind.PREMISE, "")),
            *(user_id, self._now()),
            style=accepted.get(TextKind.STYLE, ""),
        )
        for one in judged:
            await self._judge.report(place, one)
        return story

    async def show(self, channel_id: int) -> StoryView:
        """The channel's running story with its whole canon. Raises NoStory."""
        story = await self._running(channel_id)
        passages = await self._store.canon(story.id)
        return StoryView(story, tuple(passages), await self._store.unfinished_round(story.id))

    async def find_passages(self, channel_id: int, typed: str, limit: int) -> tuple[PassageLine, ...]:
        """Passages of the channel's story that `typed` may mean, the likeliest first; none where there is no story.

        Canon only: everybody in the channel has read it, and what stands on a ballot is not in it.
        """
        story = await self._store.running_story(channel_id)
        if story is None:
            return ()
        told = [passage.text for passage in await self._store.canon(story.id)]
        numbers = find_passages(told, typed, limit)
        return tuple(PassageLine(number, told[number - 1], number == len(told)) for number in numbers)

    async def list(self, guild_id: int, page: int = 0) -> StoryPage:
        """A page of the server's stories, newest first; `page` counts from 0, past the end the page is empty."""
        number = max(page, 0)
        # One more than the page holds tells whether there is a next one.
        found = await self._store.stories_of_guild(guild_id, limit=PAGE_SIZE + 1, offset=number * PAGE_SIZE)
        return StoryPage(tuple(found[:PAGE_SIZE]), number, has_more=len(found) > PAGE_SIZE)

    async def end(self, channel_id: int, user_id: int) -> Story:
        """Ends the channel's story; its text stays. Raises NoStory, RoundRunning."""
        story = await self._running(channel_id)
        return await self._store.end_story(story.id, user_id, self._now())

    async def _running(self, channel_id: int) -> Story:
        story = await self._store.running_story(channel_id)
        if story is None:
            raise NoStory
        return story
