"""A tiny random model of every kind that has a forward pass of our own, with all its peculiarities switched on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPTNeoConfig,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    Qwen2Config,
    Qwen3Config,
)

from models.engine.checkpoint import Checkpoint

CONTEXT = 192
WINDOW = 24
SHAPE: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.3,
    "tie_word_embeddings": False,
}
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
CONFIGS: dict[str, PretrainedConfig] = {
    "llama": LlamaConfig(**SHAPE),
    "llama, tied head": LlamaConfig(**{**SHAPE, "tie_word_embeddings": True}),
    "llama, no groups": LlamaConfig(**{**SHAPE, "num_key_value_heads": 4}),
    "llama, one group": LlamaConfig(**{**SHAPE, "num_key_value_heads": 1}),
    "llama, biases": LlamaConfig(**SHAPE, attention_bias=True, mlp_bias=True),
    "llama, wide heads": LlamaConfig(**SHAPE, head_dim=16),
    "llama, llama3 rope": LlamaConfig(**SHAPE, rope_parameters=LLAMA3_ROPE),
    "llama, linear rope": LlamaConfig(
        **SHAPE, rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10_000.0}
    ),
    "llama, yarn rope": LlamaConfig(
        **SHAPE,
        rope_parameters={
            "rope_type": "yarn",
            "factor": 4.0,
            "rope_theta": 10_000.0,
            "original_max_position_embeddings": 48,
        },
    ),
    "mistral": MistralConfig(**SHAPE, sliding_window=None),
    "qwen2": Qwen2Config(**SHAPE),
    "qwen3": Qwen3Config(**SHAPE, head_dim=8),
    "gpt2": GPT2Config(vocab_size=300, n_embd=32, n_layer=3, n_head=4, n_positions=CONTEXT, initializer_range=0.3),
    "gpt_neo": GPTNeoConfig(
        vocab_size=300,
        hidden_size=32,
        num_layers=3,
        num_heads=4,
        intermediate_size=48,
        max_position_embeddings=CONTEXT,
        attention_types=[[["global", "local"], 1], [["local"], 1]],
        window_size=WINDOW,
        initializer_range=0.2,
    ),
    "mistral, window": MistralConfig(**SHAPE, sliding_window=WINDOW),
    "qwen2, window": Qwen2Config(**SHAPE, use_sliding_window=True, sliding_window=WINDOW, max_window_layers=1),
    "qwen3, window": Qwen3Config(
        **SHAPE,
        head_dim=8,
        use_sliding_window=True,
        sliding_window=WINDOW,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    ),
}
WINDOWED = ["gpt_neo", *(name for name in CONFIGS if name.endswith("window"))]


def make_model(name: str, like: Checkpoint) -> Checkpoint:
    """A checkpoint with this configuration's random weights, and the tokenizer of `like`. No token ends a row."""
    torch.manual_seed(5)
    model = AutoModelForCausalLM.from_config(CONFIGS[name]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:  # norms begin as ones, biases as zeros: a mistake there would not show
                parameter.add_(torch.randn_like(parameter) * 0.1)
    return replace(like, model=model, vocab_size=300, context_tokens=CONTEXT, end_ids=frozenset())
