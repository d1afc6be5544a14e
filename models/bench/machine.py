"""What the machine could do at best, measured: the roofline that times are held against.

A decoding step reads every weight once and every running story's keys and values once; reading a prompt multiplies. So
no engine can be faster than the workload's bytes over the memory's speed plus its multiplications over the processor's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from models.bench.workloads import Workload, Written
from models.engine.checkpoint import Checkpoint
from models.engine.network import NetworkShape

_REPEATS = 5
_BYTES = 1 << 29


@dataclass(frozen=True)
class Machine:
    """Bytes a second that can be read from memory, and multiply-adds (as two operations) a second in float32."""

    read_bytes_s: float
    flops_s: float


def measure(device: torch.device) -> Machine:
    """The best of a few tries, since neighbours only ever slow a machine down."""
    block = torch.ones(_BYTES // 4, device=device)
    left, right = torch.randn(2048, 2048, device=device), torch.randn(2048, 2048, device=device)
    return Machine(_BYTES / _best(lambda: block.sum(), device), 2 * 2048**3 / _best(lambda: left @ right, device))


def _best(work: Callable[[], object], device: torch.device) -> float:
    seconds = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def roofline_s(
    machine: Machine, checkpoint: Checkpoint, shape: NetworkShape, workload: Workload, num_params: int
) -> float:
    """The least seconds that an exact engine needs, one that keeps all that it has read."""
    weight_bytes = num_params * shape.dtype.itemsize
    embedding = shape.vocab_size * checkpoint.model.config.hidden_size
    dense = num_params if checkpoint.model.config.tie_word_embeddings else num_params - embedding
    seconds, turn, known = 0.0, 0, 0
    written = Written()
    while requests := workload.next_turn(turn, written):
        read = sum(len(request.prompt_ids) for request in requests) - known
        columns = sum(len(request.prompt_ids) + request.n * request.max_tokens // 2 for request in requests)
        steps = max(request.max_tokens for request in requests)
        seconds += 2 * dense * read / machine.flops_s
        seconds += steps * (weight_bytes + columns * shape.bytes_per_column) / machine.read_bytes_s
        known = len(requests[0].prompt_ids) + requests[0].max_tokens
        written = {request.id: [[11] * request.max_tokens] * request.n for request in requests}
        turn += 1
    return seconds
