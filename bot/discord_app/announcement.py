"""The messages that follow a closed round: the new canon, readable in the channel as plain text."""

from __future__ import annotations

from bot.discord_app import texts
from bot.discord_app.ballot import decided
from bot.discord_app.buttons import Action, Beside, Verb, button
from bot.discord_app.markup import pages
from bot.discord_app.replies import CONTENT_LIMIT
from bot.service.views import ResultView
from bot.story.election import Result
from bot.story.model import Source

FRAME = 400
"""Room that a message keeps for the lead before the passage and the next steps after it."""
EMPTIED = "-# (The rest of this text went with it.)"


def told_anew(result: ResultView, num_messages: int) -> list[str]:
    """The announcement for as many messages as tell it already: a hidden text takes fewer, and the rest say so too."""
    parts = announcement(result)
    return [parts[number] if number < len(parts) else EMPTIED for number in range(num_messages)]


def beside(result: ResultView) -> Beside | None:
    """What stands under the last message; nothing where there is nothing new to report."""
    if not has_new_passage(result) or result.passage is None or result.passage.mark is not None:
        return None
    return Beside(button(texts.REPORT, Action(Verb.REPORT_PASSAGE, (result.passage.id,))))


def has_new_passage(result: ResultView) -> bool:
    """Whether the round added a passage to the story."""
    winner = result.winner
    return winner is not None and winner.source is not Source.INCUMBENT and result.passage is not None


def announcement(result: ResultView) -> list[str]:
    """One message, or more where the passage is long. Plain content, not components: it is found by search, reads in
    order, and shows in notifications.
    """
    view = result.ballot
    if result.passage is None or not has_new_passage(result):
        reason = texts.NOBODY_VOTED if result.outcome.result is Result.NO_VOTES else decided(result)
        return [texts.stays(view.story, reason, new_candidates=result.next_round is not None)]
    parts = pages(result.passage.text, CONTENT_LIMIT - FRAME)
    after = f"{texts.STANDS_AFTER} " if view.round.is_in_the_middle else ""
    parts[0] = f"{texts.goes_on(view)}\n{parts[0]}"
    parts[-1] = f"{parts[-1]}\n-# {after}{texts.NEXT_STEPS}"
    return parts
