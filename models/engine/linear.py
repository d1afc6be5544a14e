"""A dense layer, its weights laid out once for the machine that runs it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import torch
from torch.nn.functional import linear

from models.engine.gpu.fp8 import Fp8Linear

Dense = Callable[[torch.Tensor], torch.Tensor]
"""``x @ weight.T + bias`` for `x` [rows, in], with `weight` [out, in]."""

_PACKED_FOR_ROWS = 8
"""oneDNN lays weights out for a number of rows. Few is what decoding has; prefill loses next to nothing by it."""


class Quantize(StrEnum):
    """What the weights of dense layers are kept in: as the checkpoint has them, or in 8 bits on a CPU or a GPU."""

    NONE = "none"
    INT8 = "int8"
    FP8 = "fp8"


class Linear:
    """In the weights' own numbers.

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


class Int8Linear:
    """Weights in 8 bits with a scale per output; inputs are rounded to 8 bits too, with one scale for the whole batch.

    That scale makes a row depend, in its last bits, on the rows beside it: a seed gives the same text again only in the
    same company. For CPUs, through torch's dynamically quantised linear (fbgemm or oneDNN, whichever torch has).
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        weight = weight.detach().float()
        scales = weight.abs().amax(1).clamp_min(1e-8).double() / 127
        zeros = torch.zeros(len(weight), dtype=torch.long)
        with warnings.catch_warnings():
            # Deprecated in favour of torchao, whose kernels on a CPU are no faster; the operator itself is not.
            warnings.simplefilter("ignore")
            rounded = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        self._packed: Any = torch.ops.quantized.linear_prepack(rounded, None if bias is None else bias.float())

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = torch.ops.quantized.linear_dynamic(x, self._packed, False)
        return answer


KINDS: dict[Quantize, Callable[..., Dense]] = {
    Quantize.NONE: Linear,
    Quantize.INT8: Int8Linear,
    Quantize.FP8: Fp8Linear,
}


class Builder:
    """Makes a network's dense layers out of a loaded model's."""

    def __init__(self, quantize: Quantize) -> None:
        self.make = KINDS[quantize]

    def taken(self, layer: torch.nn.Linear) -> Dense:
        """One layer."""
        return self.make(layer.weight, None if layer.bias is None else layer.bias.detach())

    def joined(self, *layers: torch.nn.Linear) -> Dense:
        """Layers that read the same input, as one: their outputs stand side by side."""
        biases = [layer.bias for layer in layers]
        weight = torch.cat([layer.weight.detach() for layer in layers])
        if all(bias is None for bias in biases):
            return self.make(weight)
        whole = [torch.zeros(layer.out_features) if layer.bias is None else layer.bias.detach() for layer in layers]
        return self.make(weight, torch.cat([bias.to(weight) for bias in whole]))
