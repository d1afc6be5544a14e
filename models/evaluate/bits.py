"""Bits per byte and perplexity of a causal LM on a text, by a sliding window.

Bits per byte = total negative log2-likelihood of the text's tokens / its UTF-8 bytes; unlike perplexity it compares
over tokenizers. The window is the model's trained context and moves by half of it, so that every token but those of
the first window is predicted from at least half a context (the strided scheme of the transformers documentation on
perplexity of fixed-length models).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase


class NothingToScore(ValueError):
    """The text has no token to predict."""


@dataclass(frozen=True)
class Block:
    """What one window added: the tokens that it was the first to predict, and the bytes that they spell."""

    nats: float
    num_tokens: int
    num_bytes: float


@dataclass(frozen=True)
class TextScore:
    """The score of one text. `nats` is the summed negative log-likelihood of `num_tokens` predicted tokens.

    `blocks` are its windows, whose sums are the whole: what an interval for one long text is drawn from.
    """

    nats: float
    num_tokens: int
    num_bytes: int
    window: int
    stride: int
    blocks: tuple[Block, ...] = ()

    @property
    def bits_per_byte(self) -> float:
        return self.nats / math.log(2) / self.num_bytes

    @property
    def perplexity(self) -> float:
        """Per token of this model's own tokenizer: not comparable between tokenizers."""
        return math.exp(self.nats / self.num_tokens)

    def to_json(self) -> dict[str, Any]:
        return {
            "bits_per_byte": round(self.bits_per_byte, 4),
            "perplexity": round(self.perplexity, 3),
            "tokens": self.num_tokens,
            "bytes": self.num_bytes,
            "window": self.window,
            "stride": self.stride,
        }


@torch.inference_mode()
def score_text(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    text: str,
    *,
    prefix: str = "",
    window: int | None = None,
) -> TextScore:
    """Scores `text` after `prefix` (a document start that is given, not scored). Raises `NothingToScore`."""
    given = tokenizer(prefix, add_special_tokens=False)["input_ids"] if prefix else []
    ids = [*given, *tokenizer(text, add_special_tokens=False)["input_ids"]]
    size = window or trained_context(model)
    # Without anything before it the first token cannot be predicted: it is given, and not counted.
    first = max(len(given), 1)
    return score_ids(
        ids,
        first,
        size,
        len(text.encode()),
        lambda part, since: _window_nats(model, part, since),
        _ends(tokenizer, text),
    )


def score_ids(
    ids: Sequence[int],
    first: int,
    size: int,
    num_bytes: int,
    nats_of: Callable[[list[int], int], float],
    ends: Sequence[int] | None = None,
) -> TextScore:
    """Scores `ids[first:]`, which spell `num_bytes`, in windows of `size`.

    `nats_of(part, since)` is the negative log-likelihood of `part[since:]`, each given what stands before it in `part`.
    `ends[i]` are the bytes of the text up to the end of its token i, counted from its last token backwards; without
    them bytes are shared out by tokens. Raises `NothingToScore`.
    """
    if len(ids) <= first:
        raise NothingToScore("the text has no token to predict")
    stride = max(1, size // 2)
    parts = list(_windows(len(ids), first, size, stride))
    nats = [nats_of(list(ids[start:end]), scored - start) for start, scored, end in parts]
    places = [first, *(end for _, _, end in parts)]
    sizes = _bytes_between(places, len(ids), num_bytes, ends)
    blocks = tuple(
        Block(n, end - begin, size) for n, (begin, end), size in zip(nats, pairwise(places), sizes, strict=True)
    )
    return TextScore(sum(nats), len(ids) - first, num_bytes, size, stride, blocks)


def _windows(num_ids: int, first: int, size: int, stride: int) -> Iterator[tuple[int, int, int]]:
    """Where each window begins, from where on it is scored, and where it ends."""
    scored = first
    for start in range(0, num_ids, stride):
        end = min(start + size, num_ids)
        if end > scored:  # a window that lies in what is given predicts nothing
            yield start, scored, end
            scored = end
        if end == num_ids:
            break


def _bytes_between(places: Sequence[int], num_ids: int, num_bytes: int, ends: Sequence[int] | None) -> list[float]:
    """Bytes spelled by the tokens between neighbouring places; the text's tokens are the last of the ids."""
    if ends is None:
        return [num_bytes * (end - begin) / (num_ids - places[0]) for begin, end in pairwise(places)]
    shift = num_ids - len(ends)
    # The first block has all bytes up to its end: those of a first token that could not be predicted are in the sum.
    upto = [0, *(ends[place - shift - 1] for place in places[1:])]
    return [float(end - begin) for begin, end in pairwise(upto)]


def _ends(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int] | None:
    """Bytes up to the end of each token, where the tokenizer can say so."""
    if not tokenizer.is_fast:
        return None
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    ends, place, num_bytes = [], 0, 0
    for _, end in offsets:
        num_bytes += len(text[place : max(place, end)].encode())
        place = max(place, end)
        ends.append(num_bytes)
    if ends:
        ends[-1] = len(text.encode())
    return ends


def _window_nats(model: PreTrainedModel, ids: list[int], first: int) -> float:
    """Summed negative log-likelihood of `ids[first:]` given what stands before each."""
    row = torch.tensor([ids], device=model.device)
    logits = model(input_ids=row).logits[0, first - 1 : -1].float()
    return float(torch.nn.functional.cross_entropy(logits, row[0, first:], reduction="sum"))


def trained_context(model: PreTrainedModel) -> int:
    """How many tokens the model was made for."""
    return int(model.config.max_position_embeddings)  # transformers maps GPT-2's n_positions to this name too
