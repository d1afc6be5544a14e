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
from models.engine.tree import TreeMask


class BeamGrowth(Growth):
    """See `Growth`; no row asks for tokens here, since none is drawn."""

    def __init__(
        self, request: Request, checkpoint: Checkpoint, slot: Slot, shape: NetworkShape, num_columns: int
    ) -> None:
        super().__init__(request, checkpoint, slot, shape, num_columns)
        assert request.beams is not None  # noqa: S101  # who makes this has looked
        self._beams = Beams(request, checkpoint, self._rows, request.beams)
        self._num_columns = num_columns
        self._tree: TreeMask | None = None

    @property
    def is_over(self) -> bool:
        return self._num_begun == len(self._rows) and all(row.is_over for row in self._rows)

    def _begin(self) -> list[Event]:
        start, num_columns = len(self.slot.tokens), self._beams.width * (self.request.max_tokens - 1)
        if start + num_columns > self._num_columns:
            raise ValueError(f"{self._beams.width} beams of {self.request.max_tokens} tokens do not fit into a slot")
        assert self._first_logits is not None  # noqa: S101  # the prompt has been read
        self._num_begun = len(self._rows)
        self._tree = TreeMask(self._shape, start, self._beams.width, self.request.max_tokens - 1)
        events, self._unsaid = self._unsaid, []
        return [*events, *self._go_on(self._tree, self._first_logits[None])]

    def _write(self) -> Part:
        assert self._tree is not None  # noqa: S101  # the prompt has been read
        ids, start = self._beams.last_tokens, len(self.slot.tokens)
        positions = [start + self._tree.num_written] * len(ids)
        place = (self.slot.index, ids, positions, *self._tree.write())
        stride, adapter = self._tree.width, self.request.adapter
        return Part(*place, False, range(len(ids)), woven_from=start, stride=stride, adapter=adapter)

    def _have_written(self, part: Part, logits: torch.Tensor) -> list[Event]:
        assert self._tree is not None  # noqa: S101  # something was written
        return self._go_on(self._tree, logits)

    def _go_on(self, tree: TreeMask, logits: torch.Tensor) -> list[Event]:
        events = self._beams.advance(logits)
        tree.follow(self._beams.search.parents)
        return events
