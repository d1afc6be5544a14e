"""What a member typed, before anything is done with it: cleaned, measured, filtered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from bot.errors import Filtered
from bot.filters.base import TextKind
from bot.service.filtering.judging import Judge, Judged
from bot.service.filtering.known import Place
from bot.story.hygiene import clean_member_text


@dataclass(frozen=True)
class TextRule:
    """How one kind of text is named to members, and how long it may be, in characters after cleaning."""

    kind: TextKind
    what: str
    max_chars: int
    min_chars: int = 1


HINT = TextRule(TextKind.HINT, "hint", 500)
INSTRUCTION = TextRule(TextKind.INSTRUCTION, "instruction", 500)
TITLE = TextRule(TextKind.TITLE, "title", 100)
PREMISE = TextRule(TextKind.PREMISE, "premise", 1500)
STYLE = TextRule(TextKind.STYLE, "style", 60)
PASSAGE = TextRule(TextKind.PASSAGE, "passage", 4000)
REASON = TextRule(TextKind.REASON, "reason", 300)


async def accept(judge: Judge, place: Place, text: str, rule: TextRule) -> Judged:
    """What was typed, cleaned, and with places covered where a rule wants that.

    Raises BadInput (empty, too long) or Filtered; both carry back what was typed, untouched.
    """
    return (await accept_all(judge, place, [(text, rule)]))[0]


async def accept_all(judge: Judge, place: Place, typed: Sequence[tuple[str, TextRule]]) -> list[Judged]:
    """Likewise for all that was typed into one command, judged together; the first that is refused is given back."""
    judged = await judge.judge_all(place, [(clean(text, rule), rule.kind) for text, rule in typed])
    for one, (text, rule) in zip(judged, typed, strict=True):
        if not one.verdict.allowed:
            raise Filtered(one.verdict.category or "not allowed", text, rule.what)
    return judged


async def accept_optional(judge: Judge, place: Place, text: str | None, rule: TextRule) -> Judged | None:
    """Likewise, where leaving the text out is fine: nothing, or nothing but blanks, is None."""
    return await accept(judge, place, text, rule) if is_given(text) else None


def is_given(text: str | None) -> TypeGuard[str]:
    """Whether anything but blanks was typed."""
    return text is not None and bool(text.strip())


def clean(text: str, rule: TextRule) -> str:
    """The text as it is judged and kept. Raises BadInput where it is empty or too long."""
    return clean_member_text(text, what=rule.what, min_chars=rule.min_chars, max_chars=rule.max_chars)
