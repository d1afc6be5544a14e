"""Memory of what was read: a fixed number of slots, each with the keys and values of one story.

A slot's first columns are a prompt's tokens in order. Behind them stand the rows that were written after it, woven
into each other: token t of row j is in column ``len(tokens) + t * stride + j`` (a GPU's decoder has them apart). When
the next prompt goes on with one of those rows, its columns are moved together and nothing of it is read again.

Prompts are compared token by token, among those that were read with the same adapter. Which slot a new prompt gets: the
one that holds the same story, else the one unused for longest; a beginning that another slot has too is copied from
there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from models.engine.network import KeyValues, NetworkShape

MIN_COPIED = 16
"""Reading so few tokens costs no more than copying them."""


@dataclass
class Slot:
    """`tokens` are those whose columns are filled; `rows` the tokens behind them whose columns are, a list a row.

    A row's columns are `stride` apart from each other, and `pitch` from those of the next row. Rows are woven where
    `pitch` is 1 and `stride` their number; where `stride` is 1 and `pitch` their room, each stands apart. All were
    computed with `adapter`; None is the base alone.
    """

    index: int
    tokens: list[int] = field(default_factory=list)
    rows: list[list[int]] = field(default_factory=list)
    stride: int = 1
    pitch: int = 1
    adapter: str | None = None
    is_taken: bool = False
    last_used: int = 0

    def match(self, prompt: Sequence[int], adapter: str | None = None) -> tuple[int, int | None]:
        """How many of the prompt's tokens are here, and in which row the last of them stand (None: in none)."""
        if adapter != self.adapter:
            return 0, None
        length = common_length(self.tokens, prompt)
        if length < len(self.tokens) or self.is_taken:  # a taken slot's rows are still moving
            return length, None
        rest = prompt[length:]
        found = [(common_length(row, rest), -j) for j, row in enumerate(self.rows)]
        most, place = max(found, default=(0, 0))
        return (length + most, -place) if most else (length, None)

    def columns_of(self, length: int, row: int | None) -> list[int]:
        """Where the first `length` tokens of the text that ends in `row` stand."""
        inside = min(length, len(self.tokens))
        behind = 0 if row is None else length - inside
        return [*range(inside), *(len(self.tokens) + t * self.stride + (row or 0) * self.pitch for t in range(behind))]


class SlotPool:
    """All slots of a model. Memory is taken once, here, where it is not given as `cache`."""

    def __init__(
        self, shape: NetworkShape, num_slots: int, num_columns: int, cache: list[KeyValues] | None = None
    ) -> None:
        self.num_columns = num_columns
        self.slots = [Slot(index) for index in range(num_slots)]
        size = (num_slots, shape.num_kv_heads, num_columns, shape.head_dim)
        self.cache = cache or [
            KeyValues(*(torch.zeros(size, device=shape.device, dtype=shape.dtype) for _ in range(2)))
            for _ in range(shape.num_layers)
        ]
        self._clock = 0

    @property
    def num_free(self) -> int:
        return sum(not slot.is_taken for slot in self.slots)

    def take(self, prompt: Sequence[int], adapter: str | None = None, *, is_fresh: bool = False) -> Slot | None:
        """A slot whose `tokens` are as much of the prompt as could be kept, at most all but its last token.

        That one is always read again, because its logits are wanted. `is_fresh` keeps nothing. None where all slots
        are taken.
        """
        free = [slot for slot in self.slots if not slot.is_taken]
        if not free:
            return None
        slot = self._fill(free, [] if is_fresh else prompt[:-1], adapter)
        slot.adapter = adapter
        slot.is_taken = True
        self._clock += 1
        slot.last_used = self._clock
        return slot

    def give_back(self, slot: Slot) -> None:
        """The request is over; what was read and written stays for the next one."""
        slot.is_taken = False

    def wipe(self, slot: Slot) -> None:
        """Forgets a slot, and clears it: a masked column that holds NaN would still spoil every sum."""
        slot.tokens, slot.rows, slot.stride, slot.adapter = [], [], 1, None
        for layer in self.cache:
            layer.keys[slot.index].zero_()
            layer.values[slot.index].zero_()

    def _fill(self, free: Sequence[Slot], wanted: Sequence[int], adapter: str | None) -> Slot:
        found = {slot.index: slot.match(wanted, adapter) for slot in self.slots}
        own = max(free, key=lambda slot: (found[slot.index][0], -slot.last_used))
        length, row = found[own.index]
        if length > 0 and 2 * length >= len(own.tokens):
            self._keep(own, own, wanted[:length], row)
            return own
        oldest = min(free, key=lambda slot: (bool(slot.tokens), slot.last_used))
        source = max(self.slots, key=lambda slot: found[slot.index][0])
        length, row = found[source.index]
        if length < MIN_COPIED and source is not oldest:
            length, row = 0, None
        self._keep(oldest, source, wanted[:length], row)
        return oldest

    def _keep(self, slot: Slot, source: Slot, tokens: Sequence[int], row: int | None) -> None:
        """Makes `tokens`, which `source` has, the beginning of `slot`. What stands there already is not moved."""
        start = min(len(slot.tokens), len(tokens)) if slot is source else 0
        if start < len(tokens):
            columns = source.columns_of(len(tokens), row)[start:]
            where = torch.tensor(columns, device=self.cache[0].keys.device)
            for layer in self.cache:
                for whole in (layer.keys, layer.values):
                    whole[slot.index, :, start : len(tokens)] = whole[source.index].index_select(1, where)
        slot.tokens, slot.rows, slot.stride = list(tokens), [], 1


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many tokens two texts have in common from their beginning."""
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return length
