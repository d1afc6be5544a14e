"""From a run's checkpoint to a folder that transformers and the worker load."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

from models.train.config import TrainConfig
from models.train.folder import RunFolder
from models.train.merging import merge_adapter
from models.train.precision import DTYPES
from models.train.servable import save_servable, save_tokens
from models.train.vocabulary import Vocabulary, load_vocabulary

_ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")


def export_run(folder: RunFolder, out: Path, which: str, dtype: str) -> Path:
    """Writes weights, tokenizer, generation defaults and story format of a checkpoint into `out`; returns it.

    `which` is `best`, `last` or a step; `dtype` one of `DTYPES` or `auto`. A LoRA is merged into its base where the
    run's settings say so, and stays an adapter elsewhere. Raises `RunFolderError` where there is no such checkpoint.
    """
    config, checkpoint = folder.config(), folder.choose(which)
    vocabulary = load_vocabulary(config, folder.work / "tokenizer")
    if config.lora is None:
        return _export_whole(config, checkpoint, vocabulary, out, dtype)
    if not config.export.merge:
        return export_adapter(checkpoint, vocabulary, out)
    return merge_adapter(export_adapter(checkpoint, vocabulary, folder.work / "adapter"), out, dtype)


def export_adapter(checkpoint: Path, vocabulary: Vocabulary, out: Path) -> Path:
    """The adapter as PEFT and the worker's `ADAPTERS` read it, with its tokenizer and story format beside it."""
    out.mkdir(parents=True, exist_ok=True)
    for name in _ADAPTER_FILES:
        shutil.copyfile(checkpoint / name, out / name)
    save_tokens(vocabulary.fast, vocabulary.form.fmt, out)
    return out


def _export_whole(config: TrainConfig, checkpoint: Path, vocabulary: Vocabulary, out: Path, dtype: str) -> Path:
    loader: Any = AutoModelForCausalLM if config.objective == "causal" else AutoModelForMaskedLM
    model = loader.from_pretrained(checkpoint, dtype=_own_dtype(config) if dtype == "auto" else DTYPES[dtype])
    if config.objective == "causal" and config.is_from_scratch:
        model.generation_config.update(do_sample=True, temperature=0.8, top_p=0.95)
    return save_servable(model, vocabulary.fast, vocabulary.form.fmt, out)


def _own_dtype(config: TrainConfig) -> torch.dtype:
    """float16 for a model of our own; for another what its weights came in, where it says so."""
    said = AutoConfig.from_pretrained(config.init).dtype if config.init else None
    return said if isinstance(said, torch.dtype) else torch.float16
