"""Which models have a forward pass of our own, and why another has not."""

from __future__ import annotations

import torch

from models.engine import gpt2, llama
from models.engine.checkpoint import Checkpoint
from models.engine.gpu import fp8
from models.engine.linear import Quantize
from models.engine.network import Network


class NoNetwork(Exception):
    """The model is served by the generic path; the message says why, as the end of a sentence about it."""


def build_network(checkpoint: Checkpoint, quantize: Quantize = Quantize.NONE) -> Network:
    """The forward pass for this checkpoint. Raises `NoNetwork`; also where this quantisation can't be had."""
    if quantize is Quantize.INT8 and (checkpoint.device.type, checkpoint.dtype) != ("cpu", torch.float32):
        raise NoNetwork(f"int8 is for a CPU and float32, not for {checkpoint.device.type} and {checkpoint.dtype}")
    if quantize is Quantize.FP8:
        _require_none(fp8.unsupported(checkpoint.device, checkpoint.dtype))
    try:
        return _build(checkpoint, quantize)
    except fp8.Unaligned as reason:
        raise NoNetwork(str(reason)) from reason


def _build(checkpoint: Checkpoint, quantize: Quantize) -> Network:
    model, context = checkpoint.model, checkpoint.context_tokens
    kind = model.config.model_type
    with torch.inference_mode():
        if kind in llama.MODEL_TYPES:
            _require_none(llama.unsupported(model, context))
            return llama.LlamaNetwork(model, context, quantize)
        if kind in gpt2.MODEL_TYPES:
            _require_none(gpt2.unsupported(model, context))
            return gpt2.Gpt2Network(model, context, quantize)
    raise NoNetwork(f"its kind is {kind}")


def _require_none(reason: str | None) -> None:
    if reason is not None:
        raise NoNetwork(reason)
