"""Rows for tokens that a checkpoint does not know yet."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel


def num_rows(model: PreTrainedModel) -> int:
    """How many tokens the model has an embedding for."""
    return len(model.get_input_embeddings().get_parameter("weight"))


def grow_rows(model: PreTrainedModel, vocab_size: int, added: Sequence[int]) -> None:
    """Gives every token a row in the embedding and the output; the rows of `added` begin at the mean of all others.

    At the mean a new token is neither likelier nor stranger than the old ones (Hewitt 2021,
    https://nlp.stanford.edu/~johnhew/vocab-expansion.html). Rows are never taken away: many models have spare ones.
    """
    if vocab_size > num_rows(model):
        model.resize_token_embeddings(vocab_size, mean_resizing=False)
    if not added:
        return
    layers = [model.get_input_embeddings(), model.get_output_embeddings()]
    tensors = [part for layer in layers if layer is not None for part in (layer.weight, getattr(layer, "bias", None))]
    with torch.no_grad():
        for tensor in {id(part): part for part in tensors if part is not None}.values():
            is_old = torch.ones(len(tensor), dtype=torch.bool, device=tensor.device)
            is_old[list(added)] = False
            tensor[list(added)] = tensor[is_old].float().mean(dim=0).to(tensor.dtype)
