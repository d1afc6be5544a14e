"""What comes after the passage that is asked for, as far as the model is told of it: its beginning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bot.story.prompt_format import PLACE, PromptFormat, PromptPassage, fill, safe
from bot.story.shorten import Counted, keep_beginning, keep_words

MAX_WORDS = 80
"""Models of ours were taught so much of what follows. Where a passage leads is in its first sentences."""
SUFFIX_SHARE = 4
"""It takes at most one part in so many of the prompt's budget: what was told comes before what will be."""
JOINED_BY = "\n\n"
"""Passages stand in it as paragraphs, without markers."""


@dataclass(frozen=True)
class Following:
    """A text with the tokens that it takes in the prompt, and the passages that something of it was taken from."""

    text: str = ""
    tokens: int = 0
    passages: tuple[int, ...] = ()


def following_text(fmt: PromptFormat, after: Sequence[PromptPassage]) -> str:
    """The beginning of the passages `after`, at most `MAX_WORDS` words, cut at the end of a sentence."""
    return keep_words(JOINED_BY.join(_texts(fmt, after)), MAX_WORDS)


def filled_suffix(fmt: PromptFormat, text: str) -> str:
    """The text as the worker puts it into the prompt, to be counted; empty for an empty text."""
    return fill(fmt.suffix or PLACE, text) if text else ""


def build_following(
    fmt: PromptFormat, after: Sequence[PromptPassage], limit: int, count: Callable[[str], int]
) -> Following:
    """What the model is told of the passages `after`, within `limit` tokens; nothing where nothing fits."""
    text = following_text(fmt, after)
    if not text or limit <= 0:
        return Following()
    whole = Counted(text, count(filled_suffix(fmt, text)))
    kept = keep_beginning(whole, limit, lambda piece: count(filled_suffix(fmt, piece)))
    starts = accumulate((len(each) + len(JOINED_BY) for each in _texts(fmt, after)), initial=0)
    shown = tuple(passage.id for passage, start in zip(after, starts, strict=False) if start < len(kept.text))
    return Following(kept.text, kept.tokens, shown)


def _texts(fmt: PromptFormat, after: Sequence[PromptPassage]) -> list[str]:
    # Every passage has a word, so no more of them can be told of than words.
    return [safe(fmt, passage.text).strip() for passage in after[:MAX_WORDS]]
