"""Token ids to text, a token at a time, without ever showing half a character.

A token of a byte-level vocabulary may end in the middle of a character; decoded, such an end reads as U+FFFD, and is
held until the character is whole. Each piece is decoded together with the tokens before it, because some tokenizers
drop a leading space at the beginning of what they decode. Special tokens add no text to a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

REPLACEMENT = "\ufffd"
_SENTENCEPIECE_SPACE = "\u2581"
_CONTEXT = 6  # tokens of the prompt that are decoded before the first piece
_MAX_CHARACTER_TOKENS = 3  # a UTF-8 character has at most four bytes, so at most three tokens hold an unfinished one


def decode(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], *, skip_special: bool = True) -> str:
    """Text of `ids`, exactly as the tokens say (no cleaning of spaces)."""
    text = tokenizer.decode(list(ids), skip_special_tokens=skip_special, clean_up_tokenization_spaces=False)
    if not isinstance(text, str):
        raise TypeError(f"decoding one row gave {type(text).__name__}")
    return text


@dataclass(frozen=True)
class DetokenizerState:
    """All that a detokenizer remembers."""

    before: tuple[int, ...]
    pending: tuple[int, ...]
    is_fed: bool
    num_chars: int


class Detokenizer:
    """The text of one row. `num_chars` counts what has been given out; a `state` that is put back undoes the rest."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, prompt_ids: Sequence[int] = (), *, skip_special: bool = True
    ) -> None:
        self._tokenizer = tokenizer
        self._skip_special = skip_special
        context = list(prompt_ids[-_CONTEXT:])
        num_unfinished = self._unfinished(context)
        self._before = context[: len(context) - num_unfinished]
        self._pending = context[len(context) - num_unfinished :]
        self._is_fed = False
        self.num_chars = 0

    @property
    def state(self) -> DetokenizerState:
        return DetokenizerState(tuple(self._before), tuple(self._pending), self._is_fed, self.num_chars)

    @state.setter
    def state(self, state: DetokenizerState) -> None:
        self._before, self._pending = list(state.before), list(state.pending)
        self._is_fed, self.num_chars = state.is_fed, state.num_chars

    def push(self, token: int) -> str:
        """Adds a token; returns the text that became whole, often empty."""
        self._pending.append(token)
        self._is_fed = True
        text = self._pending_text()
        if text.endswith(REPLACEMENT):
            return ""
        return self._give(text)

    def flush(self) -> str:
        """What is still held, with U+FFFD for a character that never became whole."""
        return self._give(self._pending_text()) if self._is_fed else ""

    def _pending_text(self) -> str:
        before = self._decode(self._before)
        return self._decode(self._before + self._pending)[len(before) :]

    def _decode(self, ids: Sequence[int]) -> str:
        return decode(self._tokenizer, ids, skip_special=self._skip_special)

    def _give(self, text: str) -> str:
        if self._pending and text:
            self._before, self._pending = self._pending, []
        self.num_chars += len(text)
        return text

    def _unfinished(self, context: list[int]) -> int:
        """How many tokens at the end of a prompt (given as ids) hold the beginning of a character."""
        for size in range(min(len(context), _MAX_CHARACTER_TOKENS) + 1):
            if not self._decode(context[: len(context) - size]).endswith(REPLACEMENT):
                return size
        return 0


def token_text(tokenizer: PreTrainedTokenizerBase, token: int) -> str:
    """One token as OpenAI's log probabilities name it; a part of a character is written ``bytes:\\xe2\\x80``."""
    text = decode(tokenizer, [token], skip_special=False)
    piece = tokenizer.convert_ids_to_tokens(token)
    if not isinstance(piece, str):  # an id that the model has but the vocabulary lacks
        return text
    if piece.startswith(_SENTENCEPIECE_SPACE) and not text.startswith(" "):
        return " " + text  # decoded alone, such a token loses its leading space
    if REPLACEMENT not in text:
        return text
    raw = _piece_bytes(piece)
    return text if raw is None else "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)


def token_bytes(tokenizer: PreTrainedTokenizerBase, token: int) -> bytes:
    """One token's own share of a text in UTF-8, which may be a part of a character."""
    piece = tokenizer.convert_ids_to_tokens(token)
    raw = _piece_bytes(piece) if isinstance(piece, str) and REPLACEMENT in decode(tokenizer, [token]) else None
    return token_text(tokenizer, token).encode() if raw is None else raw


def token_of(tokenizer: PreTrainedTokenizerBase, text: str) -> int | None:
    """The token whose text this is, None where there is none."""
    letters = {byte: letter for letter, byte in _byte_letters().items()}
    byte_level = "".join(letters[byte] for byte in text.encode())
    for piece in (byte_level, text.replace(" ", _SENTENCEPIECE_SPACE), text):
        token = tokenizer.convert_tokens_to_ids(piece)
        if isinstance(token, int) and token_text(tokenizer, token) == text:
            return token
    return None


def _piece_bytes(piece: str) -> bytes | None:
    """The bytes behind a piece of a byte-level or byte-fallback vocabulary; None for any other."""
    if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
        return bytes([int(piece[3:5], 16)])
    table = _byte_letters()
    return bytes(table[c] for c in piece) if all(c in table for c in piece) else None


@cache
def _byte_letters() -> dict[str, int]:
    """GPT-2's letters for bytes: printable Latin-1 stands for itself, the others for 256 and up in order."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {chr(b): b for b in printable}
    others = (b for b in range(256) if chr(b) not in letters)
    return letters | {chr(256 + i): b for i, b in enumerate(others)}
