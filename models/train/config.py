"""The settings of a training run: one YAML file, every key known, every value checked."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class TrainConfigError(ValueError):
    """The configuration cannot be used; the message names the key, what was found and what is wanted."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceConfig(_Strict):
    """One file or folder of stories, relative to the data root, and how often it is seen in this phase.

    `tags` name the genre or mood of stories that don't say theirs.
    """

    path: str
    tags: list[str] = Field(default_factory=list)
    repeat: float = Field(1.0, gt=0, le=20)


class PhaseConfig(_Strict):
    """A stretch of training over a mixture of sources, shuffled together. Phases follow one another."""

    sources: list[SourceConfig] = Field(min_length=1)


class ModelConfig(_Strict):
    """A Llama-shaped causal LM trained from scratch."""

    vocab_size: int = Field(4096, ge=300, le=65_535)
    hidden_size: int = Field(256, ge=8)
    layers: int = Field(6, ge=1)
    heads: int = Field(8, ge=1)
    kv_heads: int = Field(4, ge=1)
    intermediate_size: int = Field(688, ge=8)
    context: int = Field(512, ge=16)


class OptimiserConfig(_Strict):
    """AdamW with linear warm-up and cosine decay, as transformers' Trainer names them."""

    learning_rate: float = Field(2e-3, gt=0)
    schedule: str = "cosine"
    warmup_fraction: float = Field(0.04, ge=0, lt=1)
    weight_decay: float = Field(0.1, ge=0)
    beta2: float = Field(0.98, gt=0, lt=1)
    max_grad_norm: float = Field(1.0, gt=0)
    batch_size: int = Field(18, ge=1)
    accumulate: int = Field(1, ge=1)


class TrainConfig(_Strict):
    """A whole run.

    `init` is a checkpoint to go on from, a folder or a hub name; without it a model of the shape in `model` begins at
    random weights and learns a tokenizer of its own.

    `precision` is what matrices are multiplied in; the weights themselves stay float32. `auto` takes bfloat16 on a GPU
    that has it and float32 elsewhere; a CPU with bfloat16 units (AMX) is several times faster with bfloat16, one
    without them slower. `compile` has torch.compile fuse the model: it needs a C++ compiler and some time at first.
    """

    seed: int = 20
    init: str | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: bool = False
    phases: list[PhaseConfig] = Field(min_length=1)
    validation: list[str] = Field(default_factory=list)
    model: ModelConfig = ModelConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    max_steps: int | None = Field(None, ge=1)
    save_every: int = Field(100, ge=1)
    evaluate_every: int = Field(200, ge=1)


def load_config(path: Path) -> TrainConfig:
    """Reads a YAML file. Raises `TrainConfigError` naming the first bad key."""
    try:
        return TrainConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise TrainConfigError(f"{path}: {key}: {first['msg']} (found {first['input']!r})") from error
    except (OSError, yaml.YAMLError) as error:
        raise TrainConfigError(f"{path}: {error}") from error
