"""Loading of models that read a text in one go: masked language models and classifiers of texts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from models.engine.checkpoint import CheckpointError, local_folder, trained_context
from models.engine.placement import choose_device, choose_dtype


@dataclass(frozen=True)
class Encoder:
    """Weights in their place and ready to read, with the tokenizer; `folder` is where they lie, None for the hub's."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    folder: Path | None


def load_encoder(auto: Any, what: str, source: str, revision: str | None, device: str, dtype: str) -> Encoder:
    """Loads by `auto`, one of transformers' Auto classes, from a folder or the hub; `what` names such models.

    Raises `CheckpointError`, also for a model that is none of this kind, or `PlacementError` for a missing device.
    """
    folder = local_folder(source, revision)
    place = choose_device(device)
    where = source if folder is None else str(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, revision=revision or "main")
        model, found = auto.from_pretrained(
            where, revision=revision or "main", dtype=choose_dtype(dtype, place), output_loading_info=True
        )
    except Exception as error:  # whatever transformers, the hub client and safetensors raise for a bad checkpoint
        raise CheckpointError(f"cannot load {source} as a {what}: {error}") from error
    if missing := sorted(found["missing_keys"]):
        sentence = f"{source} is no {what}: its weights lack {', '.join(missing[:3])}"
        raise CheckpointError(sentence + (f" and {len(missing) - 3} more" if len(missing) > 3 else ""))
    torch.nn.Module.to(model, place)  # moves in place; transformers' own wrapper is typed for another call
    model.eval()
    return Encoder(model, tokenizer, folder)


def encoder_context(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """As `trained_context`; RoBERTa and its kin count positions from behind the padding's, so they have fewer."""
    table = next((part for name, part in model.named_modules() if name.endswith("position_embeddings")), None)
    context = trained_context(model, tokenizer)
    if isinstance(table, torch.nn.Embedding) and table.padding_idx is not None:
        return min(context, table.num_embeddings - table.padding_idx - 1)
    return context
