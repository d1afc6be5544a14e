"""Members of the demo's server who act and then look whether it did what it should."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import discord
from simcord import InteractionResult

from bot.demo.stage import Stage
from bot.discord_app.buttons import Action, Verb
from bot.service.views import BallotView
from bot.story.model import Candidate, Passage, RoundState

T = TypeVar("T")

WAIT_S = 120.0
"""How long the model and everything around it may take for one answer, on a machine that has other things to do."""
LOOK_S = 0.1


class PlayFailed(Exception):
    """Something is not as it should be; the message says what."""


class Play:
    """The members in the channel. Every method raises PlayFailed, or TimeoutError where nothing came."""

    def __init__(self, stage: Stage) -> None:
        self._world = stage.world
        self._services = stage.app.services
        self._worker = stage.app.worker
        self._channel = stage.world.channel
        self._moderators = stage.world.moderators
        self._ada, self._ben, self._chloe = stage.world.members

    async def start_story(self, title: str, premise: str) -> None:
        result = await self._ada.slash(self._channel, "story start", title=title, premise=premise)
        require_public(result, "/story start")
        view = await self._services.stories.show(self._channel.id)
        require(view.story.title == title and view.story.premise == premise, "the story is not the one that was begun")

    async def ask(self, command: str, *, least: int | None = None, **options: str) -> BallotView:
        """Ada asks for a round; returns its ballot once it is open and can be seen in the channel.

        All the candidates that the channel has set must have come, or at least `least` of them.
        """
        require_public(await self._ada.slash(self._channel, command, **options), f"/{command}")
        round_ = await self._services.rounds.unfinished_in(self._channel.id)
        if round_ is None:
            raise PlayFailed(f"/{command} left no round behind")
        ballot = await self._until(lambda: self._open_ballot(round_.id))
        wanted = round_.settings.candidates if least is None else least
        written = len(ballot.candidates) - (ballot.incumbent_id is not None)
        require(written >= wanted, f"the ballot has {written} new candidates, not {wanted}")
        return ballot

    async def choose(self, ballot: BallotView, candidate: Candidate, place: int = -1) -> Passage:
        """Ben and Chloe vote for it; returns the passage that this made canon, once it is told in the channel.

        `place` is where in canon it must stand then, counted from 0: at the end, where nothing else is said.
        """
        message = self._message(ballot.round.message_id)
        button = Action(Verb.VOTE, (ballot.round.id, candidate.id)).custom_id
        for member in (self._ben, self._chloe):
            receipt = await member.click(message, custom_id=button)
            require(receipt.ephemeral, "a vote was not confirmed privately")
        view = await self._until(lambda: self._closed_ballot(ballot.round.id))
        require(view.round.winner_id == candidate.id, "another candidate won than the one that both voted for")
        passage = (await self._services.stories.show(self._channel.id)).passages[place]
        require(passage.text == candidate.text, "the winner does not stand in canon where it should")
        return passage

    async def find_recap(self, title: str) -> None:
        """The first message of a new run names the story."""
        first = self._channel.history()[0]
        require(
            any(title in text for text in texts_of(first)), "the first message does not tell where the story stands"
        )

    async def find_again(self, ballot: BallotView) -> BallotView:
        """The same open round, in a message that is there."""
        again = await self._until(lambda: self._open_ballot(ballot.round.id))
        require(again.candidates == ballot.candidates, "the ballot has other candidates than before the restart")
        return again

    async def canon(self) -> list[str]:
        return [passage.text for passage in (await self._services.stories.show(self._channel.id)).passages]

    async def require_canon(self, *texts: str) -> None:
        found = await self.canon()
        require(found == list(texts), f"canon has {len(found)} passages that are not the {len(texts)} expected")

    def require_prompts_with(self, ballot: BallotView, passage: Passage) -> None:
        """Every candidate was written with the passage in its prompt."""
        for candidate in ballot.candidates:
            record = candidate.provenance.prompt if candidate.provenance is not None else None
            used = record is not None and passage.id in record.passages_used
            require(used, f"candidate {candidate.letter} was written without the last passage in its prompt")

    async def can_rewrite_lightly(self) -> bool:
        """Whether the worker lists a masked model beside the storyteller."""
        return (await self._worker.describe(anew=True)).rewriter is not None

    def require_light(self, ballot: BallotView) -> None:
        """Every new candidate was made by another model than the storyteller, of the words that stood there."""
        for candidate in ballot.candidates:
            found = candidate.provenance
            if found is not None:
                require("mask_share" in found.sampling, f"candidate {candidate.letter} is not a light rewrite")

    def require_incumbent(self, ballot: BallotView, passage: Passage) -> None:
        standing = ballot.candidate(ballot.incumbent_id) if ballot.incumbent_id is not None else None
        require(standing is not None and standing.text == passage.text, "the old passage is not in the ballot")

    async def add_rule(self, word: str) -> None:
        """Ada, who moderates, adds a rule that refuses a word everywhere in the server."""
        shown = await self._ada.slash(self._channel, "filters add", kind="words", scope="server")
        require(shown.modal is not None, "/filters add opened no form")
        filled: dict[str, str | list[str]] = {"name": word, "entries": word, "reason": "a test of the rules"}
        filled |= {"action": ["block"], "mode": ["on"]}
        require(f"## {word}" in told(await self._ada.submit_modal(shown, filled)), "the rule is not shown")

    async def take_preset_over(self) -> None:
        """Ada looks at what ready-made rules would change, and takes them over."""
        shown = await self._ada.slash(self._channel, "filters preset", preset="links", switch="as they are")
        offer = shown.response
        if offer is None or "Nothing is changed yet" not in told(shown):
            raise PlayFailed("the preset is not shown")
        taken = await self._ada.click(offer, label="Take it over")
        require("2 rules were added" in told(taken), "the preset was not taken over")

    async def ask_in_vain(self, because: str, **options: str) -> None:
        """Ben asks for a round, and is refused privately with a sentence that has `because` in it."""
        num_before = len(self._channel.history())
        result = await self._ben.slash(self._channel, "continue", **options)
        answer = result.response
        require(answer is not None and answer.ephemeral, "/continue was not refused privately")
        require(because in told(result), f"/continue was refused with: {told(result)}")
        require(len(self._channel.history()) == num_before, "something of a refused command can be seen by everybody")

    async def report(self, ballot: BallotView, candidate: Candidate) -> discord.Message:
        """Chloe reports it; returns the card in the moderators' channel once it stands there."""
        shown = await self._chloe.click(self._message(ballot.round.message_id), label="Report…")
        require(shown.modal is not None, "“Report…” opened no form")
        (menu,) = (c["component"] for c in (shown.modal or {})["components"] if c["component"]["type"] == 3)
        (choice,) = (o["value"] for o in menu["options"] if o["label"].startswith(f"Candidate {candidate.letter}"))
        filled: dict[str, str | list[str]] = {"choice": [choice], "reason": "It is about somebody here."}
        require("Thank you" in told(await self._chloe.submit_modal(shown, filled)), "the report was not taken")
        return await self._until(lambda: self._card_of(candidate))

    async def take_off(self, card: discord.Message, ballot: BallotView, candidate: Candidate) -> None:
        """Ada takes the reported candidate off the ballot, where nobody can vote for it any more."""
        shown = await self._ada.click(card, label="Take off the ballot…")
        require(shown.modal is not None, "the card's button opened no form")
        await self._ada.submit_modal(shown, {"reason": "It is about somebody here."})
        gone = Action(Verb.VOTE, (ballot.round.id, candidate.id)).custom_id
        await self._until(lambda: self._ballot_without(ballot.round.message_id, gone))

    async def stop_and_resume(self) -> None:
        """Ada stops the bot in the channel: nothing begins there until she lets it go on."""
        await self._ada.slash(self._channel, "moderation stop", reason="a pause")
        await self.ask_in_vain("stopped")
        await self._ada.slash(self._channel, "moderation resume")

    def require_no_errors(self) -> None:
        """Nothing that the bot did raised but refusals, not even where nobody saw it."""
        errors = self._world.env.errors  # see `let_refusals_be_answers`
        require(not errors, f"the bot raised {errors}")

    async def _open_ballot(self, round_id: int) -> BallotView | None:
        """The round's view once its vote buttons are in the channel."""
        view = await self._services.rounds.view(round_id)
        if view.round.state in (RoundState.FAILED, RoundState.CANCELLED):
            raise PlayFailed(f"the round ended without a ballot: {view.round.failure}")
        if view.round.state is not RoundState.OPEN or not self._is_there(view.round.message_id):
            return None
        offered = buttons_of(self._message(view.round.message_id))
        wanted = {Action(Verb.VOTE, (round_id, candidate.id)).custom_id for candidate in view.candidates}
        return view if wanted <= offered else None

    async def _closed_ballot(self, round_id: int) -> BallotView | None:
        """The round's view once it is closed and its buttons are gone."""
        view = await self._services.rounds.view(round_id)
        if view.round.state is not RoundState.CLOSED:
            return None
        votes = {button for button in buttons_of(self._message(view.round.message_id)) if f":{Verb.VOTE}:" in button}
        return None if votes else view

    async def _card_of(self, candidate: Candidate) -> discord.Message | None:
        """The card that quotes the beginning of the candidate's text."""
        begins = candidate.text.split()[0]
        cards = (m for m in self._moderators.history() if any(begins in text for text in texts_of(m)))
        return next(cards, None)

    async def _ballot_without(self, message_id: int | None, button: str) -> bool | None:
        return True if button not in buttons_of(self._message(message_id)) else None

    def _is_there(self, message_id: int | None) -> bool:
        return any(message.id == message_id for message in self._channel.history())

    def _message(self, message_id: int | None) -> discord.Message:
        for message in self._channel.history():
            if message.id == message_id:
                return message
        raise PlayFailed(f"message {message_id} is not in the channel")

    async def _until(self, look: Callable[[], Awaitable[T | None]]) -> T:
        """What `look` finds, looked for again and again while the bot goes on with its work."""
        async with asyncio.timeout(WAIT_S):
            while (found := await look()) is None:
                with contextlib.suppress(TimeoutError):  # the bot is busy: that is what we wait for
                    await self._world.env.settle(timeout=1.0)
                await asyncio.sleep(LOOK_S)
            return found


