"""LoRA adapters with random matrices, saved as PEFT saves them, and the same added to a model's weights by hand."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from models.engine.checkpoint import Checkpoint

ALL_LINEAR = {
    "llama": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    "gpt2": ["c_attn", "c_proj", "c_fc"],
    "gpt_neo": ["q_proj", "k_proj", "v_proj", "out_proj", "c_fc", "c_proj"],
}


def targets_of(model: PreTrainedModel) -> list[str]:
    """The ends of the names of all dense layers of its blocks."""
    return ALL_LINEAR.get(model.config.model_type, ALL_LINEAR["llama"])


def make_adapter(
    folder: Path,
    model: PreTrainedModel,
    seed: int,
    targets: Sequence[str] | None = None,
    *,
    rank: int = 4,
    ranks: Mapping[str, int] | None = None,
    **config: Any,
) -> Path:
    """Changes the layers whose names end in `targets` (None: all); `ranks` are those of modules with another rank."""
    targets = targets_of(model) if targets is None else targets
    matrices, generator = {}, torch.Generator().manual_seed(seed)
    for name, module in model.named_modules():
        if name.endswith(tuple(f".{target}" for target in targets)):
            num_in, num_out = _sizes(module)
            size = (ranks or {}).get(name, rank)
            prefix = f"base_model.model.{name}"
            matrices[f"{prefix}.lora_A.weight"] = torch.randn(size, num_in, generator=generator) / num_in**0.5
            matrices[f"{prefix}.lora_B.weight"] = torch.randn(num_out, size, generator=generator) * 0.2
    assert matrices
    save_adapter(folder, {"r": rank, "lora_alpha": 2 * rank, "target_modules": list(targets), **config}, matrices)
    return folder


def save_adapter(folder: Path, config: Mapping[str, Any], matrices: Mapping[str, torch.Tensor]) -> None:
    """Both files, the configuration as PEFT 0.21 writes it where `config` says nothing else."""
    plain = {
        "alora_invocation_tokens": None,
        "alpha_pattern": {},
        "arrow_config": None,
        "auto_mapping": None,
        "base_model_name_or_path": None,
        "bias": "none",
        "corda_config": None,
        "ensure_weight_tying": False,
        "eva_config": None,
        "exclude_modules": None,
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "layer_replication": None,
        "layers_pattern": None,
        "layers_to_transform": None,
        "loftq_config": {},
        "lora_bias": False,
        "lora_dropout": 0.05,
        "megatron_config": None,
        "megatron_core": "megatron.core",
        "modules_to_save": None,
        "peft_type": "LORA",
        "peft_version": "0.21.2",
        "qalora_group_size": 16,
        "rank_pattern": {},
        "revision": None,
        "target_parameters": None,
        "task_type": "CAUSAL_LM",
        "trainable_token_indices": None,
        "use_dora": False,
        "use_qalora": False,
        "use_rslora": False,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({**plain, **config}))
    save_file(dict(matrices), folder / "adapter_model.safetensors")


def merged(checkpoint: Checkpoint, deltas: Mapping[str, torch.Tensor]) -> Checkpoint:
    """The checkpoint with `deltas` [out, in] added to the weights of its modules."""
    model = copy.deepcopy(checkpoint.model)
    with torch.no_grad():
        for name, delta in deltas.items():
            module: Any = model.get_submodule(name)
            module.weight += delta.t() if isinstance(module, Conv1D) else delta
    return replace(checkpoint, model=model)


def products(matrices: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """B @ A by the module's name."""
    names = [key.removesuffix(".lora_A.weight") for key in matrices if key.endswith("lora_A.weight")]
    return {
        name.removeprefix("base_model.model."): matrices[f"{name}.lora_B.weight"] @ matrices[f"{name}.lora_A.weight"]
        for name in names
    }


def _sizes(module: Any) -> tuple[int, int]:
    shape = tuple(module.weight.shape)
    return shape if isinstance(module, Conv1D) else shape[::-1]
