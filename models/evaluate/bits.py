"""Bits per byte and perplexity of a causal LM on a text, by a sliding window.

Bits per byte = total negative log2-likelihood of the text's tokens / its UTF-8 bytes; unlike perplexity it compares
over tokenizers. The window is the model's trained context and moves by half of it, so that every token but those of
the first window is predicted from at least half a context (the strided scheme of the transformers documentation on
perplexity of fixed-length models).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase


class NothingToScore(ValueError):
    """The text has no token to predict."""


@dataclass(frozen=True)
class TextScore:
    """The score of one text. `nats` is the summed negative log-likelihood of `num_tokens` predicted tokens."""

    nats: float
    num_tokens: int
    num_bytes: int
    window: int
    stride: int

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
    # Without anything before it the first token cannot be predicted: it is given, and not counted.
    first = max(len(given), 1)
    if len(ids) <= first:
        raise NothingToScore("the text has no token to predict")
    size = window or trained_context(model)
    stride = max(1, size // 2)
    nats, scored = 0.0, first
    for start in range(0, len(ids), stride):
        end = min(start + size, len(ids))
        nats += _window_nats(model, ids[start:end], scored - start)
        scored = end
        if end == len(ids):
            break
    return TextScore(nats, len(ids) - first, len(text.encode()), size, stride)


def _window_nats(model: PreTrainedModel, ids: list[int], first: int) -> float:
    """Summed negative log-likelihood of `ids[first:]` given what stands before each."""
    row = torch.tensor([ids], device=model.device)
    logits = model(input_ids=row).logits[0, first - 1 : -1].float()
    return float(torch.nn.functional.cross_entropy(logits, row[0, first:], reduction="sum"))


def trained_context(model: PreTrainedModel) -> int:
    """How many tokens the model was made for."""
    return int(model.config.max_position_embeddings)  # transformers maps GPT-2's n_positions to this name too
