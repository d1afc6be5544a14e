"""After a start: takes up what the last process left, so that no round hangs and no result stays untold."""

from __future__ import annotations

import logging

from bot.discord_app.case_board import CaseBoard
from bot.discord_app.conductor import Conductor
from bot.discord_app.redraws import Redraws
from bot.service.rounds import RoundService
from bot.story.model import RoundState

log = logging.getLogger(__name__)


async def resume(rounds: RoundService, conductor: Conductor, redraws: Redraws, board: CaseBoard) -> None:
    """Announces ends that nobody saw, closes or redraws open ballots, and has unfinished candidates written again.

    Messages that still show a hidden text go first, and cards that moderators wait for.

    All goes one after the other: the end of a round stands above the round that follows it, and many channels at once
    do not flood the worker.
    """
    conductor.draw_marked()
    await board.resume()
    for round_ in await rounds.unannounced():
        await conductor.try_to_show(round_.id)
    unfinished = await rounds.unfinished()
    log.info("%d unfinished rounds are taken up", len(unfinished))
    for round_ in unfinished:
        # The last process may have died between the deciding vote and the close.
        if round_.state is RoundState.OPEN and await conductor.try_to_settle(round_.id) is None:
            redraws.ask(round_.id, round_.message_id)
    for round_ in unfinished:
        if round_.state is RoundState.GENERATING:
            await conductor.present(round_.id, round_.hint)
