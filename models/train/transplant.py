"""A masked model whose weights come from a Llama-shaped causal one with the same tokenizer.

That a decoder's weights make a good beginning for a bidirectional encoder is LLM2Vec's finding (BehnamGhader et al.
2024, https://arxiv.org/abs/2404.05961). ModernBERT has every part that Llama has, under other names; what differs:

* RMSNorm becomes a LayerNorm without bias, which takes the mean off first. Where a hidden state has mean zero they are
  the same.
* Keys and values of grouped heads are repeated, since every head has its own there.
* The embedding is normed before the first layer, whose own norm is left out. Its weight is the embeddings' mean size,
  so that the residual stream begins as large as it did, and the first attention's matrix takes up what Llama's norm
  did besides.
* The output has one more dense layer and norm, which begin as the identity and as the final norm's mean size.
* A causal model says the next token where a masked one says this one. Training has to move that.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM, ModernBertConfig, ModernBertForMaskedLM, PreTrainedModel

from models.train.architectures import rope_parameters, special_ids
from models.train.errors import UnsupportedError
from models.train.growth import grow_rows, num_rows
from models.train.vocabulary import Vocabulary


def transplant(source: str, vocabulary: Vocabulary, context: int) -> ModernBertForMaskedLM:
    """The masked model in float32. Raises `UnsupportedError`, saying what of the causal model has no counterpart."""
    causal: Any = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    if (reason := _obstacle(causal.config)) is not None:
        raise UnsupportedError(f"init_from_causal: {source} cannot become a masked model: {reason}")
    with torch.no_grad():
        size = causal.get_input_embeddings().weight.square().mean(dim=1).sqrt().mean()
    grow_rows(causal, len(vocabulary), vocabulary.added)
    masked = ModernBertForMaskedLM(_shape(causal, vocabulary, context))
    with torch.no_grad():
        _copy(causal, masked, size)
    return masked


def _obstacle(config: Any) -> str | None:
    """Why a causal model has no counterpart, or None."""
    if config.model_type != "llama":
        return f"its kind is {config.model_type}, and llama is wanted"
    if config.attention_bias or config.mlp_bias:
        return "it has biases"
    if config.head_dim * config.num_attention_heads != config.hidden_size:
        return f"its heads are {config.head_dim} wide, which does not make up its width of {config.hidden_size}"
    if config.rope_parameters["rope_type"] != "default":
        return f"its rotary positions are of the kind {config.rope_parameters['rope_type']}"
    return None


def _shape(causal: PreTrainedModel, vocabulary: Vocabulary, context: int) -> ModernBertConfig:
    config = causal.config
    return ModernBertConfig(
        vocab_size=num_rows(causal),
        hidden_size=config.hidden_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        intermediate_size=config.intermediate_size,
        hidden_activation=config.hidden_act,
        max_position_embeddings=context,
        layer_types=["full_attention"] * config.num_hidden_layers,
        rope_parameters=rope_parameters(config.rope_parameters["rope_theta"]),
        norm_eps=config.rms_norm_eps,
        decoder_bias=False,
        classifier_activation="linear",
        tie_word_embeddings=True,
        **special_ids(vocabulary),
    )


def _copy(causal: Any, masked: Any, size: torch.Tensor) -> None:
    old, new = causal.model, masked.model
    new.embeddings.tok_embeddings.weight.copy_(old.embed_tokens.weight)
    new.embeddings.norm.weight.fill_(size)
    heads = causal.config.num_attention_heads // causal.config.num_key_value_heads
    for before, after in zip(old.layers, new.layers, strict=True):
        _copy_layer(before, after, heads, causal.config.head_dim)
    first = new.layers[0].attn.Wqkv.weight
    first.mul_(old.layers[0].input_layernorm.weight / size)
    new.final_norm.weight.copy_(old.norm.weight)
    masked.head.dense.weight.copy_(torch.eye(causal.config.hidden_size))
    masked.head.norm.weight.fill_(old.norm.weight.square().mean().sqrt())


def _copy_layer(before: Any, after: Any, repeats: int, head_dim: int) -> None:
    attention = before.self_attn
    keys, values = (_repeat_heads(each.weight, repeats, head_dim) for each in (attention.k_proj, attention.v_proj))
    after.attn.Wqkv.weight.copy_(torch.cat([attention.q_proj.weight, keys, values]))
    after.attn.Wo.weight.copy_(attention.o_proj.weight)
    after.mlp.Wi.weight.copy_(torch.cat([before.mlp.gate_proj.weight, before.mlp.up_proj.weight]))
    after.mlp.Wo.weight.copy_(before.mlp.down_proj.weight)
    after.mlp_norm.weight.copy_(before.post_attention_layernorm.weight)
    if isinstance(after.attn_norm, torch.nn.LayerNorm):  # the first layer has none
        after.attn_norm.weight.copy_(before.input_layernorm.weight)


def _repeat_heads(weight: torch.Tensor, repeats: int, head_dim: int) -> torch.Tensor:
    """[kv_heads * head_dim, hidden] → [heads * head_dim, hidden], each head as often as queries share it."""
    heads = weight.view(-1, head_dim, weight.shape[1])
    return heads.repeat_interleave(repeats, dim=0).reshape(-1, weight.shape[1])
