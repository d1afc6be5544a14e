"""A LoRA adapter merged into its base: one folder that anything serves as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from models.engine.story_format import FILE_NAME, StoryFormat
from models.train.errors import UnsupportedError
from models.train.growth import grow_rows
from models.train.precision import DTYPES
from models.train.servable import save_servable


def merge_adapter(adapter: Path, out: Path, dtype: str = "auto", base: str | None = None) -> Path:
    """Writes base + adapter into `out`, as the sum of their weights; returns it.

    `base` is where the base is now, for an adapter that was trained on it under another name. `dtype` is one of
    `DTYPES`, or `auto` for what the base's weights are in. Raises `UnsupportedError` where either does not load.
    """
    try:
        source = base or str(PeftConfig.from_pretrained(str(adapter)).base_model_name_or_path)
        fast = _load_tokenizer(adapter, source)
        model = AutoModelForCausalLM.from_pretrained(source, dtype=_dtype(source, dtype))
        grow_rows(model, len(fast), ())  # the adapter brings the new rows' values
        merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise UnsupportedError(f"cannot merge {adapter}: {error}") from error
    return save_servable(merged, fast, _story_format(adapter, source), out)


def _dtype(source: str, dtype: str) -> torch.dtype:
    if dtype != "auto":
        return DTYPES[dtype]
    said: Any = AutoConfig.from_pretrained(source).dtype
    return said if isinstance(said, torch.dtype) else torch.float32


def _load_tokenizer(adapter: Path, source: str) -> PreTrainedTokenizerBase:
    """The adapter's own, which knows the markers it was trained with; the base's where it has none."""
    fast: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        adapter if (adapter / "tokenizer_config.json").is_file() else source
    )
    return fast


def _story_format(adapter: Path, source: str) -> StoryFormat | None:
    for folder in (adapter, Path(source)):
        if (folder / FILE_NAME).is_file():
            return StoryFormat.from_json(json.loads((folder / FILE_NAME).read_text(encoding="utf-8")))
    return None
