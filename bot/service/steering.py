"""What a filter refused, as phrases that the model can be kept from while it writes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

MAX_PHRASES = 100
MAX_PHRASE_CHARS = 200
"""What the worker takes in one request."""
SHORT = 5
"""A shorter word stands in many innocent ones ("pass", "grape"), and phrases are found anywhere in a text: such a word
is banned with the marks that may end it."""
ENDS = (" ", ".", ",", ";", ":", "!", "?", "\n", "'", '"', "’", "”")


def phrases_to_ban(words: Sequence[str]) -> tuple[str, ...]:
    """The phrases for the decoder, as many as it takes; those that came first are kept."""
    found: dict[str, None] = {}
    for word in words:
        if len(word) > MAX_PHRASE_CHARS or not word.strip():
            continue
        phrases = [word] if len(word) >= SHORT else [f" {word}{end}" for end in ENDS]
        if len(found) + len(phrases) > MAX_PHRASES:
            break
        found |= dict.fromkeys(phrase.casefold() for phrase in phrases)
    return tuple(found)


def still_wanted(words: Sequence[str], banned: Sequence[str]) -> tuple[str, ...]:
    """The words of a hint that no banned phrase forbids: nobody can write both, and the worker refuses to try."""
    return tuple(word for word in words if not any(phrase in word.casefold() for phrase in banned))
