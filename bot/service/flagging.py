"""What filters flag becomes a case, which moderators see."""

from __future__ import annotations

from bot.filters import Action, Mode
from bot.service.cases import CaseService
from bot.service.filtering.sinks import Flagged


class CaseFlags:
    """The sink of flagged texts: each is a case, or joins the one about the same candidate."""

    def __init__(self, cases: CaseService) -> None:
        self._cases = cases

    async def flag(self, flagged: Flagged) -> None:
        """Opens the case, in the name of the first rule that flagged the text."""
        hit = next(hit for hit in flagged.verdict.hits if hit.action is Action.FLAG and hit.mode is Mode.ON)
        await self._cases.flag(
            flagged.guild_id,
            flagged.channel_id,
            flagged.kind.value,
            flagged.text,
            category=hit.category,
            rule=hit.rule,
            user_id=flagged.user_id,
            round_id=flagged.round_id,
            candidate_id=flagged.candidate_id,
        )
