"""The messages that follow a closed round: the new canon, readable in the channel as plain text."""

from __future__ import annotations

from bot.discord_app import texts
from bot.discord_app.ballot import decided
from bot.discord_app.markup import pages
from bot.discord_app.replies import CONTENT_LIMIT
from bot.service.views import ResultView
from bot.story.election import Result
from bot.story.model import Source

FRAME = 400
"""Room that a message keeps for the lead before the passage and the next steps after it."""


def announcement(result: ResultView) -> list[str]:
    """One message, or more where the passage is long. Plain content, not components: it is found by search, reads in
    order, and shows in notifications.
    """
    view = result.ballot
    winner = result.winner
    if winner is None or winner.source is Source.INCUMBENT or result.passage is None:
        reason = texts.NOBODY_VOTED if result.outcome.result is Result.NO_VOTES else decided(result)
        return [texts.stays(view.story, reason, new_candidates=result.next_round is not None)]
    parts = pages(result.passage.text, CONTENT_LIMIT - FRAME)
    after = f"{texts.STANDS_AFTER} " if view.round.is_in_the_middle else ""
    parts[0] = f"{texts.goes_on(view)}\n{parts[0]}"
    parts[-1] = f"{parts[-1]}\n-# {after}{texts.NEXT_STEPS}"
    return parts
