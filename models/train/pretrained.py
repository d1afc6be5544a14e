"""The checkpoint that a run goes on from: loaded, given rows for new tokens, and set up for training."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, PreTrainedModel

from models.train.config import TrainConfig
from models.train.errors import TrainConfigError, UnsupportedError
from models.train.growth import grow_rows
from models.train.vocabulary import Vocabulary

# What architectures call the share of values that are dropped; see each one's configuration in transformers.
_DROPOUTS = (
    "attention_dropout hidden_dropout embedding_dropout mlp_dropout hidden_dropout_prob attention_probs_dropout_prob "
    "resid_pdrop embd_pdrop attn_pdrop resid_dropout embed_dropout dropout activation_dropout"
).split()


def load_pretrained(
    source: str, config: TrainConfig, vocabulary: Vocabulary, dtype: torch.dtype, **options: Any
) -> PreTrainedModel:
    """The model that `source` names, with a row for each token; `options` go to transformers' `from_pretrained`.

    Raises `UnsupportedError` where it does not load, `TrainConfigError` for a context that it was not made for.
    """
    loader: Any = AutoModelForCausalLM if config.objective == "causal" else AutoModelForMaskedLM
    try:
        model: PreTrainedModel = loader.from_pretrained(source, dtype=dtype, **options)
    except Exception as error:  # whatever transformers, the hub client and safetensors raise for a bad checkpoint
        raise UnsupportedError(f"init: cannot load {source}: {error}") from error
    _check_context(model, config.model.context, source)
    grow_rows(model, len(vocabulary), vocabulary.added)
    return model


def _check_context(model: PreTrainedModel, context: int, source: str) -> None:
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if isinstance(limit, int) and context > limit:
        raise TrainConfigError(f"model.context is {context}; {source} was made for at most {limit}")


def set_dropout(model: PreTrainedModel, share: float) -> None:
    """Sets every dropout that the architecture has. Raises `UnsupportedError` where it has none."""
    config = model.config.get_text_config()
    names = [name for name in _DROPOUTS if hasattr(config, name)]
    if not names:
        raise UnsupportedError(f"dropout: the architecture {config.model_type} has none; leave it out")
    for name in names:
        setattr(config, name, share)
    module: Any
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share
        elif isinstance(getattr(module, "attention_dropout", None), float | int):
            module.attention_dropout = share


def allow_checkpointing(model: PreTrainedModel) -> None:
    """Raises `UnsupportedError` where activations can't be computed anew in the backward pass."""
    if not model.supports_gradient_checkpointing:
        raise UnsupportedError(f"gradient_checkpointing: the architecture {model.config.model_type} has none")
