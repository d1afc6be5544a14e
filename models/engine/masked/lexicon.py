"""What each piece of a vocabulary is when it stands alone: a whole word, a punctuation mark, or neither.

Only whole words and marks are ever drawn, so no text can break apart at a word's border. A piece is a whole word where
the tokenizer would not join it to what stands before it: WordPiece marks the pieces that continue a word (``##s``);
byte-level BPE and SentencePiece mark those that begin one behind a space (``Ġcat``, ``▁cat``). At a place without a
space (behind a quotation mark, at the beginning of a line) the same words are drawn without that mark; those that are
only ever the inside of a word have no spelling with it, and are not. Special, added and unused pieces are neither, and
of the single letters that every vocabulary has only those that are words in English.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer, decoders

from models.engine.masked.words import WORD

MARKS = frozenset(".,;:!?")
_META = "▁"
_ONE_LETTER_WORDS = frozenset("aioAIO")


class UnknownPieces(ValueError):
    """The tokenizer marks the borders of words in a way that is not known here."""


@dataclass(frozen=True)
class Lexicon:
    """`words` and `marks` are the texts of pieces by their ids.

    The masks are bool [vocab]: words that follow a space, words that follow none, marks, and words in small letters.
    """

    words: dict[int, str]
    marks: dict[int, str]
    ids: dict[str, tuple[int, ...]]
    spaced: torch.Tensor
    unspaced: torch.Tensor
    mark: torch.Tensor
    small: torch.Tensor
    is_cased: bool

    def ids_of(self, word: str) -> tuple[int, ...]:
        """The pieces that are this word, in any case."""
        return self.ids.get(word.casefold(), ())

    def is_common(self, word: str) -> bool:
        """Whether a vocabulary that keeps cases has `word`, in small letters, as one piece."""
        return self.is_cased and any(self.words[i] == word for i in self.ids_of(word))


def read_lexicon(tokenizer: Tokenizer, vocab_size: int) -> Lexicon:
    """The lexicon of a model with `vocab_size` outputs. Raises `UnknownPieces`."""
    split = _Splitter(json.loads(tokenizer.to_str()))
    added = set(tokenizer.get_added_tokens_decoder())
    pieces = [(i, *split(piece)) for piece, i in tokenizer.get_vocab().items() if i not in added and i < vocab_size]
    spaced = {i: text for i, text, is_spaced in pieces if is_spaced is not False and _is_word(text)}
    spellings = set(spaced.values())
    unspaced = {i: text for i, text, is_spaced in pieces if is_spaced is not True and text in spellings}
    marks = {i: text for i, text, is_spaced in pieces if is_spaced is not True and text in MARKS}
    words = spaced | unspaced
    ids: defaultdict[str, list[int]] = defaultdict(list)
    for i, text in sorted(words.items()):
        ids[text.casefold()].append(i)
    small = [i for i, text in words.items() if text[0] == text[0].lower()]
    return Lexicon(
        words=words,
        marks=marks,
        ids={text: tuple(found) for text, found in ids.items()},
        spaced=_mask(spaced, vocab_size),
        unspaced=_mask(unspaced, vocab_size),
        mark=_mask(marks, vocab_size),
        small=_mask(small, vocab_size),
        is_cased=len(small) < len(words),
    )


class _Splitter:
    """From a piece to its text, and whether it has a space before it; None where it may have one or not."""

    def __init__(self, described: dict[str, Any]) -> None:
        model = described["model"]
        kinds = set(_types(described.get("pre_tokenizer"))) | set(_types(described.get("decoder")))
        self._prefix = model.get("continuing_subword_prefix") if model["type"] == "WordPiece" else None
        self._is_byte_level = "ByteLevel" in kinds
        self._is_meta = "Metaspace" in kinds
        self._decoder = decoders.ByteLevel()
        if not (model["type"] in ("WordPiece", "WordLevel") or self._is_byte_level or self._is_meta):
            raise UnknownPieces(f"a {model['type']} tokenizer without byte-level or SentencePiece marks is not known")

    def __call__(self, piece: str) -> tuple[str, bool | None]:
        if self._is_byte_level:
            text = self._decoder.decode([piece])  # half a character becomes U+FFFD, which is no letter
            return text.removeprefix(" "), text.startswith(" ")
        if self._is_meta:
            return piece.removeprefix(_META), piece.startswith(_META)
        if self._prefix and piece.startswith(self._prefix):
            return "", None
        return piece, None


def _is_word(text: str) -> bool:
    return WORD.fullmatch(text) is not None and not (
        len(text) == 1 and text.isascii() and text not in _ONE_LETTER_WORDS
    )


def _types(part: Any) -> Iterable[str]:
    """The types of a tokenizer's part and of those inside it."""
    if isinstance(part, dict):
        yield part.get("type", "")
        for inner in ("pretokenizers", "decoders"):
            for each in part.get(inner, ()):
                yield from _types(each)


def _mask(ids: Iterable[int], size: int) -> torch.Tensor:
    mask = torch.zeros(size, dtype=torch.bool)
    mask[torch.tensor(sorted(ids), dtype=torch.long)] = True
    return mask
