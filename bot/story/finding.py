"""Finds passages of a story by what a member has typed of them: a number, or some of their words."""

from __future__ import annotations

from collections.abc import Sequence


def find_passages(texts: Sequence[str], typed: str, limit: int) -> list[int]:
    """Numbers (counted from 1) of at most `limit` of the passages `texts`, the likeliest first.

    Nothing typed: the last ones, the newest first. Digits: the passage with this number, then those whose number begins
    so. Anything else: the passages that have it in them, in any case, the newest first.
    """
    wanted = " ".join(typed.split()).casefold()
    newest_first = range(len(texts), 0, -1)
    if not wanted:
        return list(newest_first[:limit])
    if wanted.isdecimal() and wanted.isascii():
        return [number for number in reversed(newest_first) if str(number).startswith(wanted)][:limit]
    found = (number for number in newest_first if wanted in " ".join(texts[number - 1].split()).casefold())
    return [number for number, _ in zip(found, range(limit), strict=False)]
