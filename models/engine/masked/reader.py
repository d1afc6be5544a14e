"""Turns text into ids with the place of each in the text. A special token that is written out is text like any other.

A tokenizer of its own, made from the checkpoint's, so that nobody else's settings reach it; safe to use from any
thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Reading:
    """Parallel lists: ids, the characters [begin, end) that each stands for, and the number of the word it is in."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    words: tuple[int | None, ...]


class Reader:
    """`before` and `after` are the ids that the model wants around a text (``[CLS]``, ``[SEP]``)."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        self.backend.no_truncation()
        self.backend.no_padding()
        self.before, self.after = self._frame()
        self.backend.encode_special_tokens = True

    @property
    def num_around(self) -> int:
        return len(self.before) + len(self.after)

    def read(self, text: str) -> Reading:
        found = self.backend.encode(text, add_special_tokens=False)
        return Reading(tuple(found.ids), tuple(found.offsets), tuple(found.word_ids))

    def _frame(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        inner = self.backend.encode("a", add_special_tokens=False).ids
        whole = self.backend.encode("a", add_special_tokens=True).ids
        for first in range(len(whole) - len(inner) + 1):
            if whole[first : first + len(inner)] == inner:
                return tuple(whole[:first]), tuple(whole[first + len(inner) :])
        raise ValueError("the tokenizer writes a text with special tokens otherwise than without")
