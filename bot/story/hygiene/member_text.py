"""What members type, cleaned and measured before anything else is done with it."""

from __future__ import annotations

import re

from bot.errors import BadInput
from bot.story.hygiene.characters import plain_characters
from bot.story.hygiene.markers import remove_markers

_BLANK_LINES = re.compile(r"\n\s*\n")


def clean_member_text(text: str, *, what: str, min_chars: int, max_chars: int) -> str:
    """The text in NFC, without invisible characters and special markers, trimmed, blank lines one at a time.

    Lengths are in code points after cleaning. Raises BadInput (with the limit, carrying `text` as it was typed) where
    the result is shorter than `min_chars` or longer than `max_chars`. `what` names the text in the sentence: "hint".
    """
    cleaned = _BLANK_LINES.sub("\n\n", remove_markers(plain_characters(text))).strip()
    if not cleaned and min_chars > 0:
        raise BadInput(f"Your {what} is empty. It can have up to {max_chars} characters.", text)
    if len(cleaned) < min_chars:
        raise BadInput(f"Your {what} has {len(cleaned)} characters, and it needs at least {min_chars}.", text)
    if len(cleaned) > max_chars:
        raise BadInput(f"Your {what} has {len(cleaned)} characters, and at most {max_chars} fit.", text)
    return cleaned
