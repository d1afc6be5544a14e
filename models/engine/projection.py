"""The dense layers inside a model's blocks, and what adapters add to them.

The base's weights stay as they are, packed or in 8 bits, and are read once for all rows. An adapter's low-rank update
is computed beside them, for all of its rows at once; rows without an adapter cost nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from models.engine.adapter import Adapter, AdapterError, Update
from models.engine.linear import KINDS, Dense, Quantize
from models.engine.network import Span

log = logging.getLogger(__name__)

Layer = torch.nn.Linear | Conv1D


@dataclass(frozen=True)
class Piece:
    """A module of the base, as a part of a projection's outputs."""

    name: str
    num_in: int
    num_out: int


class Projection:
    """One or more of the base's dense layers that read the same input: their outputs stand side by side."""

    def __init__(self, dense: Dense, pieces: Sequence[Piece], device: torch.device, dtype: torch.dtype) -> None:
        self.pieces = tuple(pieces)
        self._dense = dense
        self._device, self._dtype = device, dtype
        self._updates: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}

    def __call__(self, x: torch.Tensor, spans: Sequence[Span] = ()) -> torch.Tensor:
        """[rows, out] from `x` [rows, in]; rows of a span get its adapter's update on top."""
        answer = self._dense(x)
        for span in spans:
            update = self._updates.get(span.adapter)
            if update is not None:
                down, up = update
                rows = slice(span.first, span.first + span.count)
                answer[rows].addmm_(x[rows] @ down, up)
        return answer

    def adapt(self, name: str, updates: Mapping[str, Update]) -> int:
        """Lays an adapter's updates over the pieces that it names. Returns the bytes that they take.

        All pieces are one product: the ranks of their updates stand side by side too, [in, ranks] and [ranks, out],
        with zeros where the rank of one piece meets the outputs of another.
        """
        own = [(piece, updates[piece.name]) for piece in self.pieces if piece.name in updates]
        if not own:
            return 0
        num_out = sum(piece.num_out for piece in self.pieces)
        down = torch.cat([update.down for _, update in own]).t()
        up = torch.zeros(down.shape[1], num_out)
        rank = 0
        for piece, update in own:
            start, end = self._outputs_of(piece), rank + len(update.down)
            up[rank:end, start : start + piece.num_out] = update.up.t()
            rank = end
        pair = tuple(each.to(self._device, self._dtype).contiguous() for each in (down, up))
        self._updates[name] = (pair[0], pair[1])
        return sum(each.numel() * each.element_size() for each in pair)

    def _outputs_of(self, piece: Piece) -> int:
        return sum(before.num_out for before in self.pieces[: self.pieces.index(piece)])


class Builder:
    """Makes a network's dense layers out of a loaded model's; `projections` are those that adapters may change."""

    def __init__(self, quantize: Quantize, model: PreTrainedModel) -> None:
        self.projections: list[Projection] = []
        self._make = KINDS[quantize]
        self._names = {module: name for name, module in model.named_modules()}

    def taken(self, layer: Layer) -> Projection:
        """One layer."""
        return self.joined(layer)

    def joined(self, *layers: Layer) -> Projection:
        """Layers that read the same input, as one."""
        weights = [_weight_of(layer) for layer in layers]
        weight = weights[0] if len(weights) == 1 else torch.cat(weights)
        pieces = [Piece(self._names[layer], *reversed(each.shape)) for layer, each in zip(layers, weights, strict=True)]
        projection = Projection(self._make(weight, _bias_of(layers, weight)), pieces, weight.device, weight.dtype)
        self.projections.append(projection)
        return projection

    def head(self, layer: Layer) -> Dense:
        """From the last block to the vocabulary: adapters leave it alone, because its weight may be the embedding's."""
        weight = _weight_of(layer)
        return self._make(weight, _bias_of([layer], weight))


def _weight_of(layer: Layer) -> torch.Tensor:
    """[out, in]; GPT-2 keeps its weights the other way round."""
    weight = layer.weight.detach()
    return weight.t() if isinstance(layer, Conv1D) else weight


def _bias_of(layers: Sequence[Layer], weight: torch.Tensor) -> torch.Tensor | None:
    if all(layer.bias is None for layer in layers):
        return None
    biases = [torch.zeros(len(_weight_of(layer))) if layer.bias is None else layer.bias.detach() for layer in layers]
    return torch.cat([bias.to(weight) for bias in biases])


def lay_over(adapter: Adapter, projections: Sequence[Projection]) -> None:
    """Gives a network's layers this adapter's updates. Raises `AdapterError` where they don't fit, and changes nothing.

    From then on rows of spans with its name are computed with it.
    """
    pieces = {piece.name: piece for projection in projections for piece in projection.pieces}
    for name, update in adapter.updates.items():
        if name not in pieces:
            raise AdapterError(f"the adapter {adapter.name} changes {name}, which is no dense layer inside a block")
        wanted = (pieces[name].num_in, pieces[name].num_out)
        if (found := (update.down.shape[1], len(update.up))) != wanted:
            raise AdapterError(
                f"the adapter {adapter.name} does not fit the model: {name} takes {wanted[0]} numbers and gives "
                f"{wanted[1]}, and its matrices are for {found[0]} and {found[1]}"
            )
    num_bytes = sum(projection.adapt(adapter.name, adapter.updates) for projection in projections)
    log.info(
        "adapter %s revision %s changes %d layers and takes %.1f MB",
        *(adapter.name, adapter.revision, len(adapter.updates), num_bytes / 1e6),
    )
