"""Words that should appear: tokens that begin or continue a word which is still missing become likelier.

What is added to their logits grows as the room for them shrinks: ``strength * exp(written / slack)``, where the slack
are the tokens left beyond those that the missing words need. So a word comes where it fits well, and late enough it
comes anyway. (Pascual et al. 2021, "A Plug-and-Play Method for Controlled Text Generation",
https://aclanthology.org/2021.findings-emnlp.334, equation 4, with the words' own spelling in the place of their
meaning.) End tokens become as much less likely while words are missing. It is no promise: the row's other controls,
and its `max_tokens`, come first.

Words are matched in the text, in any case, where no letter or digit stands before them; what follows is free, so
"dragons" has "dragon" in it. Whatever tokens spell a word may bring it: all those are favoured whose text goes on with
it, by the share of it that they bring.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

from models.engine.detokenize import token_of
from models.engine.phrases import fold_text

MOST = 100.0
"""What is added at most: OpenAI's bound for a bias, beyond which no other token is drawn."""


class Speller:
    """Which tokens spell the beginning of a string; remembered, and shared by the rows of a request."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._known: dict[str, dict[int, float]] = {}

    def beginnings(self, text: str) -> dict[int, float]:
        """Each token whose text `text` begins with, and the share of it that the token brings."""
        if text not in self._known:
            tokens = {size: token_of(self._tokenizer, text[:size]) for size in range(1, len(text) + 1)}
            found = {size: token for size, token in tokens.items() if token is not None}
            # A space alone may begin any word; it is favoured only where no token has more of this one.
            telling = {size: token for size, token in found.items() if text[:size].strip()} or found
            self._known[text] = {token: size / len(text) for size, token in telling.items()}
        return self._known[text]

    def num_tokens(self, text: str) -> int:
        """How many tokens spell `text`, the longest first; letters that no token has count as one each."""
        count = 0
        while text:
            longest = max((round(share * len(text)) for share in self.beginnings(text).values()), default=1)
            text, count = text[longest:], count + 1
        return count


@dataclass(frozen=True)
class InclusionState:
    """What has been seen: the text's last characters, the words that it lacks, and how many tokens were written."""

    tail: str
    missing: tuple[str, ...]
    num_written: int = 0


class Inclusion:
    """One row's words. `state` is all that it remembers; `prompt_end` is what stands before the row's text."""

    def __init__(
        self,
        words: Sequence[str],
        strength: float,
        max_tokens: int,
        speller: Speller,
        end_ids: Collection[int],
        prompt_end: str,
    ) -> None:
        self._strength = strength
        self._max_tokens = max_tokens
        self._speller = speller
        self._end_ids = list(end_ids)
        self._longest = max(map(len, words))
        self._needed = {word: speller.num_tokens(" " + word) for word in words}
        # Its first character only says whether a word may begin behind it.
        self.state = InclusionState((prompt_end or "\n")[-1], tuple(words))

    def push(self, text: str) -> None:
        """A token was written, and this text became whole."""
        seen, whole = self.state, self.state.tail + text
        missing = tuple(word for word in seen.missing if not _has(whole, word))
        self.state = InclusionState(whole[-self._longest :], missing, seen.num_written + 1)

    def adjust(self, scores: torch.Tensor) -> None:
        """Adds to `scores` [vocab], in place."""
        bias = self.bias()
        if not bias:
            return
        added: dict[int, float] = {}
        for word in self.state.missing:
            for rest in goes_on(self.state.tail, word):
                for token, share in self._speller.beginnings(rest).items():
                    added[token] = max(added.get(token, 0.0), bias * share)
        for token in self._end_ids:
            added[token] = -bias
        ids = torch.tensor([*added], device=scores.device)
        scores.index_add_(0, ids, torch.tensor([*added.values()], device=scores.device, dtype=scores.dtype))

    def bias(self) -> float:
        """What a token that brings a whole missing word gains now; 0 where none is missing."""
        seen = self.state
        if not seen.missing:
            return 0.0
        slack = self._max_tokens - seen.num_written - sum(self._needed[word] for word in seen.missing)
        growth = math.exp(min(seen.num_written / slack, 50.0)) if slack > 0 else math.inf
        return min(MOST, self._strength * growth) if self._strength else 0.0


def goes_on(tail: str, word: str) -> list[str]:
    """What may follow `tail` so that `word` is begun at a border, or goes on where it has begun."""
    folded, wanted = fold_text(tail), fold_text(word)
    for size in range(min(len(word), len(tail)) - 1, 0, -1):
        if folded.endswith(wanted[:size]) and not tail[-size - 1].isalnum():
            return [word[size:]]
    if tail[-1].isspace():
        return [word]
    return [" " + word] if tail[-1].isalnum() else [" " + word, word]


def _has(text: str, word: str) -> bool:
    """Whether the word begins at a border behind the text's first character."""
    folded, wanted = fold_text(text), fold_text(word)
    place = folded.find(wanted, 1)
    while place >= 0 and text[place - 1].isalnum():
        place = folded.find(wanted, place + 1)
    return place >= 0
