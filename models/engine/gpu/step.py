"""One whole decode step over static tensors, without a word with the host: this is what a CUDA graph holds.

It computes the rows in the first lanes, draws, and moves each row on that has drawn a token.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from models.engine.gpu.cascade import Cascade
from models.engine.gpu.draw import draw
from models.engine.gpu.lanes import Lanes
from models.engine.gpu.memory import Memory
from models.engine.gpu.ranges import Look
from models.engine.network import Batch, Network


@dataclass(frozen=True)
class Bucket:
    """What one graph is for: so many lanes, and whether any of them counts its tokens or has a top-k."""

    num_lanes: int
    has_penalties: bool = False
    has_top_k: bool = False


class Step:
    """A network's decode step. `look` is how its attention looks at ranges of columns."""

    def __init__(self, network: Network, memory: Memory, lanes: Lanes, look: Look) -> None:
        self._network = network
        self._memory = memory
        self.lanes = lanes
        self._look = look

    @torch.inference_mode()
    def __call__(self, bucket: Bucket) -> None:
        """Lanes up to the bucket's size draw into `lanes.tokens`, and go on."""
        lanes, size = self.lanes, bucket.num_lanes
        counts = lanes.counts[:size] if bucket.has_penalties else None
        logits = self.logits(size)
        tokens = draw(logits, lanes.wishes(size), lanes.numbers[:, :size], counts, has_top_k=bucket.has_top_k)
        lanes.tokens[:size] = tokens
        is_drawn = tokens >= 0
        ids, lengths = lanes.ids[:size], lanes.lengths[:size]
        ids.copy_(torch.where(is_drawn, tokens, ids))
        lengths.copy_(torch.minimum(lengths + is_drawn, lanes.rooms[:size]))
        if counts is not None:
            counts.scatter_add_(1, tokens.clamp_min(0)[:, None], is_drawn[:, None].to(counts.dtype))

    def logits(self, size: int) -> torch.Tensor:
        """Computes the lanes' last tokens: [lanes, vocab]. Their keys and values get their column."""
        return self._network.forward(self.batch(size), self._memory.by_column)

    def batch(self, size: int) -> Batch:
        """The first lanes as rows. A row whose own columns are full writes behind the last slot."""
        lanes = self.lanes
        lengths = lanes.lengths[:size]
        columns = torch.where(lengths < lanes.rooms[:size], lanes.starts[:size] + lengths, lanes.scratch)
        return Batch(
            ids=lanes.ids[:size],
            positions=lanes.bases[:size] + lengths,
            segments=Cascade(columns, *lanes.seen(size), self._look),
            wanted=lanes.places[:size],
        )
