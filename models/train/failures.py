"""Failures of the machine during training, said in the words of the configuration."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from safetensors import SafetensorError

from models.train.config import TrainConfig
from models.train.errors import MemoryFullError, RunFolderError
from models.train.folder import RunFolder

_NO_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)
_NO_SPACE = re.compile(r"no space left|os error 28|disk quota", re.IGNORECASE)


@contextmanager
def failures_explained(config: TrainConfig, folder: RunFolder) -> Iterator[None]:
    """Raises `MemoryFullError` for a full device and `RunFolderError` for a full disk; lets other errors pass."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch's OutOfMemoryError is a RuntimeError
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or _NO_MEMORY.search(str(error)):
            raise MemoryFullError(memory_advice(config)) from error
        raise
    except (OSError, SafetensorError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC or _NO_SPACE.search(str(error)):
            raise RunFolderError(f"the disk of {folder.root} is full; make room and start the command again") from error
        raise


def memory_advice(config: TrainConfig) -> str:
    """What to lower, with the present values, the cheapest first."""
    opt = config.optimiser
    advice = [
        f"lower optimiser.batch_size (now {opt.batch_size}) and raise optimiser.accumulate (now {opt.accumulate}) by "
        "the same factor: the steps stay the same",
        "gradient_checkpointing: true (now false)" if not config.gradient_checkpointing else "",
        f"lower model.context (now {config.model.context})",
        "" if config.lora else "lora, which keeps no optimiser state for the base",
        "lora.base: 4bit on a CUDA GPU" if config.lora and config.lora.base != "4bit" else "",
    ]
    return "the device ran out of memory. In this order: " + "; ".join(part for part in advice if part)
