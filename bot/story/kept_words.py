"""Words that a light rewrite must leave alone: those that its instruction names in quotation marks."""

from __future__ import annotations

import re

from bot.errors import BadInput

MAX_KEPT = 16
MAX_KEPT_CHARS = 40
"""More, or longer, is not a few words any more: a passage of which most must stay is better left alone."""

_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]+)[\"“”«»]")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def kept_words(instruction: str, passage: str) -> tuple[str, ...]:
    """The named words as they stand in the passage, each of their spellings once. Blank instruction: none.

    Raises BadInput (carrying the instruction) where it names no words, one that the passage does not have, or too many:
    a model that only changes wordings can follow nothing else, and must not seem to.
    """
    if not instruction.strip():
        return ()
    named = [word for quoted in _QUOTED.findall(instruction) for word in _WORD.findall(quoted)]
    if not named:
        raise BadInput(
            "A light rewrite only changes wordings: its instruction can name words that must stay, in quotation marks. "
            "For anything else choose style:fresh.",
            instruction,
        )
    standing = dict.fromkeys(_WORD.findall(passage))
    kept: dict[str, None] = {}
    for word in named:
        spellings = [other for other in standing if _plain(other) == _plain(word)]
        if not spellings:
            raise BadInput(f"“{word}” does not stand in that passage, so it can't be kept there.", instruction)
        kept |= dict.fromkeys(spellings)
    _check(tuple(kept), instruction)
    return tuple(kept)


def _check(kept: tuple[str, ...], instruction: str) -> None:
    if len(kept) > MAX_KEPT:
        raise BadInput(f"Your instruction names {len(kept)} words, and at most {MAX_KEPT} can be kept.", instruction)
    for word in kept:
        if len(word) > MAX_KEPT_CHARS:
            raise BadInput(f"A word that is kept has at most {MAX_KEPT_CHARS} characters.", instruction)


def _plain(word: str) -> str:
    return word.casefold().replace("’", "'")
