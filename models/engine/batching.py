"""The parts of a step as one batch, one below the other."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.engine.growth import Part
from models.engine.network import Batch, Segment, Span


def batch_of(parts: Sequence[Part], device: torch.device) -> Batch:
    """The parts one below the other."""
    ids: list[int] = []
    positions: list[int] = []
    wanted: list[int] = []
    segments: list[Segment] = []
    spans: list[Span] = []
    for part in parts:
        first = len(ids)
        ids += part.ids
        positions += part.positions
        wanted += [first + row for row in part.wanted]
        place = (first, len(part.ids), part.slot, part.columns, part.width)
        is_even = part.is_reading or part.positions[0] == min(part.positions) == max(part.positions)
        uneven = () if is_even else tuple(part.positions)
        segments.append(Segment(*place, part.mask, part.is_reading, part.woven_from, part.stride, uneven))
        if part.adapter is not None:
            _extend(spans, part.adapter, first, len(part.ids))
    return Batch(
        ids=torch.tensor(ids, device=device),
        positions=torch.tensor(positions, device=device),
        segments=tuple(segments),
        wanted=torch.tensor(wanted, device=device, dtype=torch.long),
        spans=tuple(spans),
        wants_hidden=any(part.wants_hidden for part in parts),
    )


def _extend(spans: list[Span], adapter: str, first: int, count: int) -> None:
    """Adds rows to the last span where they go on with it, else as one of their own."""
    if spans and spans[-1].adapter == adapter and spans[-1].first + spans[-1].count == first:
        spans[-1] = Span(adapter, spans[-1].first, spans[-1].count + count)
    else:
        spans.append(Span(adapter, first, count))
