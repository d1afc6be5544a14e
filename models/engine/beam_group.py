"""Beam search on the generic path: the beams are a batch whose cache is reordered when one takes over another's."""

from __future__ import annotations

import torch

from models.engine.beams import Beams
from models.engine.checkpoint import Checkpoint
from models.engine.events import Event
from models.engine.group import Group, Strand
from models.engine.request import Request


class BeamGroup(Group):
    """See `Group`."""

    def __init__(self, request: Request, checkpoint: Checkpoint) -> None:
        super().__init__(request, checkpoint)
        assert request.beams is not None  # noqa: S101  # who makes this has looked
        self._beams = Beams(request, checkpoint, self._rows, request.beams)

    def _decode(self, strand: Strand) -> list[Event]:
        ids = [[token] for token in self._beams.last_tokens]
        return self._advance(strand, self._forward(strand, ids)[:, -1])

    def _advance(self, strand: Strand, logits: torch.Tensor) -> list[Event]:
        events = self._beams.advance(logits)
        if self._beams.search.is_over:
            strand.rows = []
        else:
            self._select(strand, self._beams.search.parents)
        return events
