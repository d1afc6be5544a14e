"""The joint between the scheduler and a model's own forward pass: a batch of rows goes in, logits come out.

A row is one token on its way through the model. Rows of all requests stand in one matrix, so every dense layer runs
once a step whatever the number of requests; only attention looks at them request by request, as segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from models.engine.projection import Projection


@dataclass(frozen=True)
class NetworkShape:
    """What the cache must know of a model; `dtype` is what keys and values are kept in."""

    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    vocab_size: int
    device: torch.device
    dtype: torch.dtype

    @property
    def heads_per_kv_head(self) -> int:
        return self.num_heads // self.num_kv_heads

    @property
    def bytes_per_column(self) -> int:
        """Of keys and values of one token, over all layers."""
        return 2 * self.num_layers * self.num_kv_heads * self.head_dim * self.dtype.itemsize


@dataclass(frozen=True)
class Segment:
    """Rows `first` … `first + count - 1` of a batch: one slot's, of which they see columns `begin` … `width - 1`.

    `columns` [count] is where their own keys and values go. Rows that read are consecutive tokens of a prompt; their
    `mask` is [count, width - begin], or None where they begin the slot or are one token. Rows that write are the last
    tokens of a request's candidates; their `mask` is [heads per kv head * count, width - begin], or None for a single
    candidate. A mask is added to the attention scores: 0 or -inf.

    Columns before `woven_from` hold one token of the text each, in order; behind it stand `stride` rows side by side.
    `positions` are those of the rows in their texts, where they are not all the same.
    """

    first: int
    count: int
    slot: int
    columns: torch.Tensor
    width: int
    mask: torch.Tensor | None
    is_reading: bool
    woven_from: int = 0
    stride: int = 1
    positions: tuple[int, ...] = ()
    begin: int = 0


@dataclass(frozen=True)
class Span:
    """Rows `first` … `first + count - 1` of a batch are computed with the adapter of this name."""

    adapter: str
    first: int
    count: int


class Lookup(Protocol):
    """A batch's attention in another form than segments."""

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, cache: KeyValues, scale: float | None = None
    ) -> torch.Tensor:
        """As `attention.attend`; the cache is in the form that it knows."""
        ...


@dataclass(frozen=True)
class Batch:
    """Token ids [rows] with their positions in their texts [rows]; `wanted` [n] are the rows whose logits are used.

    Rows in no span are computed with the base alone. With `wants_hidden` hidden states are asked for in the place of
    logits.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    segments: tuple[Segment, ...] | Lookup
    wanted: torch.Tensor
    spans: tuple[Span, ...] = ()
    wants_hidden: bool = False


@dataclass(frozen=True)
class KeyValues:
    """One layer's keys and values, each [slots, kv heads, columns, head_dim]."""

    keys: torch.Tensor
    values: torch.Tensor


class Network(Protocol):
    """A model's forward pass over slots. It writes the rows' keys and values into `cache`, one entry a layer."""

    @property
    def shape(self) -> NetworkShape: ...

    @property
    def projections(self) -> Sequence[Projection]:
        """The layers that adapters may change."""
        ...

    def forward(self, batch: Batch, cache: list[KeyValues]) -> torch.Tensor:
        """Logits [len(wanted), vocab]; or the last layer's hidden states [len(wanted), hidden], behind its norm."""
        ...

    def head(self, hidden: torch.Tensor) -> torch.Tensor:
        """The logits of such hidden states."""
        ...
