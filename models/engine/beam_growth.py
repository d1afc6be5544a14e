"""Beam search in a slot: nothing is copied when a beam parts in two.

Every step writes one column for each beam, side by side. A beam sees the prompt and the columns of its ancestors; when
it takes over another's text, its row of the mask becomes a copy of the other's, and no key or value is moved.
What was written is not kept for the next turn: the slot keeps the prompt.
"""

from __future__ import annotations

import torch

from models.engine.beams import Beams
from models.engine.checkpoint import Checkpoint
from models.engine.events import Event
from models.engine.growth import Growth, Part
from models.engine.network import NetworkShape
from models.engine.request import Request
from models.engine.slots import Slot


class BeamGrowth(Growth):
    """See `Growth`; no row asks for tokens here, since none is drawn."""

    def __init__(
        self, request: Request, checkpoint: Checkpoint, slot: Slot, shape: NetworkShape, num_columns: int
    ) -> None:
        super().__init__(request, checkpoint, slot, shape, num_columns)
        assert request.beams is not None  # noqa: S101  # who makes this has looked
        self._beams = Beams(request, checkpoint, self._rows, request.beams)
        self._num_columns = num_columns
        self._num_written = 0
        self._seen = torch.empty(0)  # [beams, columns]: 0 where a beam sees a column, else -inf

    @property
    def is_over(self) -> bool:
        return self._num_begun == len(self._rows) and all(row.is_over for row in self._rows)

    def _begin(self) -> list[Event]:
        start, num_columns = len(self.slot.tokens), self._beams.width * (self.request.max_tokens - 1)
        if start + num_columns > self._num_columns:
            raise ValueError(f"{self._beams.width} beams of {self.request.max_tokens} tokens do not fit into a slot")
        assert self._first_logits is not None  # noqa: S101  # the prompt has been read
        self._num_begun = len(self._rows)
        self._seen = torch.zeros(1, start + num_columns, device=self._shape.device, dtype=self._shape.dtype)
        self._seen[:, start:] = -torch.inf
        events, self._unsaid = self._unsaid, []
        return [*events, *self._go_on(self._first_logits[None])]

    def _write(self) -> Part:
        ids = self._beams.last_tokens
        start = len(self.slot.tokens)
        first = start + self._num_written * self._beams.width
        columns = torch.arange(first, first + len(ids), device=self._shape.device)
        rows = torch.arange(len(ids), device=self._shape.device)
        self._seen[rows, columns] = 0
        width = first + len(ids)
        mask = self._seen[:, :width].repeat(self._shape.heads_per_kv_head, 1)
        positions = [start + self._num_written] * len(ids)
        place, wanted = (self.slot.index, ids, positions, columns, width, mask), range(len(ids))
        stride, adapter = self._beams.width, self.request.adapter
        return Part(*place, False, wanted, woven_from=start, stride=stride, adapter=adapter)

    def _have_written(self, part: Part, logits: torch.Tensor) -> list[Event]:
        self._num_written += 1
        return self._go_on(logits)

    def _go_on(self, logits: torch.Tensor) -> list[Event]:
        events = self._beams.advance(logits)
        self._seen = self._seen[self._beams.search.parents]
        return events
