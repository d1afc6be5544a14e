"""One reading of several texts by the model: what it expects at the masked places, and nowhere else.

The layer that turns a state into scores for the whole vocabulary is as dear as several others, and its output larger
than all of theirs; so only the states at the wanted places are let through to it. Where a model computes that layer in
another way, its whole output is taken and the places are picked from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch

from models.engine.masked.checkpoint import MaskedCheckpoint


def read_masked(
    checkpoint: MaskedCheckpoint, texts: Sequence[Sequence[int]], places: Sequence[Sequence[int]]
) -> list[torch.Tensor]:
    """Scores [places, vocab] of each text, float32 on the CPU. Shorter texts are padded on the right."""
    width = max(map(len, texts))
    ids = torch.full((len(texts), width), checkpoint.pad_id)
    seen = torch.zeros((len(texts), width), dtype=torch.long)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
        seen[row, : len(text)] = 1
    wanted = torch.tensor([row * width + place for row, own in enumerate(places) for place in own])
    wanted = wanted.to(checkpoint.device)
    with torch.inference_mode(), _only(checkpoint, wanted):
        found = checkpoint.model(input_ids=ids.to(checkpoint.device), attention_mask=seen.to(checkpoint.device))
        logits: torch.Tensor = found.logits
        if logits.dim() == 3:
            logits = logits.flatten(0, 1)[wanted]
        scores = logits[:, : checkpoint.vocab_size].to("cpu", torch.float32)
    ends = list(accumulate(len(own) for own in places))
    whole = scores.clone()  # out of inference mode, so that it can be changed in place
    return [whole[end - len(own) : end] for own, end in zip(places, ends, strict=True)]


@contextmanager
def _only(checkpoint: MaskedCheckpoint, wanted: torch.Tensor) -> Iterator[None]:
    """Lets only the states at `wanted`, counted over all texts, through to the last layer."""
    last = checkpoint.model.get_output_embeddings()
    if last is None:
        yield
        return

    def choose(_module: Any, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (args[0].flatten(0, -2)[wanted], *args[1:])

    handle = last.register_forward_pre_hook(choose)
    try:
        yield
    finally:
        handle.remove()
