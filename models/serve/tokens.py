"""Turns prompts into token ids, away from the thread that owns the model.

Some fast tokenizers cannot be used by two threads at once ("Already borrowed"), so this side works on a copy, one
prompt at a time.
"""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING

from models.engine.detokenize import decode

if TYPE_CHECKING:
    from models.engine.checkpoint import Checkpoint


class PromptTokenizer:
    """The checkpoint's tokenizer for the HTTP side; safe to call from any thread."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._tokenizer = copy.deepcopy(checkpoint.tokenizer)
        self._lock = threading.Lock()

    def encode(self, text: str, *, add_special: bool = False) -> list[int]:
        """Token ids of `text`; special tokens that are written out in it are read as such."""
        with self._lock:
            return list(self._tokenizer(text, add_special_tokens=add_special)["input_ids"])

    def decode(self, ids: list[int]) -> str:
        """Text of `ids`, special tokens written out."""
        with self._lock:
            return decode(self._tokenizer, ids, skip_special=False)
