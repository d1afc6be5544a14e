"""Writes the folder that transformers and the worker load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from models.engine.story_format import StoryFormat
from models.train.errors import UnsupportedError


def save_servable(model: Any, fast: PreTrainedTokenizerBase, fmt: StoryFormat | None, out: Path) -> Path:
    """Weights, tokenizer, generation defaults and, for a model with markers, the story format; returns `out`."""
    out.mkdir(parents=True, exist_ok=True)
    if model.can_generate():
        model.config.use_cache = True  # training switches it off
    if fmt is not None:
        end = fast.convert_tokens_to_ids(fmt.passage_end)
        before = model.generation_config.eos_token_id
        others = [] if before is None else [before] if isinstance(before, int) else list(before)
        ends = [end, *(each for each in others if each != end)]
        model.generation_config.eos_token_id = ends if len(ends) > 1 else end
    try:
        model.save_pretrained(out)
    except ValueError as error:  # transformers refuses generation defaults that contradict each other
        raise UnsupportedError(f"cannot write {out}: {error}") from error
    save_tokens(fast, fmt, out)
    return out


def save_tokens(fast: PreTrainedTokenizerBase, fmt: StoryFormat | None, out: Path) -> None:
    """The tokenizer's files, and the story format where there is one."""
    fast.save_pretrained(out)
    if fmt is not None:
        fmt.save(out)
