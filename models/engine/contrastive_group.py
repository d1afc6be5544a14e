"""Contrastive search on the generic path: the candidates are a batch, and all go on from the chosen one's cache."""

from __future__ import annotations

import torch

from models.engine.checkpoint import Checkpoint
from models.engine.contrastive import Contrastive
from models.engine.events import Event
from models.engine.group import Group, Strand
from models.engine.request import Request


class ContrastiveGroup(Group):
    """See `Group`."""

    wants_hidden = True

    def __init__(self, request: Request, checkpoint: Checkpoint) -> None:
        super().__init__(request, checkpoint)
        assert request.contrastive is not None  # noqa: S101  # who makes this has looked
        (row,) = self._rows
        self._search = Contrastive(request.contrastive, row)

    def _decode(self, strand: Strand) -> list[Event]:
        return self._advance(strand, self._forward(strand, [[token] for token in self._search.candidates])[:, -1])

    def _advance(self, strand: Strand, logits: torch.Tensor) -> list[Event]:
        events: list[Event] = []
        if self._search.candidates:
            events = self._search.advance(self.hidden[:, -1], logits)
        else:
            self._search.begin(self.hidden[0], logits[0])
        if self._search.is_over:
            strand.rows = []
        else:
            self._select(strand, [self._search.chosen] * len(self._search.candidates))
        return events
