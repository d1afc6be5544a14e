"""A LoRA adapter as PEFT saves it: a folder with what it was trained as, and two matrices for each layer it changes.

A layer's weight W becomes W + scale * B @ A, with A [rank, in] and B [out, rank] (https://arxiv.org/abs/2106.09685).
PEFT keeps A and B the same way round for GPT-2's transposed layers, so `fan_in_fan_out` changes nothing here. What an
adapter needs beyond that is refused by its name.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers.utils.hub import cached_file, extract_commit_hash

from models.engine.checkpoint import hash_files

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
_READ = frozenset("peft_type bias init_lora_weights task_type".split())
_USED = frozenset("r lora_alpha use_rslora rank_pattern alpha_pattern target_modules base_model_name_or_path".split())
# How it was trained, and how PEFT lays a layer out. Which layers it changes can be seen from its matrices.
_OF_TRAINING = frozenset(
    """auto_mapping peft_version revision inference_mode lora_dropout fan_in_fan_out exclude_modules layers_to_transform
    layers_pattern megatron_core loftq_config eva_config corda_config lora_ga_config qalora_group_size
    ensure_weight_tying""".split()
)
_PLAIN_INITS = (True, False, None, "gaussian", "eva", "orthogonal")
"""Other beginnings (PiSSA, OLoRA, CorDA, LoftQ, …) take something off the base's weights first."""


class AdapterError(Exception):
    """The adapter cannot be used; the message says which and why."""


@dataclass(frozen=True)
class Update:
    """``up @ down`` is added to a layer's weight: `down` is [rank, in], `up` [out, rank] with the scale in it."""

    down: torch.Tensor
    up: torch.Tensor


@dataclass(frozen=True)
class Adapter:
    """`updates` by the names of the base's modules, in float32. `base` is what it says it was trained on."""

    name: str
    revision: str
    base: str | None
    updates: Mapping[str, Update] = field(repr=False)


def load_adapter(name: str, source: str) -> Adapter:
    """Reads an adapter from a folder or by its name on the hub. Raises `AdapterError`."""
    folder = Path(source).expanduser()
    where = str(folder) if folder.is_dir() else source
    try:
        paths = [Path(cached_file(where, file) or file) for file in (CONFIG, WEIGHTS)]
        config = json.loads(paths[0].read_text(encoding="utf-8"))
        matrices = load_file(paths[1])
    except (OSError, ValueError, SafetensorError) as error:
        raise AdapterError(f"cannot load the adapter {name} from {source}: {error}") from error
    try:
        updates = _updates(_checked(config), matrices)
    except AdapterError as error:
        raise AdapterError(f"the adapter {name} from {source} cannot be used: {error}") from error
    revision = hash_files(paths) if folder.is_dir() else extract_commit_hash(str(paths[0]), None)
    return Adapter(name, revision or "unknown", config.get("base_model_name_or_path"), updates)


def _checked(config: Any) -> Mapping[str, Any]:
    """The configuration, if it asks for nothing but plain low-rank updates."""
    if not isinstance(config, dict):
        raise AdapterError(f"{CONFIG} must hold an object")
    _require_one_of(config, "peft_type", ("LORA",))
    _require_one_of(config, "task_type", ("CAUSAL_LM", None))
    _require_one_of(config, "bias", ("none", None))
    _require_one_of(config, "init_lora_weights", _PLAIN_INITS)
    for key, value in config.items():
        if value and key not in _READ | _USED | _OF_TRAINING:
            raise AdapterError(f"it was made with {key}={json.dumps(value)}, which is not supported here")
    if not isinstance(config.get("r"), int) or not isinstance(config.get("lora_alpha"), int | float):
        raise AdapterError(f"{CONFIG} must say r and lora_alpha in numbers")
    return config


def _require_one_of(config: Mapping[str, Any], key: str, known: Iterable[Any]) -> None:
    value = config.get(key)
    if not any(value is one or (isinstance(one, str) and value == one) for one in known):
        raise AdapterError(f"its {key} is {json.dumps(value)}, which is not supported here")


def _updates(config: Mapping[str, Any], matrices: Mapping[str, torch.Tensor]) -> dict[str, Update]:
    found: dict[str, dict[str, torch.Tensor]] = {}
    for key, matrix in matrices.items():
        match = _KEY.fullmatch(key)
        if match is None or matrix.dim() != 2:
            raise AdapterError(f"its file holds {key} {list(matrix.shape)}, which is no matrix of a low-rank update")
        found.setdefault(match["module"], {})[match["side"]] = matrix
    if not found:
        raise AdapterError("its file holds no matrices")
    return {module: _update(config, module, sides) for module, sides in found.items()}


def _update(config: Mapping[str, Any], module: str, sides: Mapping[str, torch.Tensor]) -> Update:
    if not _is_target(module, config.get("target_modules")):
        raise AdapterError(f"its file holds matrices for {module}, which target_modules does not name")
    if sides.keys() != {"A", "B"}:
        raise AdapterError(f"its file holds only one of the two matrices for {module}")
    down, up = sides["A"].float(), sides["B"].float()
    rank = _by_pattern(config.get("rank_pattern"), module, config["r"])
    if not 0 < rank == down.shape[0] == up.shape[1]:
        raise AdapterError(f"the matrices for {module} have ranks {len(down)} and {up.shape[1]}, and {rank} is named")
    alpha = _by_pattern(config.get("alpha_pattern"), module, config["lora_alpha"])
    return Update(down, up * (alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)))


def _is_target(module: str, targets: str | Collection[str] | None) -> bool:
    """As PEFT reads it: a regular expression, or ends of names. None leaves the choice to PEFT's own table."""
    if targets is None or targets == "all-linear":
        return True
    if isinstance(targets, str):
        return re.fullmatch(targets, module) is not None
    return any(module == target or module.endswith(f".{target}") for target in targets)


def _by_pattern(patterns: Mapping[str, Any] | None, module: str, default: Any) -> Any:
    """The value of the first pattern that an end of the module's name matches."""
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return default
