"""The rows that decode, as tensors that stay where they are: a CUDA graph reads and moves them in place.

A lane is one row's place in these tensors. The lanes of a slot stand together. What a step changes itself (last
token, length, counts) stays on the device; where the set of rows changes, lanes are moved there from place to place,
so that the next step can begin before the host knows what the last one has drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch

from models.engine.gpu.draw import IN_PROMPT, ROUNDS, WISHES, Wishes, has_penalties, listed
from models.engine.gpu.layout import MAX_ROWS_OF_SLOT, Shared, lay_out, num_splits
from models.engine.gpu.ranges import Ranges
from models.engine.network import NetworkShape
from models.engine.params import SamplingParams


@dataclass(frozen=True)
class Lane:
    """A row as the host knows it.

    Its own columns begin at `start`, counted over the whole pool; `room` is how many there are. Where `source` is a
    lane of the step before, its tokens are those of that lane; where it is None they are `own`, of which the last has
    no column yet.
    """

    slot: int
    prompt_ids: tuple[int, ...]
    start: int
    room: int
    own: tuple[int, ...]
    sampling: SamplingParams
    source: int | None = None


class Lanes:
    """Room for `most` rows over `num_slots` slots of `num_columns`. Lanes that stand for nobody use the last column.

    `ids` [most] are the lanes' last tokens, which have no column yet; `lengths` how many of their own columns are
    filled, `rooms` how many there are, `starts` where they begin; `bases` how many tokens their prompts have. `tokens`
    is what the last step drew: ids, or `draw.UNDECIDED`, `draw.BROKEN`.
    """

    def __init__(self, shape: NetworkShape, most: int, num_slots: int, num_columns: int) -> None:
        self.most = most
        self.num_columns = num_columns
        self.scratch = num_slots * num_columns
        self._vocab_size = shape.vocab_size
        self._group = shape.heads_per_kv_head
        self._device = shape.device
        self._moving, self._fixed = self._zeros(torch.long, 2, most), self._zeros(torch.long, 3, most)
        self.ids, self.lengths = self._moving
        self.bases, self.starts, self.rooms = self._fixed
        self.tokens, self.places = self._zeros(torch.long, most), torch.arange(most, device=self._device)
        self.numbers = self._zeros(torch.float64, ROUNDS, most)
        self._wishes = self._zeros(torch.float64, len(WISHES), most)
        most_ranges = max((num_splits(size) + 1) * size for size in range(1, most + 1))
        self._ranges = self._zeros(torch.int32, 3, most_ranges + 1)
        self._is_hidden = self._zeros(torch.bool, most_ranges * self._group)
        self._counts: torch.Tensor | None = None

    @property
    def counts(self) -> torch.Tensor:
        """[most, vocab], as `draw.draw` wants them. Memory is taken when somebody has penalties for the first time."""
        if self._counts is None:
            self._counts = self._zeros(torch.int16, self.most, self._vocab_size)
        return self._counts

    @property
    def state(self) -> list[torch.Tensor]:
        """All that a step changes for good."""
        return [self._moving, self.tokens, *([] if self._counts is None else [self._counts])]

    def wishes(self, size: int) -> Wishes:
        """Of the first lanes."""
        return Wishes.of(self._wishes[:, :size])

    def seen(self, size: int) -> tuple[Ranges, torch.Tensor]:
        """What the first lanes see, as `cascade.Cascade` wants it; the rows' own columns up to the next one."""
        num_parts = num_splits(size) + 1
        firsts, starts, used = self._ranges[:, : num_parts * size + 1]
        own = torch.minimum(self.lengths[:size] + 1, self.rooms[:size]).clamp_min(1)
        used[-1 - size : -1].copy_(own)
        most_queries = min(size, MAX_ROWS_OF_SLOT) * self._group
        is_hidden = self._is_hidden[: num_parts * size * self._group].view(num_parts, -1, 1)
        return Ranges(firsts, starts, used[:-1], most_queries, self.num_columns), is_hidden

    def arrange(self, lanes: Sequence[Lane], size: int) -> None:
        """Puts these rows into the first lanes, nobody into the others up to `size`."""
        nobody = size - len(lanes)
        sources = self._sent([lane.source or 0 for lane in lanes] + [0] * nobody)
        is_fresh = self._sent([lane.source is None for lane in lanes] + [True] * nobody, torch.bool)
        known = [(lane.own[-1], len(lane.own) - 1) if lane.source is None else (0, 0) for lane in lanes]
        told = self._sent([*known, *[(0, 0)] * nobody]).t()
        self._moving[:, :size] = torch.where(is_fresh, told, self._moving[:, sources])
        fixed = [(len(lane.prompt_ids), lane.start, lane.room) for lane in lanes]
        self._fixed[:, :size] = self._sent([*fixed, *[(0, self.scratch, 0)] * nobody]).t()
        wishes = [listed(lane.sampling) for lane in lanes] + [listed(SamplingParams(temperature=0))] * nobody
        self._wishes[:, :size] = self._sent(wishes, torch.float64).t()
        self._lay_out(lanes, size)
        if any(has_penalties(lane.sampling) for lane in lanes):
            self.counts[:size] = self.counts[sources]
            self._recount(lanes)

    def bring(self, numbers: Sequence[Sequence[float]]) -> None:
        """The next step's random numbers: `ROUNDS` for each lane."""
        self.numbers[:, : len(numbers)] = self._sent(numbers, torch.float64).t()

    def _lay_out(self, lanes: Sequence[Lane], size: int) -> None:
        """Lanes for nobody see the column behind the last slot, some at a time."""
        prompts = [
            Shared(len(list(rows)), slot * self.num_columns, num_tokens)
            for (slot, num_tokens), rows in groupby(lanes, lambda lane: (lane.slot, len(lane.prompt_ids)))
        ]
        for first in range(len(lanes), size, MAX_ROWS_OF_SLOT):
            prompts.append(Shared(min(MAX_ROWS_OF_SLOT, size - first), self.scratch, 1))
        layout = lay_out(prompts, [lane.start for lane in lanes] + [self.scratch] * (size - len(lanes)), [1] * size)
        firsts = [first * self._group for first in layout.firsts]
        table = self._sent([firsts, layout.starts, [*layout.used, 0]], torch.int32)
        self._ranges[:, : len(firsts)] = table
        hidden = self._sent(layout.is_hidden, torch.bool)[..., None].expand(-1, -1, self._group).flatten()
        self._is_hidden[: len(hidden)] = hidden

    def _recount(self, lanes: Sequence[Lane]) -> None:
        """Counts the tokens of the rows that are new."""
        for place, lane in enumerate(lanes):
            if lane.source is None and has_penalties(lane.sampling):
                row = self.counts[place].zero_()
                ids = self._sent(lane.own)
                row.scatter_add_(0, ids, torch.ones_like(ids, dtype=row.dtype))
                prompt = self._sent(lane.prompt_ids)
                row.index_put_((prompt,), row[prompt] | IN_PROMPT)

    def _zeros(self, dtype: torch.dtype, *size: int) -> torch.Tensor:
        return torch.zeros(size, dtype=dtype, device=self._device)

    def _sent(self, values: Sequence[object], dtype: torch.dtype = torch.long) -> torch.Tensor:
        """On the device, without waiting for it."""
        tensor = torch.tensor(values, dtype=dtype)
        if self._device.type != "cuda":
            return tensor.to(self._device)
        return tensor.pin_memory().to(self._device, non_blocking=True)
