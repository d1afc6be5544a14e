"""Fits a text that is too long into a number of tokens: whole sentences where possible, whole words otherwise."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.story.sentences import count_words, sentence_ends

_WORD_BORDER = re.compile(r"(?<=\S)(?=\s)")


@dataclass(frozen=True)
class Counted:
    """A text and how many tokens it takes (never fewer than it does)."""

    text: str
    tokens: int


def keep_beginning(whole: Counted, room: int, count: Callable[[str], int]) -> Counted:
    """As much of the text's beginning as takes at most `room` tokens; the empty text where nothing does."""
    return _longest(whole, room, count, lambda text, border: text[:border].rstrip())


def keep_end(whole: Counted, room: int, count: Callable[[str], int]) -> Counted:
    """As much of the text's end as takes at most `room` tokens; the empty text where nothing does."""
    return _longest(whole, room, count, lambda text, border: text[border:].lstrip())


def keep_words(text: str, limit: int) -> str:
    """As many of the text's first sentences as have at most `limit` words; of a longer first sentence so many words."""
    if count_words(text) <= limit:
        return text.strip()
    for borders in (sentence_ends(text), [found.start() for found in _WORD_BORDER.finditer(text)]):
        fitting = 0
        for border in borders:
            if count_words(text[:border]) > limit:
                break
            fitting = border
        if fitting:
            return text[:fitting].strip()
    return ""


def _longest(whole: Counted, room: int, count: Callable[[str], int], piece_at: Callable[[str, int], str]) -> Counted:
    if whole.tokens <= room:
        return whole
    borders_of_words = [found.start() for found in _WORD_BORDER.finditer(whole.text)]
    for borders in (sentence_ends(whole.text), borders_of_words):
        pieces = sorted((piece_at(whole.text, border) for border in borders), key=len)
        found = _longest_fitting([piece for piece in pieces if piece], whole, room, count)
        if found is not None:
            return found
    return Counted("", 0)


def _longest_fitting(pieces: Sequence[str], whole: Counted, room: int, count: Callable[[str], int]) -> Counted | None:
    """The longest of `pieces` (shortest first) within `room`, by bisection: few questions to `count`."""
    best: Counted | None = None
    low, high = 0, len(pieces) - 1
    while low <= high:
        middle = (low + high) // 2
        piece = Counted(pieces[middle], _tokens_of(pieces[middle], whole, count))
        if piece.tokens <= room:
            best, low = piece, middle + 1
        else:
            high = middle - 1
    return best


def _tokens_of(piece: str, whole: Counted, count: Callable[[str], int]) -> int:
    # `count` may only estimate here; the whole's exact count tells how dense this text is.
    share = math.ceil(whole.tokens * len(piece) / len(whole.text))
    return max(count(piece), share)
