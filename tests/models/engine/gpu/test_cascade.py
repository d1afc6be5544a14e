"""Decode attention in parts against the plain path's, over the same memory."""

from __future__ import annotations

from typing import cast

import pytest
import torch

from models.engine.attention import attend
from models.engine.gpu.cascade import Cascade, merged
from models.engine.gpu.lanes import Lane, Lanes
from models.engine.gpu.layout import num_splits
from models.engine.gpu.memory import Memory
from models.engine.gpu.ranges import look_plainly, unsupported
from models.engine.gpu.step import Step
from models.engine.network import Batch, KeyValues, NetworkShape, Segment
from models.engine.params import SamplingParams

COLUMNS, ROOM = 64, 7
CPU = torch.device("cpu")


class Shaped:
    """A network of which only the shape is asked."""

    def __init__(self, num_heads: int, num_kv_heads: int) -> None:
        self.projections = ()
        self.shape = NetworkShape(1, num_heads, num_kv_heads, 8, 100, CPU, torch.float32)

    def forward(self, batch: Batch, cache: list[KeyValues]) -> torch.Tensor:
        raise NotImplementedError


def filled(shape: NetworkShape, num_slots: int) -> Memory:
    memory = Memory(shape, num_slots, COLUMNS)
    for layer in memory.by_column:
        layer.keys.normal_()
        layer.values.normal_()
    return memory


@pytest.mark.parametrize(("num_heads", "num_kv_heads"), [(4, 4), (4, 2), (6, 1)])
@pytest.mark.parametrize("size", [6, 8, 24, 64])
@pytest.mark.parametrize("scale", [None, 1.0])
def test_the_parts_make_the_whole(num_heads: int, num_kv_heads: int, size: int, scale: float | None) -> None:
    """Prompts shorter than their parts are many and longer; rows of all lengths; neighbours that have ended."""
    torch.manual_seed(1)
    network = Shaped(num_heads, num_kv_heads)
    memory, lanes = filled(network.shape, 5), Lanes(network.shape, 64, 5, COLUMNS)
    prompts = {0: 5, 2: 57, 3: 1, 4: 20}  # slot 1 has nobody, and there is no room behind that of slot 2
    rows = [(0, 0, 0), (0, 2, 3), (2, 0, 6), (3, 0, 2), (3, 4, 0), (4, 5, 6)]  # slot, place, own columns filled
    starts = [slot * COLUMNS + prompts[slot] + place * ROOM for slot, place, _ in rows]
    lanes.arrange(
        [
            Lane(slot, (9,) * prompts[slot], start, ROOM, (1,) * (own + 1), SamplingParams())
            for (slot, _, own), start in zip(rows, starts, strict=True)
        ],
        size,
    )
    query = torch.randn(size, num_heads, 8)
    key, value = (torch.randn(size, num_kv_heads, 8) for _ in range(2))
    cascade = cast("Cascade", Step(network, memory, lanes, look_plainly).batch(size).segments)
    assert len(cascade.is_hidden) == num_splits(size) + 1
    expected = [
        alone(memory.by_slot[0], query[i : i + 1], key[i : i + 1], value[i : i + 1], row, prompts[row[0]], scale)
        for i, row in enumerate(rows)
    ]
    found = cascade.attend(query, key, value, memory.by_column[0], scale)
    assert torch.allclose(found[: len(rows)], torch.cat(expected), atol=1e-5)
    assert torch.isfinite(found).all()


def alone(
    cache: KeyValues,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    row: tuple[int, int, int],
    prompt: int,
    scale: float | None,
) -> torch.Tensor:
    """What the plain path gives one row over a slot that holds the prompt and the row's own columns only."""
    slot, place, own = row
    begin = prompt + place * ROOM
    columns = torch.tensor([*range(prompt), *range(begin, begin + own + 1)])
    copy = KeyValues(*(whole[slot][:, columns].clone()[None] for whole in (cache.keys, cache.values)))
    last = len(columns) - 1
    if scale is not None:
        query = query * scale * query.shape[-1] ** 0.5
    return attend(query, key, value, copy, (Segment(0, 1, 0, torch.tensor([last]), last + 1, None, False),))


def test_a_row_without_room_writes_where_nobody_reads() -> None:
    network = Shaped(2, 2)
    memory, lanes = filled(network.shape, 1), Lanes(network.shape, 4, 1, COLUMNS)
    lanes.arrange([Lane(0, (9,) * 5, 5, 3, (1,) * 4, SamplingParams())], 2)
    cascade = cast("Cascade", Step(network, memory, lanes, look_plainly).batch(2).segments)
    assert cascade.columns.tolist() == [memory.scratch, memory.scratch]
    before = memory.by_slot[0].keys.clone()
    cascade.attend(*torch.randn(3, 2, 2, 8).unbind(), memory.by_column[0])
    assert torch.equal(memory.by_slot[0].keys, before)


def test_weights_that_are_far_apart_leave_one_part() -> None:
    seen, low, high = torch.randn(3, 2, 3, 4), torch.full((2, 3), -1e4), torch.full((2, 3), 1e4)
    assert torch.equal(merged(seen, torch.stack([low, high, low])), seen[1])
    assert torch.equal(merged(seen, torch.stack([torch.full((2, 3), -torch.inf), low, low * 2])), seen[1])
    assert torch.allclose(merged(seen, torch.stack([high, high, high])), seen.mean(0), atol=1e-6)


def test_slots_and_columns_are_the_same_memory() -> None:
    memory = filled(Shaped(4, 2).shape, 3)
    by_slot, by_column = memory.by_slot[0].keys, memory.by_column[0].keys
    assert by_slot.shape == (3, 2, COLUMNS, 8)
    by_slot[1, :, 5] = 7.0
    assert (by_column[COLUMNS + 5] == 7).all()
    assert memory.scratch == len(by_column) - 1


@pytest.mark.parametrize(
    ("head_dim", "device", "dtype", "reason"),
    [
        (64, "cpu", torch.bfloat16, "needs CUDA, not cpu"),
        (64, "cuda", torch.float32, "not torch.float32"),
        (20, "cuda", torch.bfloat16, "not of 20"),
        (512, "cuda", torch.float16, "not of 512"),
    ],
)
def test_what_the_kernel_does_not_know_is_named(head_dim: int, device: str, dtype: torch.dtype, reason: str) -> None:
    assert reason in (unsupported(head_dim, torch.device(device), dtype) or "")
