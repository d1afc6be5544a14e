"""Decode attention in two parts against the plain path's, over the same memory."""

from __future__ import annotations

import pytest
import torch

from models.engine.attention import attend
from models.engine.gpu.cascade import Cascade, merged
from models.engine.gpu.memory import Memory
from models.engine.gpu.ranges import Ranges, look_plainly, unsupported
from models.engine.network import KeyValues, NetworkShape, Segment

COLUMNS = 48
CPU = torch.device("cpu")


def make_shape(num_heads: int, num_kv_heads: int, head_dim: int = 8) -> NetworkShape:
    return NetworkShape(1, num_heads, num_kv_heads, head_dim, 100, CPU, torch.float32)


def filled(shape: NetworkShape, num_slots: int) -> Memory:
    memory = Memory(shape, num_slots, COLUMNS)
    for layer in memory.by_column:
        layer.keys.normal_()
        layer.values.normal_()
    return memory


@pytest.mark.parametrize(("num_heads", "num_kv_heads"), [(4, 4), (4, 2), (6, 1)])
@pytest.mark.parametrize("scale", [None, 1.0])
def test_two_parts_make_the_whole(num_heads: int, num_kv_heads: int, scale: float | None) -> None:
    """Slots with different prompts; rows with different lengths, some of whose neighbours have ended."""
    torch.manual_seed(1)
    shape = make_shape(num_heads, num_kv_heads)
    memory, room, group = filled(shape, 4), 7, num_heads // num_kv_heads
    prompts = {0: 5, 2: 20, 3: 1}  # slot 1 has nobody
    rows = [(0, 0, 0), (0, 2, 3), (2, 1, 6), (3, 0, 2), (3, 1, 2), (3, 4, 0)]  # slot, place, own columns filled
    query = torch.randn(len(rows), num_heads, shape.head_dim)
    key, value = (torch.randn(len(rows), num_kv_heads, shape.head_dim) for _ in range(2))
    starts = [slot * COLUMNS + prompts[slot] + place * room for slot, place, _ in rows]
    cascade = Cascade(
        columns=torch.tensor([start + own for start, (_, _, own) in zip(starts, rows, strict=True)]),
        shared=Ranges(
            firsts=ints([0, 2, 2, 3, 6]) * group,
            starts=ints([slot * COLUMNS for slot in range(5)]),
            used=ints([prompts.get(slot, 1) for slot in range(4)]),
            most_queries=3 * group,
            most_columns=COLUMNS,
        ),
        own=Ranges(
            firsts=ints(range(len(rows) + 1)) * group,
            starts=ints([*starts, starts[-1]]),
            used=ints([own + 1 for _, _, own in rows]),
            most_queries=group,
            most_columns=COLUMNS,
        ),
        look=look_plainly,
    )
    expected = [
        alone(memory.by_slot[0], query[i : i + 1], key[i : i + 1], value[i : i + 1], rows[i], prompts, room, scale)
        for i in range(len(rows))
    ]
    found = cascade.attend(query, key, value, memory.by_column[0], scale)
    assert torch.allclose(found, torch.cat(expected), atol=1e-5)


def alone(
    cache: KeyValues,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    row: tuple[int, int, int],
    prompts: dict[int, int],
    room: int,
    scale: float | None,
) -> torch.Tensor:
    """What the plain path gives one row over a slot that holds the prompt and the row's own columns only."""
    slot, place, own = row
    begin = prompts[slot] + place * room
    columns = torch.tensor([*range(prompts[slot]), *range(begin, begin + own), begin + own])
    copy = KeyValues(*(whole[slot][:, columns].clone()[None] for whole in (cache.keys, cache.values)))
    last = len(columns) - 1
    if scale is not None:
        query = query * scale * query.shape[-1] ** 0.5
    return attend(query, key, value, copy, (Segment(0, 1, 0, torch.tensor([last]), last + 1, None, False),))


def ints(values: range | list[int]) -> torch.Tensor:
    return torch.tensor(list(values), dtype=torch.int32)


def test_weights_that_are_far_apart_leave_one_part() -> None:
    first, second = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    low, high = torch.full((2, 3), -1e4), torch.full((2, 3), 1e4)
    assert torch.equal(merged(first, low, second, high), second)
    assert torch.equal(merged(first, high, second, low), first)
    assert torch.allclose(merged(first, low, second, low), (first + second) / 2, atol=1e-6)


def test_slots_and_columns_are_the_same_memory() -> None:
    memory = filled(make_shape(4, 2), 3)
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
