"""The mask of rows that share a past: columns are written side by side, and each row sees those of its ancestors."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.engine.network import NetworkShape


class TreeMask:
    """Behind the `start` columns of a prompt, `num_steps` steps of up to `width` rows write a column each.

    At first there is one row, which sees the prompt only.
    """

    def __init__(self, shape: NetworkShape, start: int, width: int, num_steps: int) -> None:
        self._shape = shape
        self._start = start
        self.width = width
        self.num_written = 0
        self._seen = torch.zeros(1, start + width * num_steps, device=shape.device, dtype=shape.dtype)
        self._seen[:, start:] = -torch.inf

    def follow(self, parents: Sequence[int]) -> None:
        """Row i goes on from what row ``parents[i]`` was. Nothing but its row of the mask is copied."""
        self._seen = self._seen[list(parents)]

    def write(self) -> tuple[torch.Tensor, int, torch.Tensor]:
        """The next column of each row [rows], how many columns they see, and the mask [heads per kv head * rows, …]."""
        rows = torch.arange(len(self._seen), device=self._seen.device)
        first = self._start + self.num_written * self.width
        self._seen[rows, first + rows] = 0
        self.num_written += 1
        width = first + len(rows)
        return first + rows, width, self._seen[:, :width].repeat(self._shape.heads_per_kv_head, 1)
