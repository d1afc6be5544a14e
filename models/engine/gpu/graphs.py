"""CUDA graphs of decode steps, one for each bucket: a step is launched by one call instead of some hundreds.

A bucket has room for as many rows as a step has, or a few more; the lanes that are left over stand for nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

import torch

from models.engine.gpu.step import Bucket, Step

log = logging.getLogger(__name__)

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""At most a third of a bucket's lanes stand for nobody; most of a step's time goes by the weights, not by the rows."""


def size_for(num_rows: int) -> int:
    """The lanes of the smallest bucket that has room. Raises `ValueError` for more rows than any has."""
    for size in SIZES:
        if size >= num_rows:
            return size
    raise ValueError(f"{num_rows} rows are more than {SIZES[-1]}")


class Runner(Protocol):
    """Runs a bucket's step."""

    def __call__(self, bucket: Bucket) -> None: ...


class Replayed:
    """Runs the step itself on the same tensors: what a graph would do, on any device."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def __call__(self, bucket: Bucket) -> None:
        self._step(bucket)


class Captured:
    """Captures a bucket's graph when it is asked for it the first time; where that fails, runs the step itself."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._graphs: dict[Bucket, torch.cuda.CUDAGraph | None] = {}
        # One after the other they may use the same memory: what must last stands in the lanes.
        self._memory: Any = torch.cuda.graph_pool_handle()

    def __call__(self, bucket: Bucket) -> None:
        if bucket not in self._graphs:
            self._graphs[bucket] = self._captured(bucket)
        graph = self._graphs[bucket]
        if graph is None:
            self._step(bucket)
        else:
            graph.replay()

    @torch.inference_mode()
    def _captured(self, bucket: Bucket) -> torch.cuda.CUDAGraph | None:
        """Runs the step once beforehand, so that libraries set themselves up outside the graph."""
        aside, now = torch.cuda.Stream(), torch.cuda.current_stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(now)
        with torch.cuda.stream(aside):
            self._rehearse(bucket)
        now.wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, pool=self._memory, capture_error_mode="thread_local"):
                self._step(bucket)
        except Exception:
            log.exception("no graph could be captured for %s; its steps are launched one kernel at a time", bucket)
            return None
        return graph

    def _rehearse(self, bucket: Bucket) -> None:
        """Runs the step and takes it back; columns that it wrote are written again before anybody reads them."""
        if bucket.has_penalties:
            _ = self._step.lanes.counts
        state = self._step.lanes.state
        kept = [tensor.clone() for tensor in state]
        self._step(bucket)
        for tensor, old in zip(state, kept, strict=True):
            tensor.copy_(old)


def capture_all(run: Runner, step: Step, sizes: Sequence[int]) -> None:
    """Captures the plain buckets at the start, the largest first, with nobody in the lanes."""
    for size in sorted(sizes, reverse=True):
        step.lanes.arrange([], size)
        run(Bucket(size))
