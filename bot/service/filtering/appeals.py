"""A member's word against a refusal: a moderator looks at the text, because its writer wants that."""

from __future__ import annotations

from bot.errors import BadInput
from bot.filters import TextKind
from bot.service.filtering.judging import Judge
from bot.service.filtering.known import Place
from bot.service.textcheck import RULES, clean


class AppealService:
    """Refused texts are kept nowhere, so the member sends the text along."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    async def send(self, place: Place, text: str, kind: str) -> bool:
        """Brings the text before the moderators; False where it would be accepted by now, so there is no need to.

        `kind` is the refusal's. Raises BadInput where nobody takes appeals, or for a text that no filter refused.
        """
        if not self._judge.takes_appeals:
            raise BadInput("Nobody takes appeals here. Ask a moderator of this server.", text)
        rule = RULES.get(TextKind(kind))
        if rule is None:
            raise BadInput("Members type no texts of this kind.", text)
        judged = await self._judge.appeal(place, clean(text, rule), rule.kind)
        return not judged.verdict.allowed
