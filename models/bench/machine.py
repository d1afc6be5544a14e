"""What the machine could do at best, measured: the roofline that times are held against.

A decoding step reads every weight once and every running story's keys and values once, and multiplies the weights with
each row; reading a prompt multiplies. So an engine that first reads and then writes needs at least the multiplications
of its reading over the processor's speed, and for each step the longer of its bytes over the memory's speed and its
multiplications. Weights in 8 bits are a quarter of the bytes, and are multiplied as 8-bit integers; keys, values and
attention stay in float32 on both rooflines.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from models.bench.weights import Weights
from models.bench.workloads import Workload, Written

_REPEATS = 5
_SIZES = tuple(1 << power for power in (21, 23, 25, 27, 29))
_SIDE = 2048
BYTES = {"float32": 4, "int8": 1}
"""Of a weight in each precision."""


@dataclass(frozen=True)
class Machine:
    """Bytes a second that can be read from a block of so many bytes, again and again: what fits a cache reads faster.

    Multiply-adds a second, as two operations each, in float32 and in 8-bit integers (None where torch has no kernel).
    """

    reads: tuple[tuple[int, float], ...]
    flops_s: float
    int8_ops_s: float | None

    def read_bytes_s(self, num_bytes: float) -> float:
        """The speed for a block at least as large, or the largest that was measured."""
        return next((speed for size, speed in self.reads if size >= num_bytes), self.reads[-1][1])

    def multiplies_s(self, precision: str) -> float:
        """The better of the two, where 8 bits are allowed: an engine may choose."""
        return max(self.flops_s, self.int8_ops_s or 0.0) if precision == "int8" else self.flops_s

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> Machine:
        return cls(tuple((size, speed) for size, speed in said["reads"]), said["flops_s"], said["int8_ops_s"])


def measure(device: torch.device) -> Machine:
    """The best of a few tries, since neighbours only ever slow a machine down."""
    reads = tuple((size, _read_speed(size, device)) for size in _SIZES)
    left, right = torch.randn(_SIDE, _SIDE, device=device), torch.randn(_SIDE, _SIDE, device=device)
    operations = 2 * _SIDE**3
    return Machine(reads, operations / _best(lambda: left @ right, device), _int8_speed(operations, device))


def _read_speed(num_bytes: int, device: torch.device) -> float:
    block = torch.ones(num_bytes // 4, device=device)
    repeats = max(1, (1 << 27) // num_bytes)

    def read() -> None:
        for _ in range(repeats):
            block.sum()

    return repeats * num_bytes / _best(read, device)


def _int8_speed(operations: int, device: torch.device) -> float | None:
    left = torch.randint(-8, 8, (_SIDE, _SIDE), dtype=torch.int8, device=device)
    right = torch.randint(-8, 8, (_SIDE, _SIDE), dtype=torch.int8, device=device)
    try:
        return operations / _best(lambda: torch._int_mm(left, right), device)
    except (RuntimeError, NotImplementedError):  # no kernel for this device
        return None


def _best(work: Callable[[], object], device: torch.device) -> float:
    seconds = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def roofline_s(machine: Machine, weights: Weights, workload: Workload, precision: str) -> float:
    """The least seconds for an engine with weights in this precision, one that keeps all that it has read."""
    speed = machine.multiplies_s(precision)
    seconds, turn, known = 0.0, 0, 0
    written = Written()
    while requests := workload.next_turn(turn, written):
        for asked in requests:
            new = len(asked.prompt) - known
            attention = 4 * weights.layers_width * new * (known + new / 2)
            seconds += 2 * weights.body_params * new / speed + attention / machine.flops_s
        columns = sum(len(asked.prompt) + asked.n * asked.max_tokens / 2 for asked in requests)
        rows = sum(asked.n for asked in requests)
        seconds += max(asked.max_tokens for asked in requests) * _step_s(machine, weights, precision, columns, rows)
        known = len(requests[0].prompt) + requests[0].max_tokens
        written = {asked.id: [[11] * asked.max_tokens] * asked.n for asked in requests}
        turn += 1
    return seconds


def _step_s(machine: Machine, weights: Weights, precision: str, columns: float, rows: int) -> float:
    params = weights.body_params + weights.head_params
    num_bytes = params * BYTES[precision] + columns * weights.bytes_per_column
    return max(num_bytes / machine.read_bytes_s(num_bytes), 2 * params * rows / machine.multiplies_s(precision))
