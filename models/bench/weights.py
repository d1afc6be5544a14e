"""The folder of weights that everyone who is measured loads, or converts to a format of their own."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from models.bench.shapes import BUNDLED, MAX_CONTEXT, SHAPES, stretch_tokenizer
from models.bench.workloads import FIRST_ID

STAMP = "bench.json"
NUM_PROOFS = 8
PROOF_TOKENS = 16


@dataclass(frozen=True)
class Weights:
    """Where they are, and what a roofline must know of them.

    `body_params` are multiplied for every token, `head_params` for every token whose logits are wanted; `layers_width`
    is the width of the queries times the number of layers; `bytes_per_column` are those of one token's keys and values
    in float32, over all layers. `proofs` are prompts, each with its likeliest next token.
    """

    name: str
    folder: Path
    vocab_size: int
    context_tokens: int
    body_params: int
    head_params: int
    layers_width: int
    bytes_per_column: int
    proofs: tuple[tuple[tuple[int, ...], int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "folder": str(self.folder)}


def make_weights(name: str, bundled: Path, cache: Path) -> Weights:
    """The weights of this name in a folder under `cache`, made anew where they are not there as they should be."""
    folder = cache / "weights" / name
    key = _key(name, bundled)
    stamp = folder / STAMP
    if stamp.exists():
        said = json.loads(stamp.read_text(encoding="utf-8"))
        if said.pop("key") == key:
            proofs = tuple((tuple(prompt), token) for prompt, token in said["proofs"])
            return Weights(**{**said, "folder": folder, "proofs": proofs})
    shutil.rmtree(folder, ignore_errors=True)
    weights = _write(name, bundled, folder)
    stamp.write_text(json.dumps({**weights.to_json(), "key": key}, indent=2) + "\n", encoding="utf-8")
    return weights


def convert(weights: Weights, peer: str, key: str, export: Callable[[Path, Path], None]) -> Path:
    """The folder with a peer's own format of them, which `export` writes unless it is there with the same key."""
    folder = weights.folder / peer
    stamp = folder / STAMP
    if not (stamp.exists() and stamp.read_text(encoding="utf-8") == key):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        export(weights.folder, folder)
        stamp.write_text(key, encoding="utf-8")
    return folder


def _key(name: str, bundled: Path) -> str:
    """Changes with whatever the weights are made from."""
    digest = hashlib.sha256(f"2 {name} {torch.__version__} {transformers.__version__}".encode())
    for path in sorted(bundled.glob("*.json")) + sorted(bundled.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _write(name: str, bundled: Path, folder: Path) -> Weights:
    tokenizer = AutoTokenizer.from_pretrained(bundled)
    if name == BUNDLED:
        model = AutoModelForCausalLM.from_pretrained(bundled, dtype=torch.float32).eval()
    else:
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(SHAPES[name](), dtype=torch.float32).eval()
    weights = replace(describe(name, model), folder=folder, proofs=prove(model))
    # No token may end a text: every candidate is to have the length that was asked for.
    for config in (model.config, model.generation_config):
        config.eos_token_id = config.bos_token_id = config.pad_token_id = None
    model.save_pretrained(folder)
    stretch_tokenizer(tokenizer, weights.vocab_size, weights.context_tokens).save_pretrained(folder)
    return weights


@torch.inference_mode()
def prove(model: PreTrainedModel) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Prompts of random tokens with what the model would write behind them."""
    vocab_size = model.get_input_embeddings().get_parameter("weight").shape[0]
    generator = torch.Generator().manual_seed(7)
    prompts = torch.randint(FIRST_ID, vocab_size, (NUM_PROOFS, PROOF_TOKENS), generator=generator)
    likeliest = model(prompts).logits[:, -1].argmax(-1)
    return tuple((tuple(prompt), token) for prompt, token in zip(prompts.tolist(), likeliest.tolist(), strict=True))


def describe(name: str, model: PreTrainedModel) -> Weights:
    """What `Weights` says of a model, without a folder."""
    config = model.config
    head = model.get_output_embeddings().get_parameter("weight")
    embeddings = {
        id(module.weight): module.weight.numel() for module in model.modules() if isinstance(module, nn.Embedding)
    }
    total = sum(parameter.numel() for parameter in model.parameters())
    not_body = sum(embeddings.values()) + (0 if id(head) in embeddings else head.numel())
    heads = config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    return Weights(
        name=name,
        folder=Path(),
        vocab_size=head.shape[0],
        context_tokens=min(int(config.max_position_embeddings), MAX_CONTEXT),
        body_params=total - not_body,
        head_params=head.numel(),
        layers_width=config.num_hidden_layers * heads * head_dim,
        bytes_per_column=2 * config.num_hidden_layers * kv_heads * head_dim * 4,
    )
