"""The forward pass of GPT-2 and GPT-Neo.

GPT-Neo keeps queries, keys and values apart and does not scale their scores; some of its layers look back over a
window only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn.functional import gelu, layer_norm
from transformers import PreTrainedModel
from transformers.activations import ACT2FN

from models.engine.attention import attend
from models.engine.linear import Quantize, kept_dtype
from models.engine.network import Batch, KeyValues, NetworkShape
from models.engine.projection import Builder, Projection
from models.engine.windows import needed, within

MODEL_TYPES = frozenset({"gpt2", "gpt_neo"})


def unsupported(model: PreTrainedModel, _context_tokens: int) -> str | None:
    """Why the model can't go this way, None where it can."""
    config = model.config
    if config.model_type == "gpt_neo":
        return None
    if not config.scale_attn_weights or config.scale_attn_by_inverse_layer_idx:
        return "its attention scores are scaled in an unusual way"
    if config.add_cross_attention:
        return "it attends to another model"
    return None


@dataclass(frozen=True)
class Norm:
    """A layer norm's weights."""

    weight: torch.Tensor
    bias: torch.Tensor
    eps: float

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


@dataclass(frozen=True)
class Layer:
    """One block's weights. `window`: see `windows.within`."""

    window: int | None
    attention_norm: Norm
    query_key_value: Projection
    output: Projection
    mlp_norm: Norm
    up: Projection
    down: Projection


class Gpt2Network:
    """See `network.Network`."""

    def __init__(self, model: PreTrainedModel, context_tokens: int, quantize: Quantize = Quantize.NONE) -> None:
        config, build = model.config, Builder(quantize, model)
        is_neo = config.model_type == "gpt_neo"
        body: Any = model.base_model
        self._tokens = body.wte.weight.detach()
        self._places = body.wpe.weight.detach()
        if is_neo:
            windows = _windows(config, context_tokens)
            self._layers = [_neo_layer(*each, build) for each in zip(body.h, windows, strict=True)]
        else:
            self._layers = [_layer(block, build) for block in body.h]
        self._scale = 1.0 if is_neo else None
        self._norm = _norm(body.ln_f)
        self._head = build.head(model.get_output_embeddings())
        self.projections = build.projections
        self._activation = _activation(config.activation_function)
        self.shape = NetworkShape(
            num_layers=len(self._layers),
            num_heads=int(config.num_attention_heads),
            num_kv_heads=int(config.num_attention_heads),
            head_dim=int(config.hidden_size) // int(config.num_attention_heads),
            vocab_size=int(self._tokens.shape[0]),
            device=self._tokens.device,
            dtype=kept_dtype(self._tokens.dtype, quantize),
        )

    def forward(self, batch: Batch, cache: list[KeyValues]) -> torch.Tensor:
        x = self._tokens[batch.ids] + self._places[batch.positions]
        views = {window: within(batch, window, self.shape.dtype) for window in {layer.window for layer in self._layers}}
        for layer, kept in zip(self._layers, cache, strict=True):
            parts = layer.query_key_value(layer.attention_norm(x), batch.spans).chunk(3, -1)
            query, key, value = (part.view(len(x), -1, self.shape.head_dim) for part in parts)
            seen = attend(query, key, value, kept, views[layer.window].segments, self._scale)
            x = x + layer.output(seen.reshape(len(x), -1), batch.spans)
            inner = self._activation(layer.up(layer.mlp_norm(x), batch.spans))
            x = x + layer.down(inner, batch.spans)
        hidden = self._norm(x[batch.wanted])
        return hidden if batch.wants_hidden else self.head(hidden)

    def head(self, hidden: torch.Tensor) -> torch.Tensor:
        return self._head(hidden)


def _activation(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """By its name in transformers; GPT-2's own is torch's too, in one pass over memory instead of eight."""
    found: Callable[[torch.Tensor], torch.Tensor] = ACT2FN[name]
    return partial(gelu, approximate="tanh") if name == "gelu_new" else found


def _windows(config: Any, context_tokens: int) -> list[int | None]:
    """How far back each of GPT-Neo's layers looks; None: as far as there is text."""
    window = needed(config.window_size, context_tokens)
    return [window if kind == "local" else None for kind in config.attention_layers]


def _layer(block: Any, build: Builder) -> Layer:
    return Layer(
        window=None,
        attention_norm=_norm(block.ln_1),
        query_key_value=build.taken(block.attn.c_attn),
        output=build.taken(block.attn.c_proj),
        mlp_norm=_norm(block.ln_2),
        up=build.taken(block.mlp.c_fc),
        down=build.taken(block.mlp.c_proj),
    )


def _neo_layer(block: Any, window: int | None, build: Builder) -> Layer:
    attention = block.attn.attention
    return Layer(
        window=window,
        attention_norm=_norm(block.ln_1),
        query_key_value=build.joined(attention.q_proj, attention.k_proj, attention.v_proj),
        output=build.taken(attention.out_proj),
        mlp_norm=_norm(block.ln_2),
        up=build.taken(block.mlp.c_fc),
        down=build.taken(block.mlp.c_proj),
    )


def _norm(module: Any) -> Norm:
    return Norm(module.weight.detach(), module.bias.detach(), float(module.eps))
