"""The models that are measured: the bundled one, and well-known shapes with random weights.

Speed does not depend on what the weights say, and no hub is needed. Random weights make flat distributions, which is
the worst case for samplers that sort; rows never end early, because no token ends them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, PretrainedConfig, Qwen2Config

from models.engine.checkpoint import Checkpoint, load_checkpoint

SHAPES: dict[str, Callable[[], PretrainedConfig]] = {
    # https://huggingface.co/openai-community/gpt2/blob/main/config.json
    "gpt2": GPT2Config,
    # https://huggingface.co/HuggingFaceTB/SmolLM2-135M/blob/main/config.json
    "smollm2-135m": lambda: LlamaConfig(
        vocab_size=49_152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
    ),
    # https://huggingface.co/Qwen/Qwen2.5-0.5B/blob/main/config.json
    "qwen2.5-0.5b": lambda: Qwen2Config(
        vocab_size=151_936,
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        max_position_embeddings=32_768,
        tie_word_embeddings=True,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
    ),
}
BUNDLED = "bundled"
NAMES = (BUNDLED, *SHAPES)
MAX_CONTEXT = 4096
"""The engine's memory is planned for at most so much."""


def make_checkpoint(name: str, bundled: str, device: str, dtype: str) -> Checkpoint:
    """The model of this name, with the bundled one's tokenizer, in which no token ends a text."""
    loaded = replace(load_checkpoint(bundled, device=device, dtype=dtype), end_ids=frozenset(), name=name)
    if name == BUNDLED:
        return loaded
    torch.manual_seed(0)
    with torch.device(loaded.device):
        model = AutoModelForCausalLM.from_config(SHAPES[name](), dtype=loaded.dtype).eval()
    context = int(model.config.max_position_embeddings)
    return replace(
        loaded,
        model=model,
        vocab_size=int(model.get_input_embeddings().get_parameter("weight").shape[0]),
        context_tokens=min(context, MAX_CONTEXT),
    )
