"""Shows what a light rewrite has changed: other words in bold. What is stored is the plain text."""

from __future__ import annotations

import re
from itertools import pairwise

from bot.story.changes import changed_words
from bot.story.hygiene import neutralise

_WORD = re.compile(r"\S+")
_EMPHASIS = re.compile(r"[*_]")


def mark_changes(old: str, new: str) -> str:
    """The text `new`, harmless, its words that `old` has not in bold; unmarked where it has emphasis of its own."""
    shown = neutralise(new).strip()
    if _EMPHASIS.search(shown):
        return shown  # two sorts of stars in one line would read as neither
    words = list(_WORD.finditer(shown))
    changed = changed_words(_WORD.findall(neutralise(old)), [word.group() for word in words])
    return _embolden(shown, [(words[first].start(), words[last].end()) for first, last in _runs(shown, words, changed)])


def _runs(shown: str, words: list[re.Match[str]], changed: list[int]) -> list[tuple[int, int]]:
    """First and last word of each run of changed words that stands on one line."""
    runs: list[tuple[int, int]] = []
    for index in changed:
        is_next = bool(runs) and runs[-1][1] == index - 1
        if is_next and "\n" not in shown[words[index - 1].end() : words[index].start()]:
            runs[-1] = (runs[-1][0], index)
        else:
            runs.append((index, index))
    return runs


def _embolden(shown: str, spans: list[tuple[int, int]]) -> str:
    borders = [0, *(border for span in spans for border in span), len(shown)]
    pieces = [shown[start:end] for start, end in pairwise(borders)]
    return "".join(f"**{piece}**" if place % 2 else piece for place, piece in enumerate(pieces))
