"""Decode attention in parts: each slot's prompt once for all its rows, and each row's own columns.

A row's own columns stand side by side here (`slots`: apart, not woven), so all parts are ranges of one long pool of
columns and nothing is gathered. With grouped-query attention the heads of a group become query rows too, since they
read the same keys. Parts are softmaxes over disjoint columns, and are merged by their log-sum-exp, as in cascade
inference (https://flashinfer.ai/2024/02/02/cascade-inference.html).

All parts are one launch, in which the queries stand once for each part. Where there are few rows, a prompt is several
parts: one alone would keep a block of a GPU busy for each head, and leave most of it idle.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from models.engine.gpu.ranges import Look, Ranges
from models.engine.network import KeyValues


@dataclass(frozen=True)
class Cascade:
    """What the rows of a decode step see; see `network.Lookup`.

    `columns` [rows] is where their own keys and values go, counted over the whole pool. A part's queries are
    ``row * heads per kv head + head within its group``; part after part they are what `ranges` count. `is_hidden`
    [parts, rows * group, 1] are those that have nothing to see in a part. The cache's layers are `memory.Memory`'s.
    """

    columns: torch.Tensor
    ranges: Ranges
    is_hidden: torch.Tensor
    look: Look

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, cache: KeyValues, scale: float | None = None
    ) -> torch.Tensor:
        """As `attention.attend`."""
        cache.keys.index_copy_(0, self.columns, key)
        cache.values.index_copy_(0, self.columns, value)
        num_rows, num_heads, head_dim = query.shape
        num_parts, num_kv_heads = len(self.is_hidden), key.shape[1]
        grouped = query.view(num_rows, num_kv_heads, -1, head_dim).transpose(1, 2)
        repeated = grouped.expand(num_parts, *grouped.shape).reshape(-1, num_kv_heads, head_dim)
        seen, weight = self.look(repeated, cache.keys, cache.values, self.ranges, scale)
        whole = merged(
            seen.view(num_parts, -1, num_kv_heads, head_dim),
            weight.view(num_parts, -1, num_kv_heads).masked_fill(self.is_hidden, -torch.inf),
        )
        answer = query.new_empty(num_rows, num_kv_heads, num_heads // num_kv_heads, head_dim)
        return answer.copy_(whole.view(grouped.shape).transpose(1, 2)).view(num_rows, num_heads, head_dim)


def merged(seen: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Softmax averages over disjoint columns [parts, rows, heads, head_dim] as one, from their log-sum-exps.

    Those are [parts, rows, heads]; each part has the share that it has of the sum of all exponentials.
    """
    return (seen * weight.softmax(0)[..., None]).sum(0)
