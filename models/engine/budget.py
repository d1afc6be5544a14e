"""How many slots of what size fit into memory; decided once, when the model is loaded."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from models.engine.network import NetworkShape

log = logging.getLogger(__name__)

WRITTEN_COLUMNS = 1280
"""Room behind a prompt of full length: eight candidates of 160 tokens. More of them are written in waves."""
MIN_SLOTS = 4
"""So many stories should move together; a context that leaves room for fewer is cut."""
MAX_SLOTS = 256
MAX_CPU_SLOTS = 16
"""A CPU moves no more stories at a useful pace, and memory is taken whether it is used or not."""
CPU_BYTES = 1 << 30
GPU_SHARE = 0.8
"""Of what is free once the weights are there; the rest is for activations."""
_MIN_CONTEXT = 512


@dataclass(frozen=True)
class Budget:
    """`context_tokens` is what prompt and answer may have together."""

    num_slots: int
    num_columns: int
    context_tokens: int
    num_bytes: int


def plan_slots(shape: NetworkShape, context_tokens: int, num_bytes: int | None) -> Budget:
    """The slots for a model of this shape within `num_bytes`; None takes a sensible share of the device's memory."""
    wanted = available_bytes(shape.device) if num_bytes is None else num_bytes
    fitting = wanted // shape.bytes_per_column // MIN_SLOTS - WRITTEN_COLUMNS
    context = min(context_tokens, max(fitting, _MIN_CONTEXT))
    columns = context + WRITTEN_COLUMNS
    most = MAX_CPU_SLOTS if shape.device.type == "cpu" else MAX_SLOTS
    num_slots = max(1, min(most, wanted // (columns * shape.bytes_per_column)))
    budget = Budget(num_slots, columns, context, num_slots * columns * shape.bytes_per_column)
    log.info(
        "%d slots of %d tokens take %.0f MB; a text may have %d tokens",
        *(budget.num_slots, budget.num_columns, budget.num_bytes / 1e6, budget.context_tokens),
    )
    if context < context_tokens:
        log.warning("the model could read %d tokens; a larger CACHE_MB makes room for them", context_tokens)
    return budget


def available_bytes(device: torch.device) -> int:
    """For keys and values, where the host named no number."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free * GPU_SHARE)
    return CPU_BYTES
