"""From settings to a model that can be served. Importing this imports torch, so the model's thread does it."""

from __future__ import annotations

import torch
from transformers.utils import logging as transformers_logging

from models.engine.checkpoint import load_checkpoint
from models.engine.serial import SerialEngine
from models.serve.config import WorkerConfig
from models.serve.loaded import Loaded
from models.serve.tokens import PromptTokenizer


def load(config: WorkerConfig) -> Loaded:
    """Loads the checkpoint and makes its engine. Raises what `load_checkpoint` raises."""
    transformers_logging.disable_progress_bar()
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    checkpoint = load_checkpoint(config.model, config.model_revision, config.device, config.dtype)
    return Loaded(checkpoint, SerialEngine(checkpoint), PromptTokenizer(checkpoint))
