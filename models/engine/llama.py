"""The forward pass of the Llama family: Llama, Mistral, Qwen2, Qwen3, SmolLM and whatever has their shape.

Weights come out of the model that transformers loaded. What is read off the modules (biases, norms of queries and
keys, tied or untied heads) needs no case here; what this forward does not know is refused by `unsupported`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import rms_norm, silu
from transformers import PreTrainedModel

from models.engine.attention import attend
from models.engine.linear import Quantize, kept_dtype
from models.engine.network import Batch, KeyValues, NetworkShape
from models.engine.projection import Builder, Projection
from models.engine.windows import needed, within

MODEL_TYPES = frozenset({"llama", "mistral", "qwen2", "qwen3"})
_FIXED_ROPES = frozenset({"default", "linear", "llama3", "yarn"})
"""Rotary embeddings whose frequencies do not depend on the length of the text."""


_LAYER_KINDS = frozenset({"full_attention", "sliding_attention"})


def unsupported(model: PreTrainedModel, _context_tokens: int) -> str | None:
    """Why the model can't go this way, None where it can."""
    config = model.config
    if others := sorted(set(_layer_kinds(config)) - _LAYER_KINDS):
        return f"it has layers of {others[0]}"
    if getattr(config, "hidden_act", "silu") != "silu":
        return f"its activation is {config.hidden_act}"
    rope: Any = model.get_decoder().rotary_emb
    kind = getattr(rope, "rope_type", "default")
    if kind not in _FIXED_ROPES:
        return f"its rotary embedding is {kind}"
    if rope.inv_freq.numel() * 2 != _head_dim(config):
        return "its rotary embedding turns only a part of each head"
    return None


def _layer_kinds(config: Any) -> list[str]:
    """Qwen names a kind for each layer; in Mistral all layers have a window, or none has."""
    if config.model_type == "mistral":
        kind = "full_attention" if config.sliding_window is None else "sliding_attention"
        return [kind] * int(config.num_hidden_layers)
    return list(getattr(config, "layer_types", None) or ["full_attention"] * int(config.num_hidden_layers))


def _windows(config: Any, context_tokens: int) -> list[int | None]:
    """How far back each layer looks; None: as far as there is text."""
    window = needed(getattr(config, "sliding_window", None), context_tokens)
    return [window if kind == "sliding_attention" else None for kind in _layer_kinds(config)]


def _head_dim(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


@dataclass(frozen=True)
class Layer:
    """One block's weights; the norms of queries and keys are Qwen3's. `window`: see `windows.within`."""

    window: int | None
    attention_norm: torch.Tensor
    query_key_value: Projection
    query_norm: torch.Tensor | None
    key_norm: torch.Tensor | None
    output: Projection
    mlp_norm: torch.Tensor
    gate_up: Projection
    down: Projection


class LlamaNetwork:
    """See `network.Network`."""

    def __init__(self, model: PreTrainedModel, context_tokens: int, quantize: Quantize = Quantize.NONE) -> None:
        config, decoder, build = model.config, model.get_decoder(), Builder(quantize, model)
        self._embedding = decoder.embed_tokens.weight.detach()
        self._eps = float(config.rms_norm_eps)
        windows = _windows(config, context_tokens)
        self._layers = [_layer(*each, build) for each in zip(decoder.layers, windows, strict=True)]
        self._norm = decoder.norm.weight.detach()
        self._head = build.head(model.get_output_embeddings())
        self.projections = build.projections
        self._cos, self._sin = rotary_table(decoder.rotary_emb, context_tokens, self._embedding.dtype)
        self.shape = NetworkShape(
            num_layers=len(self._layers),
            num_heads=int(config.num_attention_heads),
            num_kv_heads=int(config.num_key_value_heads),
            head_dim=_head_dim(config),
            vocab_size=int(self._embedding.shape[0]),
            device=self._embedding.device,
            dtype=kept_dtype(self._embedding.dtype, quantize),
        )

    def forward(self, batch: Batch, cache: list[KeyValues]) -> torch.Tensor:
        x = self._embedding[batch.ids]
        turn = (self._cos[batch.positions][:, None], self._sin[batch.positions][:, None])
        views = {window: within(batch, window, self.shape.dtype) for window in {layer.window for layer in self._layers}}
        for layer, kept in zip(self._layers, cache, strict=True):
            normed = self._normed(x, layer.attention_norm)
            x = x + self._attention(layer, normed, turn, views[layer.window], kept)
            gate, up = layer.gate_up(self._normed(x, layer.mlp_norm), batch.spans).chunk(2, -1)
            x = x + layer.down(silu(gate) * up, batch.spans)
        hidden = self._normed(x[batch.wanted], self._norm)
        return hidden if batch.wants_hidden else self.head(hidden)

    def head(self, hidden: torch.Tensor) -> torch.Tensor:
        return self._head(hidden)

    def _attention(
        self, layer: Layer, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor], batch: Batch, kept: KeyValues
    ) -> torch.Tensor:
        shape = self.shape
        heads = layer.query_key_value(x, batch.spans).view(len(x), -1, shape.head_dim)
        query_key, value = torch.split(heads, [shape.num_heads + shape.num_kv_heads, shape.num_kv_heads], 1)
        if layer.query_norm is not None and layer.key_norm is not None:
            query, key = torch.split(query_key, [shape.num_heads, shape.num_kv_heads], 1)
            query_key = torch.cat((self._normed(query, layer.query_norm), self._normed(key, layer.key_norm)), 1)
        query, key = torch.split(rotated(query_key, *turn), [shape.num_heads, shape.num_kv_heads], 1)
        seen = attend(query, key, value, kept, batch.segments)
        return layer.output(seen.reshape(len(x), -1), batch.spans)

    def _normed(self, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return rms_norm(x, weight.shape, weight, self._eps)


def rotary_table(rope: Any, num_positions: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines [positions, head_dim] of the model's own frequencies, scaling included; see `rotated`."""
    positions = torch.arange(num_positions, device=rope.inv_freq.device, dtype=torch.float32)
    angles = torch.outer(positions, rope.inv_freq.float())
    scaling = float(rope.attention_scaling)
    cos, sin = angles.cos() * scaling, angles.sin() * scaling
    return torch.cat((cos, cos), -1).to(dtype), torch.cat((-sin, sin), -1).to(dtype)


def rotated(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """`x` [rows, heads, head_dim] turned by its position: halves are pairs, as in transformers' Llama.

    The first half of `sin` is negative, since it meets the second half of `x`.
    """
    first, second = x.chunk(2, -1)
    return torch.addcmul(x * cos, torch.cat((second, first), -1), sin)


def _layer(block: Any, window: int | None, build: Builder) -> Layer:
    attention, mlp = block.self_attn, block.mlp
    norms = [getattr(attention, name, None) for name in ("q_norm", "k_norm")]
    return Layer(
        window=window,
        attention_norm=block.input_layernorm.weight.detach(),
        query_key_value=build.joined(attention.q_proj, attention.k_proj, attention.v_proj),
        query_norm=None if norms[0] is None else norms[0].weight.detach(),
        key_norm=None if norms[1] is None else norms[1].weight.detach(),
        output=build.taken(attention.o_proj),
        mlp_norm=block.post_attention_layernorm.weight.detach(),
        gate_up=build.joined(mlp.gate_proj, mlp.up_proj),
        down=build.taken(mlp.down_proj),
    )
