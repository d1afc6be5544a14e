"""Reports, flags and appeals, and what moderators do about them. Nothing is done to a member by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from bot.errors import BadInput, CaseOver, NoCase
from bot.service.locks import RoundLocks
from bot.service.views import CasePage, CaseView, MessagePlace, Reported
from bot.store import Acted, Store
from bot.story.cases import Act, Case, CaseVoice, Subject, Thing, Voice, possible_acts
from bot.story.hygiene import clean_member_text
from bot.story.model import Candidate, Round, RoundState

MODERATORS_CHANNEL = "moderators_channel"
"""The name under which a server's value is kept, beside its settings; it is none of a round's."""
MAX_REASON = 500
PAGE_SIZE = 5
"""Cases on one page of `/moderation cases`."""
MUST_SAY_WHY = frozenset({Act.REMOVE, Act.REWIND, Act.REDACT, Act.RESTORE, Act.WARN, Act.BAR})
"""Acts that change what others read, or that a member is told of."""


class Bars(Protocol):
    """Whoever keeps members from using the bot for a time. It writes down each bar itself."""

    async def bar(self, guild_id: int, user_id: int, until: datetime, by: int, reason: str) -> object:
        """Bars the member from the bot in this server until then."""
        ...


class CaseService:
    """Cases of a server. Who reported is for moderators only, and what is hidden stays with them too.

    `stop_writing` ends the model's work for a round; `on_change` is called with the id of each case whose card is out
    of date. Without `bars`, nobody can be barred from here.
    """

    def __init__(
        self,
        store: Store,
        locks: RoundLocks,
        stop_writing: Callable[[int], None],
        now: Callable[[], datetime],
        bars: Bars | None = None,
    ) -> None:
        self._store = store
        self._locks = locks
        self._stop_writing = stop_writing
        self._now = now
        self._bars = bars
        self.on_change: Callable[[int], None] = lambda _case_id: None

    async def report(
        self,
        guild_id: int,
        user_id: int,
        reason: str,
        *,
        passage_id: int | None = None,
        candidate_id: int | None = None,
    ) -> Reported:
        """A member reports a passage or a candidate. The same member and thing again changes nothing.

        Raises BadInput (too long a reason, a text that is gone or of another server).
        """
        thing = Thing(guild_id, 0, passage_id, candidate_id)
        return await self._speak(thing, Voice.REPORT, user_id, reason)

    async def flag(
        self,
        guild_id: int,
        channel_id: int,
        kind: str,
        text: str,
        *,
        category: str,
        rule: str,
        user_id: int | None = None,
        round_id: int | None = None,
        candidate_id: int | None = None,
    ) -> Reported:
        """A filter wants a text to be looked at. `user_id` is the member who wrote it, None for the model.

        With `candidate_id` it is about that candidate; without, about a text that stands nowhere, and `round_id` is the
        round that it was written for. Raises BadInput for a candidate that is gone, or of another server.
        """
        if candidate_id is not None:
            thing = Thing(guild_id, channel_id, candidate_id=candidate_id)
        else:
            thing = Thing(guild_id, channel_id, text=text, kind=kind, author_user_id=user_id, round_id=round_id)
        return await self._speak(thing, Voice.FLAG, None, "", category, rule)

    async def appeal(
        self, guild_id: int, channel_id: int, kind: str, text: str, user_id: int, *, category: str, reason: str = ""
    ) -> Reported:
        """A member whose text was refused asks a moderator to look at it. Raises BadInput (no text, a long reason)."""
        if not text.strip():
            raise BadInput("There is no text to look at.")
        thing = Thing(guild_id, channel_id, text=text.strip(), kind=kind, author_user_id=user_id)
        return await self._speak(thing, Voice.APPEAL, user_id, reason, category)

    async def act(
        self, guild_id: int, case_id: int, act: Act, by: int, reason: str, *, until: datetime | None = None
    ) -> Acted:
        """What a moderator decided. Raises NoCase, CaseOver, BadInput (a reason that is needed, or too long), Refusal.

        A text that is removed or hidden is out of every place at once; rounds that were about it are cancelled.
        """
        case = await self._case(guild_id, case_id)
        said = _reason(reason)
        if act in MUST_SAY_WHY and not said:
            raise BadInput("Please say why: it is written down, and others may ask.")
        if act is Act.BAR:
            await self._bar(case, by, said, until)
        async with self._held(await self._store.subject(case_id)):
            acted = await self._store.act(case_id, act, by, said, self._now())
        if acted.cancelled is not None:
            self._stop_writing(acted.cancelled.id)
        self.on_change(case_id)
        return acted

    async def note_told(self, act_id: int, case_id: int, *, is_told: bool) -> None:
        """Whether the member could be told of a warning."""
        await self._store.note_told(act_id, is_told=is_told)
        self.on_change(case_id)

    async def view(self, guild_id: int, case_id: int) -> CaseView:
        """The case for moderators of its server. Raises NoCase."""
        return await self._view(await self._case(guild_id, case_id))

    async def view_any(self, case_id: int) -> CaseView:
        """The case, for its card. Raises NoCase."""
        return await self._view(await self._store.case(case_id))

    async def open_page(self, guild_id: int, page: int = 0) -> CasePage:
        """A page of the server's open cases, the oldest first; `page` counts from 0."""
        number = max(page, 0)
        found = await self._store.open_cases(guild_id, PAGE_SIZE + 1, number * PAGE_SIZE)
        views = [await self._view(case) for case in found[:PAGE_SIZE]]
        return CasePage(tuple(views), number, has_more=len(found) > PAGE_SIZE)

    async def channel(self, guild_id: int) -> int | None:
        """Where the server's moderators get their cards; None where they look at `/moderation cases`."""
        guild, _ = await self._store.get_settings(guild_id, 0)
        value = guild.get(MODERATORS_CHANNEL)
        return None if value is None else int(value)

    async def set_channel(self, guild_id: int, channel_id: int | None, user_id: int) -> None:
        """Cards go there from now on; None: nowhere. Open cases without a card get one."""
        value = None if channel_id is None else str(channel_id)
        await self._store.set_setting(guild_id, None, MODERATORS_CHANNEL, value, user_id, self._now())
        if channel_id is not None:
            for case in await self._store.undrawn_cases(guild_id):
                self.on_change(case.id)

    async def undrawn(self) -> list[int]:
        """Cases whose card is out of date, or missing: for a restart."""
        return [case.id for case in await self._store.undrawn_cases()]

    async def note_card(self, view: CaseView, channel_id: int, message_id: int) -> None:
        """The card shows the view, and stands there."""
        await self._store.note_card(view.case.id, channel_id, message_id, view.case.changes)

    async def undrawn_rounds(self) -> dict[int, int]:
        """Rounds whose messages show a text that was hidden or restored since, with what `note_drawn` wants back."""
        return await self._store.undrawn_rounds()

    async def note_drawn(self, round_id: int, changes: int) -> None:
        """The round's messages are drawn, as of `changes`."""
        await self._store.note_drawn(round_id, changes)

    async def announcement(self, round_id: int) -> list[int]:
        """The messages that told the round's result, to edit them."""
        return await self._store.announcement(round_id)

    async def shown_by(self, guild_id: int, message_id: int) -> tuple[Round, bool] | None:
        """The round that a message shows, and whether it tells its result; None for any other message."""
        found = await self._store.round_of_message(message_id)
        return None if found is None or found[0].guild_id != guild_id else found

    async def told_passage(self, round_id: int) -> int | None:
        """The passage that the round added to the story, None where it added none."""
        passage = await self._store.passage_of_round(round_id)
        return None if passage is None else passage.id

    async def reportable(self, guild_id: int, round_id: int) -> tuple[Candidate, ...]:
        """What of the round's ballot can be reported. Raises NoRound; BadInput where nothing is left."""
        round_ = await self._store.round(round_id)
        found = await self._store.candidates(round_id) if round_.guild_id == guild_id else []
        shown = tuple(one for one in found if one.mark is None)
        if not shown:
            raise BadInput("There is nothing here that could be reported (any more).")
        return shown

    async def _speak(
        self, thing: Thing, voice: Voice, user_id: int | None, reason: str, category: str = "", rule: str = ""
    ) -> Reported:
        said = CaseVoice(voice, user_id, category, rule, _reason(reason), self._now())
        voiced = await self._store.add_voice(thing, said)
        if voiced.is_new:
            self.on_change(voiced.case.id)
        return Reported(voiced.case, voiced.is_new, await self.channel(thing.guild_id) is not None)

    async def _case(self, guild_id: int, case_id: int) -> Case:
        case = await self._store.case(case_id)
        if case.guild_id != guild_id:
            raise NoCase
        return case

    async def _view(self, case: Case) -> CaseView:
        subject = await self._store.subject(case.id)
        acts = possible_acts(case, subject)
        return CaseView(
            case=case,
            subject=subject,
            voices=tuple(await self._store.case_voices(case.id)),
            acts=tuple(await self._store.case_acts(case.id)),
            possible=tuple(act for act in acts if act is not Act.BAR or self._bars is not None),
            shown_at=await self._shown_at(case, subject),
            is_blind=await self._is_blind(subject),
        )

    async def _shown_at(self, case: Case, subject: Subject) -> MessagePlace | None:
        """The message where members read it: what told the result, or the ballot."""
        if subject.round_id is None:
            return None
        told = await self._store.announcement(subject.round_id) if subject.passage_id is not None else []
        message_id = told[0] if told else (await self._store.round(subject.round_id)).message_id
        return None if message_id is None else MessagePlace(case.guild_id, case.channel_id, message_id)

    async def _is_blind(self, subject: Subject) -> bool:
        """Moderators vote too: before the close they don't learn either who wrote what."""
        if subject.round_id is None or subject.letter is None:
            return False
        return (await self._store.round(subject.round_id)).state is RoundState.OPEN

    async def _bar(self, case: Case, by: int, reason: str, until: datetime | None) -> None:
        subject = await self._store.subject(case.id)
        if self._bars is None or subject.author_user_id is None or until is None or until <= self._now():
            raise CaseOver
        await self._bars.bar(case.guild_id, subject.author_user_id, until, by, reason)

    @asynccontextmanager
    async def _held(self, subject: Subject) -> AsyncIterator[None]:
        """The lock of the story's unfinished round: nothing is counted while a candidate leaves the ballot."""
        unfinished = None if subject.story_id is None else await self._store.unfinished_round(subject.story_id)
        if unfinished is None:
            yield
            return
        async with self._locks.of(unfinished.id):
            yield


def _reason(typed: str) -> str:
    """Cleaned, and empty where nothing was typed. Not filtered: who reports a slur may quote it."""
    return clean_member_text(typed, what="reason", min_chars=1, max_chars=MAX_REASON) if typed.strip() else ""
