"""What a member typed, before anything is done with it: cleaned, measured, filtered."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import Filtered
from bot.filters.base import Filter, TextKind
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


def accept(filters: Filter, text: str, rule: TextRule) -> str:
    """The cleaned text. Raises BadInput (empty, too long) or Filtered; both carry back what was typed, untouched."""
    cleaned = clean_member_text(text, what=rule.what, min_chars=rule.min_chars, max_chars=rule.max_chars)
    verdict = filters.check(cleaned, rule.kind)
    if not verdict.allowed:
        raise Filtered(verdict.category or "not allowed", text, rule.what)
    return cleaned


def accept_optional(filters: Filter, text: str | None, rule: TextRule) -> str | None:
    """Likewise, where leaving the text out is fine: nothing, or nothing but blanks, is None."""
    if text is None or not text.strip():
        return None
    return accept(filters, text, rule)
