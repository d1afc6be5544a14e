"""Layers that look back over a window only: which columns of a slot their rows see.

All of a slot's columns are kept, since other layers may want them and a story may be taken up at any place; a layer
with a window reads no more of them than it sees.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from models.engine.network import Batch, Segment


def needed(size: int | None, context_tokens: int) -> int | None:
    """The window of a layer that names this size; None where no text is longer, or it names none."""
    return None if size is None or size >= context_tokens else int(size)


def within(batch: Batch, window: int | None, dtype: torch.dtype) -> Batch:
    """The batch for a layer in which a token sees itself and the `window - 1` before it; None: all.

    Worked out once a step for all layers of a window. A text that is not longer than the window costs nothing.
    """
    if window is None:
        return batch
    if not isinstance(batch.segments, tuple):
        raise NotImplementedError("layers that look back over a window only know rows as segments")
    return replace(batch, segments=tuple(_cut(segment, window, dtype) for segment in batch.segments))


def _cut(segment: Segment, window: int, dtype: torch.dtype) -> Segment:
    newest = position_of(segment.width - 1, segment)
    if newest < window:
        return segment
    if segment.is_reading and segment.count > 1:
        begin = max(0, newest - segment.count + 1 - window + 1)
        return replace(segment, begin=begin, mask=_band(segment, begin, window, dtype))
    if segment.positions and segment.mask is not None:
        return _cut_uneven(segment, window)
    # Rows that write are equally long, and columns stand in the order of the text: what is behind their window comes
    # first, and is left out.
    begin = column_of(newest - window + 1, segment)
    # A copy, because kernels on a GPU want masks that begin at a whole 16 bytes.
    return replace(segment, begin=begin, mask=None if segment.mask is None else segment.mask[:, begin:].contiguous())


def _cut_uneven(segment: Segment, window: int) -> Segment:
    """For rows that write and are not equally long: each has its own window, and the shortest one's begins first."""
    assert segment.mask is not None  # noqa: S101  # several rows have one
    begin = column_of(max(0, min(segment.positions) - window + 1), segment)
    columns = torch.arange(begin, segment.width, device=segment.mask.device)
    behind = (columns - segment.woven_from).div(segment.stride, rounding_mode="floor")
    places = torch.where(behind < 0, columns, segment.woven_from + behind)
    rows = torch.tensor(segment.positions, device=columns.device).repeat(len(segment.mask) // segment.count)
    mask = segment.mask[:, begin:].masked_fill(places <= rows[:, None] - window, -torch.inf)
    return replace(segment, begin=begin, mask=mask)


def _band(segment: Segment, begin: int, window: int, dtype: torch.dtype) -> torch.Tensor:
    """What consecutive tokens see of the columns from `begin`: neither what follows nor what is too far behind."""
    size, own = (segment.count, segment.width - begin), segment.width - begin - segment.count
    hidden = torch.full(size, -torch.inf, device=segment.columns.device, dtype=dtype)
    return hidden.triu(own + 1) + hidden.tril(own - window)


def position_of(column: int, segment: Segment) -> int:
    """The place in its text of the token in `column`."""
    behind = column - segment.woven_from
    return column if behind < 0 else segment.woven_from + behind // segment.stride


def column_of(position: int, segment: Segment) -> int:
    """The first column that holds a token at this place of a text."""
    behind = position - segment.woven_from
    return position if behind < 0 else segment.woven_from + behind * segment.stride
