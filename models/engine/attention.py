"""Attention of a batch's rows over their slots.

The n candidates of a request are n query rows over the same slot, so its prompt is stored once and read once a step.
"""

from __future__ import annotations

import torch
from torch.nn.functional import scaled_dot_product_attention

from models.engine.network import KeyValues, Lookup, Segment


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    cache: KeyValues,
    segments: tuple[Segment, ...] | Lookup,
    scale: float | None = None,
) -> torch.Tensor:
    """Writes `key` and `value` [rows, kv heads, head_dim] into the cache, then lets the rows look.

    `query` and the answer are [rows, heads, head_dim]; scores are multiplied by `scale`, None for 1 / sqrt(head_dim).
    The cache's numbers may be shorter than the rows'; then the rows look in those.
    """
    if not isinstance(segments, tuple):
        return segments.attend(query, key, value, cache, scale)
    answer = torch.empty_like(query)
    query, key, value = (each.to(cache.keys.dtype) for each in (query, key, value))
    for segment in segments:
        rows = slice(segment.first, segment.first + segment.count)
        keys, values = cache.keys[segment.slot], cache.values[segment.slot]
        keys.index_copy_(1, segment.columns, key[rows].transpose(0, 1))
        values.index_copy_(1, segment.columns, value[rows].transpose(0, 1))
        look = _read if segment.is_reading else _write
        seen = slice(segment.begin, segment.width)
        answer[rows] = look(query[rows], keys[:, seen], values[:, seen], segment.mask, scale)
    return answer


def _read(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None, scale: float | None
) -> torch.Tensor:
    """Consecutive tokens of a prompt. Without a mask they are the slot's first columns, or the last one alone."""
    seen = scaled_dot_product_attention(
        query.transpose(0, 1)[None],
        keys[None],
        values[None],
        attn_mask=mask,
        is_causal=mask is None and query.shape[0] == keys.shape[1],
        scale=scale,
        enable_gqa=query.shape[1] > keys.shape[0],
    )
    return seen[0].transpose(0, 1)


def _write(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None, scale: float | None
) -> torch.Tensor:
    """The last tokens of a request's rows.

    With grouped-query attention the heads of a group become rows too, since they read the same keys: nothing is
    repeated. `mask` is [group * rows, width].
    """
    num_rows, num_heads, head_dim = query.shape
    folded = query.transpose(0, 1).reshape(1, keys.shape[0], -1, head_dim)  # [1, kv heads, group * rows, head_dim]
    seen = scaled_dot_product_attention(folded, keys[None], values[None], attn_mask=mask, scale=scale)
    return seen.reshape(num_heads, num_rows, head_dim).transpose(0, 1)
