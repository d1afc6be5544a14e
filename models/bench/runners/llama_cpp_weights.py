"""From a folder of transformers to a GGUF file in Q8_0, for the families that are measured.

Matrices become 8 bits in blocks of 32, as llama.cpp's own converter has them; those whose rows are no multiple of 32
become 16 bits, and all else stays in 32. There is no vocabulary in it: only ids go in and out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors import safe_open

ARCHITECTURES = {
    "gpt2": gguf.MODEL_ARCH.GPT2,
    "llama": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
}
TRANSPOSED = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
"""GPT-2 keeps these as [in, out]."""


def convert(source: Path, target: Path) -> None:
    """Raises `ValueError` for a family that is not listed here."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    kind = config["model_type"]
    if kind not in ARCHITECTURES:
        raise ValueError(f"no conversion for models of the kind {kind}")
    architecture = ARCHITECTURES[kind]
    writer = gguf.GGUFWriter(target, gguf.MODEL_ARCH_NAMES[architecture])
    _describe(writer, config)
    names = gguf.get_tensor_name_map(architecture, _either(config, "num_hidden_layers", "n_layer"))
    for name, weight in _weights(source):
        place = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if place is None:
            raise ValueError(f"no place for {name}")
        _add(writer, place, _laid_out(name, weight, config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _weights(source: Path) -> Iterator[tuple[str, np.ndarray]]:
    """All of them, in float32; a tied head is not among them, since llama.cpp takes the embedding for it."""
    for path in sorted(source.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118  # it is no mapping
                yield name, file.get_tensor(name)


def _either(config: dict[str, Any], *names: str) -> Any:
    return next(config[name] for name in names if name in config)


def _describe(writer: Any, config: dict[str, Any]) -> None:
    heads = _either(config, "num_attention_heads", "n_head")
    width = _either(config, "hidden_size", "n_embd")
    inner = config.get("intermediate_size") or config.get("n_inner") or 4 * width
    writer.add_context_length(_either(config, "max_position_embeddings", "n_positions"))
    writer.add_embedding_length(width)
    writer.add_block_count(_either(config, "num_hidden_layers", "n_layer"))
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_tokenizer_model("no_vocab")
    if config["model_type"] == "gpt2":
        writer.add_layer_norm_eps(config["layer_norm_epsilon"])
        return
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_rope_dimension_count(config.get("head_dim") or width // heads)


def _laid_out(name: str, weight: np.ndarray, config: dict[str, Any]) -> np.ndarray:
    """As llama.cpp reads it. For Llama it turns neighbours, where transformers turns halves of a head."""
    if config["model_type"] == "gpt2":
        return np.ascontiguousarray(weight.T) if name.endswith(TRANSPOSED) else weight
    if config["model_type"] == "llama":
        if "q_proj." in name:
            return _neighbours(weight, config["num_attention_heads"])
        if "k_proj." in name:
            return _neighbours(weight, config["num_key_value_heads"])
    return weight


def _neighbours(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows i and i + half of each head next to each other."""
    rows = weight.shape[0]
    return weight.reshape(heads, 2, rows // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def _add(writer: Any, place: str, weight: np.ndarray) -> None:
    block = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType.Q8_0][0]
    if weight.ndim < 2 or place.startswith("position_embd"):
        writer.add_tensor(place, weight.astype(np.float32))
    elif weight.shape[-1] % block:
        writer.add_tensor(place, weight.astype(np.float16))
    else:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(place, gguf.quants.quantize(weight.astype(np.float32), kind), raw_dtype=kind)
