"""A dense layer, its weights laid out once for the machine that runs it."""

from __future__ import annotations

import torch
from torch.nn.functional import linear

_PACKED_FOR_ROWS = 8
"""oneDNN lays weights out for a number of rows. Few is what decoding has; prefill loses next to nothing by it."""


class Linear:
    """``x @ weight.T + bias``; `weight` is [out, in].

    On a CPU in float32 the weights are packed by oneDNN, which takes a copy of them and gives the same numbers sooner.
    Other devices and types use them as they are.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        self._bias = bias
        self._is_packed = weight.device.type == "cpu" and weight.dtype == torch.float32 and torch._C._has_mkldnn
        weight = weight.detach().contiguous()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _PACKED_FOR_ROWS) if self._is_packed else weight

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if not self._is_packed:
            return linear(x, self._weight, self._bias)
        packed: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
        return packed


def joined(*layers: torch.nn.Linear) -> Linear:
    """Layers that read the same input, as one: their outputs stand side by side."""
    biases = [layer.bias for layer in layers]
    weight = torch.cat([layer.weight.detach() for layer in layers])
    if all(bias is None for bias in biases):
        return Linear(weight)
    whole = [torch.zeros(layer.out_features) if layer.bias is None else layer.bias.detach() for layer in layers]
    return Linear(weight, torch.cat([bias.to(weight) for bias in whole]))


def taken(layer: torch.nn.Linear) -> Linear:
    """One layer of a loaded model."""
    return Linear(layer.weight, None if layer.bias is None else layer.bias.detach())
