"""Which numbers a run multiplies in, and which its weights are saved in."""

from __future__ import annotations

import torch

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


def is_bf16_wanted(precision: str) -> bool:
    """Whether matrices are multiplied in bfloat16."""
    if precision == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return precision == "bfloat16"
