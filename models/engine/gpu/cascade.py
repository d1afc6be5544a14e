"""Decode attention in two parts: each slot's prompt once for all its rows, and each row's own columns.

A row's own columns stand side by side here (`slots`: apart, not woven), so both parts are ranges of one long pool of
columns and nothing is gathered. With grouped-query attention the heads of a group become query rows too, since they
read the same keys. The two parts are softmaxes over disjoint columns, and are merged by their log-sum-exp, as in
cascade inference (https://flashinfer.ai/2024/02/02/cascade-inference.html).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from models.engine.gpu.ranges import Look, Ranges
from models.engine.network import KeyValues


@dataclass(frozen=True)
class Cascade:
    """What the rows of a decode step see; see `network.Lookup`.

    `columns` [rows] is where their own keys and values go, counted over the whole pool. Ranges count query rows after
    folding: ``row * heads per kv head + head within its group``. The cache's layers are those of `memory.Memory`.
    """

    columns: torch.Tensor
    shared: Ranges
    own: Ranges
    look: Look

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, cache: KeyValues, scale: float | None = None
    ) -> torch.Tensor:
        """As `attention.attend`."""
        cache.keys.index_copy_(0, self.columns, key)
        cache.values.index_copy_(0, self.columns, value)
        folded = _folded(query, key.shape[1])
        parts = [self.look(folded, cache.keys, cache.values, ranges, scale) for ranges in (self.shared, self.own)]
        return _unfolded(merged(*parts[0], *parts[1]), query)


def merged(
    first: torch.Tensor, first_weight: torch.Tensor, second: torch.Tensor, second_weight: torch.Tensor
) -> torch.Tensor:
    """Two softmax averages [rows, heads, head_dim] over disjoint columns as one, from their log-sum-exps [rows, heads].

    Their shares are ``exp(a) / (exp(a) + exp(b))`` and the rest: sigmoids of the difference, which lose nothing where
    both are large.
    """
    ahead = (first_weight - second_weight)[..., None]
    return (first * ahead.sigmoid() + second * (-ahead).sigmoid()).to(first.dtype)


def _folded(query: torch.Tensor, num_kv_heads: int) -> torch.Tensor:
    """[rows, heads, head_dim] to [rows * group, kv heads, head_dim]."""
    num_rows, _, head_dim = query.shape
    return query.view(num_rows, num_kv_heads, -1, head_dim).transpose(1, 2).reshape(-1, num_kv_heads, head_dim)


def _unfolded(seen: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    num_rows, num_heads, head_dim = query.shape
    return seen.view(num_rows, -1, seen.shape[1], head_dim).transpose(1, 2).reshape(num_rows, num_heads, head_dim)
