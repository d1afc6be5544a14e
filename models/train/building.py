"""The model of a run: from scratch, from a checkpoint, from a causal one, or a checkpoint with an adapter."""

from __future__ import annotations

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from models.train.architectures import build_from_scratch
from models.train.config import TrainConfig
from models.train.lora import add_adapter, load_base
from models.train.pretrained import allow_checkpointing, load_pretrained, set_dropout
from models.train.transplant import transplant
from models.train.vocabulary import Vocabulary


def build_model(config: TrainConfig, vocabulary: Vocabulary) -> PreTrainedModel | PeftModel:
    """The model as it stands before the first step; the seed decides every random weight."""
    torch.manual_seed(config.seed)
    base = _build_base(config, vocabulary)
    # A cache is of no use in training, and with one transformers does not look for borders between documents.
    base.config.use_cache = False
    if config.dropout is not None:
        set_dropout(base, config.dropout)
    if config.gradient_checkpointing:
        allow_checkpointing(base)
    return base if config.lora is None else add_adapter(base, config.lora, vocabulary)


def _build_base(config: TrainConfig, vocabulary: Vocabulary) -> PreTrainedModel:
    if config.init is not None and config.lora is not None:
        return load_base(config.init, config, config.lora, vocabulary)
    if config.init is not None:
        return load_pretrained(config.init, config, vocabulary, torch.float32)
    if config.init_from_causal is not None:
        return transplant(config.init_from_causal, vocabulary, config.model.context)
    return build_from_scratch(config, vocabulary)