def require(holds: bool, otherwise: str) -> None:
    """Raises PlayFailed with the sentence `otherwise`."""
    if not holds:
        raise PlayFailed(otherwise)


def require_public(result: InteractionResult, command: str) -> None:
    """A command that worked answers everybody; a refusal is private, and its sentence is the failure's."""
    answer = result.response
    if answer is None:
        raise PlayFailed(f"{command} was not answered")
    require(not answer.ephemeral, f"{command} was refused: {answer.content or texts_of(answer.message)}")


def told(result: InteractionResult) -> str:
    """All that an answer says."""
    answer = result.response
    return "" if answer is None else "\n".join([answer.content, *texts_of(answer.message)])


def texts_of(message: discord.Message) -> list[str]:
    """Every text in a message's layout."""
    found: list[str] = []
    for item in walk(message.components):
        if isinstance(item, discord.TextDisplay):
            found.append(item.content)
    return found


def buttons_of(message: discord.Message) -> set[str]:
    """The ids of a message's buttons that can be pressed."""
    return {
        item.custom_id
        for item in walk(message.components)
        if isinstance(item, discord.components.Button) and item.custom_id is not None and not item.disabled
    }


def walk(components: object) -> list[object]:
    """Components and the ones inside them."""
    found: list[object] = []
    for component in components if isinstance(components, list) else []:
        found.append(component)
        found += walk(getattr(component, "children", None))
    return found
