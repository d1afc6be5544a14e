"""DRY ("don't repeat yourself"): a token that would go on with a repetition pays for the length of what it repeats.

Where the end of the text, of L tokens, stands earlier in it too, the token that followed there loses
``multiplier * base ** (L - allowed_length)``, for the longest such L of at least `allowed_length`. A sequence breaker
ends every repetition, so that formats (names before a colon, paragraphs) may come again. By p-e-w for
text-generation-webui (https://github.com/oobabooga/text-generation-webui/pull/5677); names and the range
`penalty_last_n` are llama.cpp's (common/sampling: ``--dry-multiplier`` and so on).

How far the end of the text agrees with each earlier place follows from the token before: one look at each place where
the newest token stood. At the beginning, and where tokens are taken back, it is counted anew by the Z algorithm, in
time linear in the text.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedTokenizerBase

from models.engine.detokenize import token_bytes
from models.engine.params import SamplingParams

LONGEST = 50
"""Repetitions count as no longer than this, as in text-generation-webui."""
_HIGHEST = 1e6  # no token that pays this is ever drawn; a larger number could become infinite


class Breakers:
    """Which tokens end a repetition: those in which a breaker string is complete, whatever tokens it is spelled by."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, strings: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._strings = [string.encode() for string in strings]
        self._longest = max(map(len, self._strings), default=0)
        self._known: dict[int, bytes] = {}

    def look(self, before: bytes, token: int) -> tuple[bytes, bool]:
        """What to remember for the next token, and whether this one is a breaker."""
        if token not in self._known:
            self._known[token] = token_bytes(self._tokenizer, token)
        text = before + self._known[token]
        starts = ((string, max(0, len(before) - len(string) + 1)) for string in self._strings)
        is_breaker = any(text.find(string, start) >= 0 for string, start in starts)
        return text[max(0, len(text) - self._longest + 1) :] if self._longest > 1 else b"", is_breaker


class Dry:
    """One row's. `text` are the prompt's tokens, with the breakers among them as `marked` makes them."""

    def __init__(self, params: SamplingParams, breakers: Breakers, text: Sequence[int], before: bytes) -> None:
        self._params = params
        self._breakers = breakers
        self._text = list(text)
        self._befores = [before]  # one more for each token that was generated
        self._places: dict[int, list[int]] = {}
        for place, token in enumerate(self._text):
            self._places.setdefault(token, []).append(place)
        self._matches = suffix_matches(self._text)

    def adjust(self, scores: torch.Tensor) -> None:
        """Applies the penalties to `scores` [vocab], in place."""
        p = self._params
        lengths: dict[int, int] = {}
        end = len(self._text)
        first = 0 if p.dry_penalty_last_n < 0 else max(0, end - p.dry_penalty_last_n)
        for place, length in self._matches.items():
            length = min(length, place - first + 1, LONGEST)
            token = self._text[place + 1]
            if token >= 0 and length >= p.dry_allowed_length:
                lengths[token] = max(length, lengths.get(token, 0))
        if lengths:
            costs = [dry_penalty(p, length) for length in lengths.values()]
            ids = torch.tensor(list(lengths), device=scores.device)
            scores[ids] -= torch.tensor(costs, device=scores.device, dtype=scores.dtype)

    def accept(self, token: int) -> None:
        """The row goes on with this token."""
        before, is_breaker = self._breakers.look(self._befores[-1], token)
        self._befores.append(before)
        place = len(self._text)
        token = -1 - place if is_breaker else token
        earlier = self._places.setdefault(token, [])
        self._matches = {other: self._matches.get(other - 1, 0) + 1 for other in earlier}
        self._text.append(token)
        earlier.append(place)

    def take_back(self, count: int) -> None:
        """The row's last `count` tokens were not written after all."""
        if count:
            for token in reversed(self._text[-count:]):
                self._places[token].pop()
            del self._text[-count:]
            del self._befores[-count:]
            self._matches = suffix_matches(self._text)


def marked(breakers: Breakers, ids: Sequence[int]) -> tuple[list[int], bytes]:
    """The tokens, breakers as numbers below 0 that are never equal; and what a `Dry` remembers of the text's end."""
    text, before = [], b""
    for place, token in enumerate(ids):
        before, is_breaker = breakers.look(before, token)
        text.append(-1 - place if is_breaker else token)
    return text, before


def dry_penalty(params: SamplingParams, length: int) -> float:
    """What a token pays that goes on with a repetition of `length` tokens."""
    return min(params.dry_multiplier * params.dry_base ** (length - params.dry_allowed_length), _HIGHEST)


def suffix_matches(text: Sequence[int]) -> dict[int, int]:
    """For each earlier place how many tokens up to it agree with the last ones, where any do.

    The Z algorithm over the reversed text (Gusfield 1997, section 1.4).
    """
    backwards = text[::-1]
    size = len(backwards)
    lengths = [0] * size
    left = right = 0
    for i in range(1, size):
        length = min(right - i, lengths[i - left]) if i < right else 0
        while i + length < size and backwards[length] == backwards[i + length]:
            length += 1
        lengths[i] = length
        if i + length > right:
            left, right = i, i + length
    return {size - 1 - i: length for i, length in enumerate(lengths) if length}
