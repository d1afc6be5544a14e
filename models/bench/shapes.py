"""The models that are measured: the bundled one, and well-known shapes with random weights.

Speed does not depend on what the weights say, and no hub is needed. Random weights make flat distributions, which is
the worst case for samplers that sort; rows never end early, because no token ends them.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from tokenizers import Tokenizer
from transformers import (
    GPT2Config,
    LlamaConfig,
    PretrainedConfig,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

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


def stretch_tokenizer(tokenizer: PreTrainedTokenizerBase, vocab_size: int, context: int) -> PreTrainedTokenizerBase:
    """A tokenizer with a word for each id of a larger vocabulary, so that each token that is drawn makes text.

    None of its tokens begins or ends a text.
    """
    said = json.loads(tokenizer.backend_tokenizer.to_str())
    vocab = said["model"]["vocab"]
    known = {*vocab.values(), *(token["id"] for token in said["added_tokens"])}
    vocab.update({f"Ġw{i}": i for i in range(vocab_size) if i not in known})  # "Ġ" is a space, byte by byte
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(said)),
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
