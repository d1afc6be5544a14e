"""Dense layers whose weights are kept in 8-bit floats (e4m3), for GPUs that multiply them.

Every output has a scale, and every row of the input gets one as it comes, so that the largest number of each becomes
the largest that the format holds, 448. Products of 8 bits are summed in 32, and the sum is scaled back. e4m3 keeps four
significant bits, so a number is rounded by at most a 16th of itself; a product of random numbers is about 4 % off.
"""

from __future__ import annotations

import torch
from torch.nn.functional import ScalingType, pad, scaled_mm

LARGEST = 448.0
CAPABILITY = (8, 9)
_ALIGNED = 16
"""The kernels want both sides of a weight to be multiples of so many."""


def unsupported(device: torch.device, dtype: torch.dtype) -> str | None:
    """Why 8-bit floats can't be had, as the end of a sentence; None where they can."""
    if device.type != "cuda":
        return f"fp8 is for CUDA, not for {device.type}"
    if dtype != torch.bfloat16:
        return f"fp8 goes with bfloat16, not with {dtype}"
    if (found := torch.cuda.get_device_capability(device)) < CAPABILITY:
        return (
            f"fp8 needs a GPU of compute capability 8.9 (Ada, Hopper or later), and this one has {found[0]}.{found[1]}"
        )
    return None


def rounded(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`x` [rows, in] in e4m3, and what each row is to be multiplied by [rows, 1], in float32."""
    x = x.float()
    scale = (x.abs().amax(-1, keepdim=True) / LARGEST).clamp_min(1e-12)
    return (x / scale).clamp(-LARGEST, LARGEST).to(torch.float8_e4m3fn), scale


class Unaligned(ValueError):
    """The kernels can't take a layer of this size."""


class Fp8Linear:
    """See `linear.Dense`; the answer is in bfloat16. Raises `Unaligned` where the inputs are no multiple of 16."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        self._num_outputs, num_inputs = weight.shape
        if num_inputs % _ALIGNED:
            raise Unaligned(f"fp8 wants layers with a multiple of {_ALIGNED} inputs, not with {num_inputs}")
        self._bias = bias
        whole = pad(weight.detach(), (0, 0, 0, -self._num_outputs % _ALIGNED))
        numbers, scale = rounded(whole)
        self._weight = numbers.t()  # [in, out], its columns in one piece
        self._scale = scale.t().contiguous()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        numbers, scale = rounded(x)
        answer = self._product(numbers, scale)[:, : self._num_outputs]
        return answer if self._bias is None else answer + self._bias

    def _product(self, numbers: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        by_row = ScalingType.RowWise
        return scaled_mm(numbers, self._weight, scale, by_row, self._scale, by_row, output_dtype=torch.bfloat16)
