"""Contrastive search in a slot: the candidates of a step write side by side, and the next ones see the chosen alone.

The prompt is read anew, because the hidden states of all its tokens are wanted. What was written is not kept for the
next turn: the slot keeps the prompt.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from models.engine.checkpoint import Checkpoint
from models.engine.contrastive import Contrastive
from models.engine.events import Event
from models.engine.growth import Growth, Part, Result
from models.engine.network import NetworkShape
from models.engine.request import Request
from models.engine.slots import Slot
from models.engine.tree import TreeMask


class ContrastiveGrowth(Growth):
    """See `Growth`; its row never asks for a token, since none is drawn."""

    def __init__(
        self, request: Request, checkpoint: Checkpoint, slot: Slot, shape: NetworkShape, num_columns: int
    ) -> None:
        super().__init__(request, checkpoint, slot, shape, num_columns)
        assert request.contrastive is not None  # noqa: S101  # who makes this has looked
        (row,) = self._rows
        self._search = Contrastive(request.contrastive, row)
        self._num_columns = num_columns
        self._hidden: list[torch.Tensor] = []  # of the prompt, in the chunks that it was read in
        self._tree: TreeMask | None = None

    @property
    def is_over(self) -> bool:
        return self._search.is_over

    def absorb(self, part: Part, result: Result) -> list[Event]:
        assert result.hidden is not None  # noqa: S101  # every part asks for them
        if part.is_reading:
            self._hidden.append(result.hidden)
            return self._have_read(part, result.logits)
        assert self._tree is not None  # noqa: S101  # something was written
        events = self._search.advance(result.hidden, result.logits)
        self._tree.follow([self._search.chosen] * len(self._search.candidates))
        return events

    def _read(self, max_read: int) -> Part:
        part = super()._read(max_read)
        return replace(part, wanted=range(len(part.ids)), wants_hidden=True)

    def _begin(self) -> list[Event]:
        assert self._first_logits is not None  # noqa: S101  # the prompt has been read
        self._search.begin(torch.cat(self._hidden), self._first_logits)
        self._hidden.clear()
        start, width = len(self.slot.tokens), len(self._search.candidates)
        if start + width * self.request.max_tokens > self._num_columns:
            raise ValueError(f"{width} candidates for {self.request.max_tokens} tokens do not fit into a slot")
        self._num_begun = len(self._rows)
        self._tree = TreeMask(self._shape, start, width, self.request.max_tokens)
        self._tree.follow([0] * width)
        events, self._unsaid = self._unsaid, []
        return events

    def _write(self) -> Part:
        assert self._tree is not None  # noqa: S101  # the prompt has been read
        ids, start = self._search.candidates, len(self.slot.tokens)
        positions = [start + self._tree.num_written] * len(ids)
        place = (self.slot.index, ids, positions, *self._tree.write())
        woven = (start, self._tree.width, self.request.adapter)
        return Part(*place, False, range(len(ids)), *woven, wants_hidden=True)
