"""The words of a passage, and which of them must stay: names, numbers, and what the writer says.

A word is a run of letters with apostrophes or hyphens inside (*don't*, *half-light*); everything else, digits and
punctuation among it, is never touched. A name can't be told from its letters alone, so whatever is capitalised counts
as one, unless it begins a sentence and is known to be a common word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
ENDS = ".!?…"
OPENERS = "\"'“‘«„([{—–*_-"
OPENING = "“‘«„([{"  # what only ever opens
CLOSERS = "\"'”’»)]}*_"
_LOOK = 40  # characters before a word in which the end of the last sentence is looked for
_OPENING = re.compile(r"""(?:^|\s)["'“‘«„]+$""")
_TITLE = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|Prof|Capt|Col|Gen|Lt|Rev|Sr|Jr)\.$")


@dataclass(frozen=True)
class Word:
    """Characters `begin` to `end` of a text."""

    begin: int
    end: int
    text: str
    begins_sentence: bool

    @property
    def is_capitalised(self) -> bool:
        return self.text[0].isupper()


def find_words(text: str) -> Iterator[Word]:
    """All words of `text`; none in *4th* or *snake_case*, and none that goes on with an accent of its own."""
    for match in WORD.finditer(text):
        begin, end = match.span()
        if (begin and _touches(text[begin - 1])) or (end < len(text) and _touches(text[end])):
            continue
        yield Word(begin, end, match.group(), begins_sentence(text, begin))


def begins_sentence(text: str, place: int) -> bool:
    """Whether a word at `place` is a sentence's first: nothing, a line's end, another sentence or a quotation mark
    that opens stands before it. Behind a title (*Mr. Brown*) none begins."""
    before = text[max(0, place - _LOOK) : place]
    if _OPENING.search(before):
        return True
    before = before.rstrip(" \t").rstrip(OPENERS)
    if before.endswith("\n") or not before.strip():
        return True
    return before.rstrip().rstrip(CLOSERS).endswith(tuple(ENDS)) and not _TITLE.search(before.rstrip())


def find_kept(text: str, keep: Iterable[str]) -> list[tuple[int, int]]:
    """Where the words and phrases of `keep` stand in `text`, in any case, and not inside longer words."""
    found = []
    for phrase in keep:
        words = r"\s+".join(map(re.escape, phrase.split()))
        pattern = rf"(?<!\w){words}(?!\w)" if words else r"(?!)"
        found += [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]
    return found


def find_names(words: Iterable[Word], is_common: Callable[[str], bool]) -> set[str]:
    """The capitalised spellings among `words` that count as names.

    One that is capitalised inside a sentence is a name everywhere. One that only begins sentences is none where it
    stands in small letters somewhere too, or `is_common` says that its small spelling is a word.
    """
    listed = list(words)
    inside = {word.text for word in listed if word.is_capitalised and not word.begins_sentence}
    small = {word.text for word in listed if not word.is_capitalised}
    first = {word.text for word in listed if word.is_capitalised and word.begins_sentence}
    return inside | {each for each in first if each.lower() not in small and not is_common(each.lower())}


def overlaps(begin: int, end: int, spans: Iterable[tuple[int, int]]) -> bool:
    """Whether any of `spans` shares a character with `begin` to `end`."""
    return any(begin < last and first < end for first, last in spans)


def _touches(letter: str) -> bool:
    """Whether a word beside this character is only part of something longer."""
    return letter.isalnum() or letter == "_" or unicodedata.category(letter).startswith("M")
