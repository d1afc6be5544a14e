"""The rows that decode, as tensors that stay where they are: a CUDA graph reads and moves them in place.

A lane is one row's place in these tensors. Lanes are in the order of their slots. What a step changes itself (last
token, length, counts) stays on the device; where the set of rows changes, lanes are moved there from place to place,
so that the next step can begin before the host knows what the last one has drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from models.engine.gpu.draw import IN_PROMPT, ROUNDS, WISHES, Wishes, has_penalties, listed
from models.engine.params import SamplingParams

MAX_ROWS_OF_SLOT = 16
"""A kernel is launched for so many rows of every slot, whether they are there or not."""


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

    `tokens` [most] is what the last step drew: ids, or `draw.UNDECIDED`, `draw.BROKEN`.
    """

    def __init__(self, most: int, num_slots: int, num_columns: int, vocab_size: int, device: torch.device) -> None:
        self.most = most
        self.num_slots = num_slots
        self.num_columns = num_columns
        self.vocab_size = vocab_size
        self.device = device
        self._moving = torch.zeros(2, most, dtype=torch.long, device=device)
        self._fixed = torch.zeros(3, most, dtype=torch.long, device=device)
        self._wishes = torch.zeros(len(WISHES), most, dtype=torch.float64, device=device)
        self.numbers = torch.zeros(ROUNDS, most, dtype=torch.float64, device=device)
        self.tokens = torch.zeros(most, dtype=torch.long, device=device)
        # Ranges of lanes, one a slot; then those of lanes for nobody, over the column behind the last slot.
        self._num_spare = -(-most // MAX_ROWS_OF_SLOT)
        self.firsts = torch.zeros(num_slots + self._num_spare + 1, dtype=torch.int32, device=device)
        self.prompts = torch.ones(num_slots + self._num_spare, dtype=torch.int32, device=device)
        places = [slot * num_columns for slot in range(num_slots)] + [self.scratch] * (self._num_spare + 1)
        self.slot_starts = torch.tensor(places, dtype=torch.int32, device=device)
        self._counts: torch.Tensor | None = None

    @property
    def scratch(self) -> int:
        return self.num_slots * self.num_columns

    @property
    def ids(self) -> torch.Tensor:
        """[most]: each lane's last token, which has no column yet."""
        return self._moving[0]

    @property
    def lengths(self) -> torch.Tensor:
        """[most]: how many of a lane's own columns are filled."""
        return self._moving[1]

    @property
    def bases(self) -> torch.Tensor:
        """[most]: tokens of the lane's prompt."""
        return self._fixed[0]

    @property
    def starts(self) -> torch.Tensor:
        return self._fixed[1]

    @property
    def rooms(self) -> torch.Tensor:
        return self._fixed[2]

    @property
    def counts(self) -> torch.Tensor:
        """[most, vocab], as `draw.draw` wants them. Memory is taken when somebody has penalties for the first time."""
        if self._counts is None:
            self._counts = torch.zeros(self.most, self.vocab_size, dtype=torch.int16, device=self.device)
        return self._counts

    def wishes(self, num_lanes: int) -> Wishes:
        """Of the first lanes."""
        return Wishes.of(self._wishes[:, :num_lanes])

    def arrange(self, lanes: Sequence[Lane], num_lanes: int) -> None:
        """Puts these rows into the first lanes, nobody into the others up to `num_lanes`."""
        nobody = num_lanes - len(lanes)
        fresh = [lane.source is None for lane in lanes]
        sources = self._sent([0 if lane.source is None else lane.source for lane in lanes] + [0] * nobody)
        is_fresh = self._sent([*fresh, *[True] * nobody]).bool()
        told = self._sent(
            [
                [lane.own[-1] if lane.source is None else 0 for lane in lanes] + [0] * nobody,
                [len(lane.own) - 1 if lane.source is None else 0 for lane in lanes] + [0] * nobody,
            ]
        )
        self._moving[:, :num_lanes] = torch.where(is_fresh, told, self._moving[:, sources])
        self._fixed[:, :num_lanes] = self._sent(
            [
                [len(lane.prompt_ids) for lane in lanes] + [0] * nobody,
                [lane.start for lane in lanes] + [self.scratch] * nobody,
                [lane.room for lane in lanes] + [0] * nobody,
            ]
        )
        columns = [listed(lane.sampling) for lane in lanes] + [listed(SamplingParams(temperature=0))] * nobody
        self._wishes[:, :num_lanes] = self._sent(columns, torch.float64).t()
        self._place(lanes, num_lanes)
        if any(has_penalties(lane.sampling) for lane in lanes):
            self.counts[:num_lanes] = self.counts[sources]
            self._recount(lanes)

    def bring(self, numbers: Sequence[Sequence[float]]) -> None:
        """The next step's random numbers: `ROUNDS` for each lane."""
        self.numbers[:, : len(numbers)] = self._sent(numbers, torch.float64).t()

    def state(self) -> list[torch.Tensor]:
        """All that a step changes."""
        return [self._moving, self.tokens, *([] if self._counts is None else [self._counts])]

    def _place(self, lanes: Sequence[Lane], num_lanes: int) -> None:
        """Which lanes and which prompt each slot has."""
        sizes, prompts = [0] * self.num_slots, [1] * len(self.prompts)
        for lane in lanes:
            sizes[lane.slot] += 1
            prompts[lane.slot] = len(lane.prompt_ids)
        firsts = [0]
        for size in sizes:
            firsts.append(firsts[-1] + size)
        for _ in range(self._num_spare):
            firsts.append(min(firsts[-1] + MAX_ROWS_OF_SLOT, num_lanes))
        self.firsts.copy_(self._sent(firsts, torch.int32))
        self.prompts.copy_(self._sent(prompts, torch.int32))

    def _recount(self, lanes: Sequence[Lane]) -> None:
        """Counts the tokens of the rows that are new."""
        for place, lane in enumerate(lanes):
            if lane.source is None and has_penalties(lane.sampling):
                row = self.counts[place].zero_()
                ids = self._sent(lane.own)
                row.scatter_add_(0, ids, torch.ones_like(ids, dtype=row.dtype))
                prompt = self._sent(lane.prompt_ids)
                row.index_put_((prompt,), row[prompt] | IN_PROMPT)

    def _sent(self, values: Sequence[object], dtype: torch.dtype = torch.long) -> torch.Tensor:
        """On the device, without waiting for it."""
        tensor = torch.tensor(values, dtype=dtype)
        if self.device.type != "cuda":
            return tensor.to(self.device)
        return tensor.pin_memory().to(self.device, non_blocking=True)
