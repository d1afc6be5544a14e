"""What the model wrote, made fit for a ballot: whole sentences, closed quotes, none of the prompt's markers."""

from __future__ import annotations

import re
from collections.abc import Collection

from bot.story.hygiene.characters import plain_characters
from bot.story.hygiene.markers import cut_at_markers, remove_markers, remove_notes
from bot.story.hygiene.quotes import balance_quotes
from bot.story.sentences import count_words, sentence_ends

_BLANKS = re.compile(r"[^\S\n]+")
_BLANKS_AT_LINE_ENDS = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{2,}")
# The rest of a sentence that the prompt ended in the middle of. An ellipsis may begin a passage.
_DEBRIS = re.compile(r"\s*(?:(?!\.{3})[\s.,;:!?)\]}”»」』。！？、，]+|\.{3,}\s*\Z)")
_MAX_PASSES = 8


def tidy(text: str, markers: Collection[str], *, max_words: int) -> str | None:
    """The text as whole sentences of at most `max_words` words in all; None where not one whole sentence is left.

    `markers` are the prompt format's own (`PromptFormat.markers`): what follows one is not this passage any more.
    Paragraphs stay, separated by one blank line. A quotation that the cut left open is closed. Idempotent.
    """
    for _ in range(
        _MAX_PASSES
    ):  # what one pass takes away may bring something together; the second is usually the last
        cleaned = _clean_once(text, markers, max_words)
        if cleaned == text:
            return text or None
        text = cleaned
    return None  # every pass uncovers something new: noise, not prose


def _clean_once(text: str, markers: Collection[str], max_words: int) -> str:
    text = cut_at_markers(plain_characters(text).replace("\ufffd", ""), markers)
    text = remove_notes(remove_markers(text, markers))
    text = _BLANKS_AT_LINE_ENDS.sub("\n", _BLANKS.sub(" ", text))
    text = _BLANK_LINES.sub("\n\n", text).strip()
    debris = _DEBRIS.match(text)
    text = text[debris.end() :] if debris else text
    return balance_quotes(_whole_sentences(text, max_words))


def _whole_sentences(text: str, max_words: int) -> str:
    fitting = 0
    for end in sentence_ends(text):
        if count_words(text[:end]) > max_words:
            break
        fitting = end
    return text[:fitting]
