"""Attention of ranges of query rows, each over a range of columns, with the log-sum-exp of its scores.

The log-sum-exp is what lets two looks at different columns be merged into one (`cascade.merged`). On CUDA this is
torch's variable-length attention, in place over the whole pool. Anywhere else the same is said in plain operations, so
that whatever builds on it can be tested there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.attention.varlen import AuxRequest, varlen_attn


@dataclass(frozen=True)
class Ranges:
    """Range i: queries ``firsts[i]`` … ``firsts[i + 1] - 1`` see columns ``starts[i]`` … ``starts[i] + used[i] - 1``.

    `firsts` is int32 [ranges + 1] and never falls; `starts` is int32 [ranges + 1], of which the last is for nothing;
    `used` is int32 [ranges] and at least 1. `most_queries` and `most_columns` are bounds on one range, known without
    asking the device.
    """

    firsts: torch.Tensor
    starts: torch.Tensor
    used: torch.Tensor
    most_queries: int
    most_columns: int


Look = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor, Ranges, float | None],
    tuple[torch.Tensor, torch.Tensor],
]
"""From queries [queries, heads, head_dim] and all keys and values [columns, heads, head_dim] to what is seen, as the
queries, and the log-sum-exp [queries, heads] in float32. Scores are multiplied by the last argument, None for
1 / sqrt(head_dim)."""


def look_varlen(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, ranges: Ranges, scale: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The kernel. Told what is `used`, it takes from `starts` where a range begins, and not where it ends."""
    seen, weight = varlen_attn(
        query,
        keys,
        values,
        ranges.firsts,
        ranges.starts,
        ranges.most_queries,
        ranges.most_columns,
        return_aux=AuxRequest(lse=True),
        scale=scale,
        seqused_k=ranges.used,
    )
    # torch 2.13 documents [queries, heads]; its registration for shapes alone says [heads, queries].
    num_queries, num_heads, _ = query.shape
    is_as_documented = num_queries != num_heads and weight.shape[0] == num_queries
    return seen, weight if is_as_documented else weight.t()


def look_plainly(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, ranges: Ranges, scale: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Range by range; it asks the device for every border."""
    seen = torch.zeros_like(query)
    weight = torch.full(query.shape[:2], -torch.inf, device=query.device)
    firsts, starts, used = (tensor.tolist() for tensor in (ranges.firsts, ranges.starts, ranges.used))
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    for first, end, start, count in zip(firsts[:-1], firsts[1:], starts[:-1], used, strict=True):
        if first == end:
            continue
        columns = slice(start, start + count)
        scores = torch.einsum("qhd,khd->qhk", query[first:end].float(), keys[columns].float()) * factor
        weight[first:end] = scores.logsumexp(-1)
        seen[first:end] = torch.einsum("qhk,khd->qhd", scores.softmax(-1), values[columns].float()).to(seen.dtype)
    return seen, weight


def unsupported(head_dim: int, device: torch.device, dtype: torch.dtype) -> str | None:
    """Why `look_varlen` can't be used, as the end of a sentence; None where it can."""
    if device.type != "cuda":
        return f"it needs CUDA, not {device.type}"
    if dtype not in {torch.bfloat16, torch.float16}:
        return f"its attention knows bfloat16 and float16, not {dtype}"
    if head_dim % 8 or head_dim > 256:
        return f"its attention knows heads of 8, 16, … 256 numbers, not of {head_dim}"
    if torch.cuda.get_device_capability(device) < (8, 0):
        return "its attention needs a GPU of the Ampere generation or later"
    return None
