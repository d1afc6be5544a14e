"""Marks of a prompt's structure that must not stand in a story: special tokens, chat tags, notes in brackets."""

from __future__ import annotations

import re
from collections.abc import Collection

# What other models' special tokens look like, beside the <|…|> of most. Case matters: <S> could be somebody's joke.
_SPECIAL = re.compile(
    r"<\|[^<>|\n]{0,40}\|>|</?s>|</?(?:bos|eos|pad|unk|mask|sep|cls)>|<(?:start|end)_of_turn>|<</?SYS>>|\[/?INST\]"
)
_REMAINS = re.compile(r"<+\|+|\|+>+")
_END_TOKENS = ("<|endoftext|>", "<|im_end|>", "<|eot_id|>", "</s>", "<eos>", "<end_of_turn>")
_UNFINISHED = re.compile(r"<[|/]?[^<>\s]{0,40}\Z")
_NOTE = re.compile(r"\[[^\[\]]{0,500}\]")
_OPEN_NOTE = re.compile(r"\[[^\n]*|\]")


def remove_markers(text: str, markers: Collection[str] = ()) -> str:
    """The text with a blank instead of every special-token look-alike and every one of `markers`."""
    while True:
        cleaned = _REMAINS.sub(" ", _SPECIAL.sub(" ", text))
        for marker in markers:
            cleaned = cleaned.replace(marker, " ")
        if cleaned == text:
            return text
        text = cleaned  # what stood around a marker may have become one


def cut_at_markers(text: str, markers: Collection[str]) -> str:
    """What the model wrote before it began on the next part of a prompt's structure.

    Whatever follows a structural marker is not this passage: a hint, or the passage after. Markers before the first
    word are only removed.
    """
    end = len(text)
    for marker in (*markers, *_END_TOKENS):
        at = text.find(marker)
        while at >= 0 and not _has_word(text, at, (*markers, *_END_TOKENS)):
            at = text.find(marker, at + len(marker))
        end = at if 0 <= at < end else end
    return _UNFINISHED.sub("", text[:end])


def remove_notes(text: str) -> str:
    """The text without notes in square brackets, by which writers' tools and editions talk about a text."""
    count = 1
    while count:  # notes within notes go from the inside
        text, count = _NOTE.subn(" ", text)
    return _OPEN_NOTE.sub(" ", text)


def _has_word(text: str, before: int, markers: Collection[str]) -> bool:
    return any(char.isalnum() for char in remove_markers(text[:before], markers))
