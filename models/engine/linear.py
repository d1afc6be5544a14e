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


MANY_ROWS = 128
"""From here on the multiplications of `Int8Linear` weigh more than reading its weights."""


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
    same company. For CPUs, through torch's dynamically quantised linear: fbgemm's for few rows, which is what decoding
    has. Where the processor multiplies tiles (AMX), oneDNN's reads prompts about twice as fast, so that the weights are
    kept in its layout as well.

    An x86 processor without VNNI adds pairs of products in 16 bits, which overflow: there the inputs are rounded to 7
    bits (torch's `reduce_range`), which costs less than the overflow would.
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        weight = weight.detach().float()
        scales = weight.abs().amax(1).clamp_min(1e-8).double() / 127
        zeros = torch.zeros(len(weight), dtype=torch.long)
        with warnings.catch_warnings():
            # Deprecated in favour of torchao, whose kernels on a CPU are no faster; the operator itself is not.
            warnings.simplefilter("ignore")
            rounded = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        bias = None if bias is None else bias.float()
        self._is_range_reduced = not has_wide_sums()
        self._few = _prepacked(rounded, bias, "x86")
        self._many = _prepacked(rounded, bias, "onednn") if has_tiles() else self._few

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        packed = self._few if len(x) < MANY_ROWS else self._many
        answer: torch.Tensor = torch.ops.quantized.linear_dynamic(x, packed, self._is_range_reduced)
        return answer


def _prepacked(rounded: torch.Tensor, bias: torch.Tensor | None, engine: str) -> Any:
    """torch picks the library by a global setting at this moment; what is packed remembers it."""
    if engine not in torch.backends.quantized.supported_engines:
        return torch.ops.quantized.linear_prepack(rounded, bias)
    before = torch.backends.quantized.engine
    torch.backends.quantized.engine = engine
    try:
        return torch.ops.quantized.linear_prepack(rounded, bias)
    finally:
        torch.backends.quantized.engine = before


def has_wide_sums() -> bool:
    """Whether this processor adds products of 8 bits in 32 bits at once; x86 does from VNNI on."""
    found = torch.cpu.get_capabilities()
    is_x86 = found.get("architecture") in {"x86_64", "AMD64", "i386"}
    return not is_x86 or any(bool(found.get(name)) for name in ("avx512_vnni", "avx_vnni", "amx_int8"))


def has_tiles() -> bool:
    """Whether this processor multiplies tiles of 8 and 16 bits, and torch has a library that uses them."""
    found = torch.cpu.get_capabilities()
    return "onednn" in torch.backends.quantized.supported_engines and bool(
        found.get("amx_int8") and found.get("amx_bf16")
    )


def kept_dtype(dtype: torch.dtype, quantize: Quantize) -> torch.dtype:
    """What keys and values are kept in: as exact as the rest, and no more exact where that takes longer to read."""
    return torch.bfloat16 if quantize is Quantize.INT8 and has_tiles() else dtype


KINDS: dict[Quantize, Callable[..., Dense]] = {
    Quantize.NONE: Linear,
    Quantize.INT8: Int8Linear,
    Quantize.FP8: Fp8Linear,
}
