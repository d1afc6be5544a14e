"""Models that begin at random weights, in the shape that the configuration gives."""

from __future__ import annotations

from typing import Any

from transformers import (
    BertConfig,
    BertForMaskedLM,
    LlamaConfig,
    LlamaForCausalLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedModel,
)

from models.train.config import TrainConfig
from models.train.vocabulary import Vocabulary


def build_from_scratch(config: TrainConfig, vocabulary: Vocabulary) -> PreTrainedModel:
    """A freshly initialised model; torch's seed decides its weights. Embeddings and output are tied."""
    return {"llama": _llama, "modernbert": _modernbert, "bert": _bert}[config.architecture](config, vocabulary)


def _llama(config: TrainConfig, vocabulary: Vocabulary) -> PreTrainedModel:
    shape, fast = config.model, vocabulary.fast
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocabulary),
            hidden_size=shape.hidden_size,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            intermediate_size=shape.intermediate_size,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            bos_token_id=fast.bos_token_id,
            eos_token_id=fast.eos_token_id,
            pad_token_id=fast.pad_token_id,
        )
    )


def _modernbert(config: TrainConfig, vocabulary: Vocabulary) -> PreTrainedModel:
    """ModernBERT (https://arxiv.org/abs/2412.13663) with global attention in every layer: contexts here are short."""
    shape = config.model
    return ModernBertForMaskedLM(
        ModernBertConfig(
            vocab_size=len(vocabulary),
            hidden_size=shape.hidden_size,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            intermediate_size=shape.intermediate_size,
            max_position_embeddings=shape.context,
            layer_types=["full_attention"] * shape.layers,
            rope_parameters=rope_parameters(10_000.0),
            decoder_bias=False,
            **special_ids(vocabulary),
        )
    )


def _bert(config: TrainConfig, vocabulary: Vocabulary) -> PreTrainedModel:
    shape, fast = config.model, vocabulary.fast
    return BertForMaskedLM(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=shape.hidden_size,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            intermediate_size=shape.intermediate_size,
            max_position_embeddings=shape.context,
            type_vocab_size=1,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            pad_token_id=fast.pad_token_id,
        )
    )


def rope_parameters(theta: float) -> dict[Any, dict[Any, Any]]:
    """One base of the rotary angles for every layer of a ModernBERT, as its configuration wants it."""
    return {kind: {"rope_type": "default", "rope_theta": theta} for kind in ("full_attention", "sliding_attention")}


def special_ids(vocabulary: Vocabulary) -> dict[str, Any]:
    """The ids that a ModernBERT's configuration names; its own defaults belong to another vocabulary."""
    fast = vocabulary.fast
    return {
        "bos_token_id": fast.bos_token_id,
        "eos_token_id": fast.eos_token_id,
        "pad_token_id": fast.pad_token_id,
        "cls_token_id": fast.cls_token_id,
        "sep_token_id": fast.sep_token_id,
    }
