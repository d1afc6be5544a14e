"""The slots' memory laid out for attention over ranges: all columns of all slots in one row, heads inside.

The same memory is seen twice: by slot, as the rest of the engine sees it, and by column. Behind the last slot stands
one column more, into which rows that do not count write.
"""

from __future__ import annotations

import torch

from models.engine.network import KeyValues, NetworkShape


class Memory:
    """`by_column` holds each layer's [slots * columns + 1, kv heads, head_dim], `by_slot` what `SlotPool` wants."""

    def __init__(self, shape: NetworkShape, num_slots: int, num_columns: int) -> None:
        self.num_slots = num_slots
        self.num_columns = num_columns
        size = (num_slots * num_columns + 1, shape.num_kv_heads, shape.head_dim)
        self.by_column = [
            KeyValues(*(torch.zeros(size, device=shape.device, dtype=shape.dtype) for _ in range(2)))
            for _ in range(shape.num_layers)
        ]
        self.by_slot = [KeyValues(self._seen(layer.keys), self._seen(layer.values)) for layer in self.by_column]

    @property
    def scratch(self) -> int:
        """The column that nobody reads for good."""
        return self.num_slots * self.num_columns

    def _seen(self, flat: torch.Tensor) -> torch.Tensor:
        """[slots, kv heads, columns, head_dim], of the same memory."""
        return flat[: self.scratch].view(self.num_slots, self.num_columns, *flat.shape[1:]).transpose(1, 2)
