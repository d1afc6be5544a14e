"""Text as Discord shows it: measured, made harmless, cut into pages without losing a character."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.story.hygiene import neutralise

CUT_MARK = " …"
FIRST_GUESS = 15
"""Sixteenths of a page that are tried first: prose grows by a few marks only, so one look is nearly always enough."""
JOINERS = frozenset("\u200d\ufe0e\ufe0f")
"""Zero-width joiner and variation selectors: a cut beside them would tear an emoji apart."""


def width(text: str) -> int:
    """Length in UTF-16 units: never fewer than code points, so safe whichever of the two Discord counts."""
    return len(text.encode("utf-16-le")) // 2


def pages(text: str, limit: int) -> list[str]:
    """The whole text as harmless pages of at most `limit` units each; empty pages are left out."""
    shown = (neutralise(piece).strip() for piece in pieces(text, limit))
    return [page for page in shown if page]


def excerpt(text: str, limit: int) -> tuple[str, bool]:
    """The text, harmless and at most `limit` units long, and whether something of it had to be left out."""
    shown = neutralise(text).strip()
    if width(shown) <= limit:
        return shown, False
    first = next(pieces(text.strip(), limit - width(CUT_MARK)))
    return neutralise(first).strip() + CUT_MARK, True


def beginning(text: str, limit: int) -> str:
    """As much of the text as fits into `limit` units, as it is: for places that show no markdown."""
    if width(text) <= limit:
        return text
    end = limit - width(CUT_MARK)
    while width(text[:end]) > limit - width(CUT_MARK):
        end -= 1
    return text[:end].rstrip() + CUT_MARK


def pieces(text: str, limit: int) -> Iterator[str]:
    """The raw text in order; each piece fits into `limit` units once it is made harmless. Joined they are the text."""
    start = 0
    while start < len(text):
        end = start + _fitting(text[start:], limit)
        yield text[start:end]
        start = end


def share(widths: Sequence[int], budget: int) -> list[int]:
    """How much of `budget` each text gets: short ones all they need, the others what is left in equal parts."""
    shares = [0] * len(widths)
    left = max(0, budget)
    for place, index in enumerate(sorted(range(len(widths)), key=lambda i: widths[i])):
        shares[index] = min(widths[index], left // (len(widths) - place))
        left -= shares[index]
    return shares


def relative(at: datetime) -> str:
    """A moment as every reader's own client counts it down: "in 5 minutes"."""
    return f"<t:{int(at.timestamp())}:R>"


def deadline(at: datetime) -> str:
    """A deadline both counted down and as a time of day."""
    return f"{relative(at)} (<t:{int(at.timestamp())}:t>)"


def moment(at: datetime) -> str:
    """A date with its time of day, in every reader's own language."""
    return f"<t:{int(at.timestamp())}:f>"


def day(at: datetime) -> str:
    """A date in every reader's own language."""
    return f"<t:{int(at.timestamp())}:D>"


def jump_link(guild_id: int, channel_id: int, message_id: int) -> str:
    """The address of a message, which Discord's clients open in place."""
    return f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}"


def _fitting(text: str, limit: int) -> int:
    """How many characters of `text` make the next piece: at least one, ending at the best border there is."""
    end = len(text) if len(text) <= limit // 2 else min(len(text), limit * FIRST_GUESS // 16)
    while end > 1 and (wide := width(neutralise(text[:end]))) > limit:
        end = max(1, min(end - 1, end * limit // wide))  # harmless text is longer: shrink by as much as it grew
    end = _border(text, end)
    while end > 1 and not _fits(text[:end], limit):  # a longer ending can weigh less, where it completes a link
        end -= 1
    return end


def _fits(text: str, limit: int) -> bool:
    return width(neutralise(text)) <= limit


def _border(text: str, end: int) -> int:
    """The last good place to cut at or before `end`: a paragraph, a sentence, a word, or at least a whole character."""
    if end >= len(text):
        return len(text)
    for mark, least in (("\n\n", end // 2), ("\n", end // 2), (". ", end // 2), (" ", end // 4)):
        found = text.rfind(mark, least, end)
        if found != -1:
            return found + len(mark)
    while end > 1 and _continues(text, end):
        end -= 1
    return end


def _continues(text: str, at: int) -> bool:
    """Whether a cut before `text[at]` would tear one visible character."""
    after, before = text[at], text[at - 1]
    return unicodedata.combining(after) != 0 or after in JOINERS or before == "\u200d"
