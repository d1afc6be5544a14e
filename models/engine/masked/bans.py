"""Banned phrases among drawn words: looked for in the text as it would read, with what stands around it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from models.engine.masked.words import overlaps
from models.engine.phrases import fold_text

MAX_REDRAWS = 64
"""So often another word is drawn for one slot; then the row ends, with `FinishReason.BANNED_PHRASE`."""


class Bans:
    """The phrases of a request."""

    def __init__(self, phrases: Iterable[str], *, is_case_sensitive: bool) -> None:
        self._is_case_sensitive = is_case_sensitive
        self._phrases = [self._fold(phrase) for phrase in phrases]
        self._reach = max(map(len, self._phrases), default=0)

    def __bool__(self) -> bool:
        return bool(self._phrases)

    def touch(self, before: str, text: str, after: str, spans: Sequence[tuple[int, int]]) -> bool:
        """Whether a phrase stands in `text`, or over its ends, with a character of it in `spans` of `text`."""
        left = before[max(0, len(before) - self._reach) :]
        whole = self._fold(left + text + after[: self._reach])
        shifted = [(begin + len(left), end + len(left)) for begin, end in spans]
        for phrase in self._phrases:
            place = whole.find(phrase)
            while place >= 0:
                if overlaps(place, place + len(phrase), shifted):
                    return True
                place = whole.find(phrase, place + 1)
        return False

    def _fold(self, text: str) -> str:
        return text if self._is_case_sensitive else fold_text(text)
