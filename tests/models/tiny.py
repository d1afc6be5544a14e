"""Tiny random models with a byte-level BPE of their own, saved and loaded as any checkpoint is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from models.engine.checkpoint import Checkpoint
from models.engine.events import Delta, Event, RowFinished
from models.engine.interface import Engine
from models.engine.request import Request
from models.engine.story_format import StoryFormat

CONTEXT = 192
MARKERS = ["<|pad|>", "<|story|>", "<|text|>", "<|end|>", "<|hint|>"]
CORPUS = ["Once upon a time there was a dragon who lived on a hill of gold, and the dragon was lonely. 😀 龍"] * 4


def make_llama(folder: Path, *, pad: bool = True, **generation: Any) -> Path:
    """Two layers, grouped-query attention, tied weights; `generation` goes into its generation defaults."""
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=_save_tokenizer(folder, pad=pad),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.15,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=[3, 4],
        pad_token_id=0 if pad else None,
    )
    return _save(LlamaForCausalLM(config), folder, generation)


def make_gpt2(folder: Path, **generation: Any) -> Path:
    """Two layers of GPT-2's shape, without a pad token and without generation defaults."""
    torch.manual_seed(2)
    config = GPT2Config(
        vocab_size=_save_tokenizer(folder, pad=False),
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=CONTEXT,
        initializer_range=0.15,
        bos_token_id=1,
        eos_token_id=3,
    )
    return _save(GPT2LMHeadModel(config), folder, generation)


def _save(model: PreTrainedModel, folder: Path, generation: dict[str, Any]) -> Path:
    if generation:
        model.generation_config.update(**generation)
    model.save_pretrained(folder)
    StoryFormat().save(folder)
    return folder


def _save_tokenizer(folder: Path, *, pad: bool) -> int:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=MARKERS,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|story|>",
        eos_token="<|end|>",
        pad_token="<|pad|>" if pad else None,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    fast.save_pretrained(folder)
    return tokenizer.get_vocab_size()


def encode(checkpoint: Checkpoint, text: str) -> tuple[int, ...]:
    return tuple(checkpoint.tokenizer(text, add_special_tokens=False)["input_ids"])


@contextmanager
def forced(checkpoint: Checkpoint, script: Sequence[int]) -> Iterator[None]:
    """Makes the model draw `script`, one token a forward pass, whatever the row."""
    steps = iter(script)

    def push(_module: Any, _args: Any, logits: torch.Tensor) -> torch.Tensor:
        logits = logits.clone()
        logits[:, -1, next(steps)] += 1e4
        return logits

    handle = checkpoint.model.get_output_embeddings().register_forward_hook(push)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def counted(checkpoint: Checkpoint) -> Iterator[list[tuple[int, ...]]]:
    """The shapes [rows, tokens] of the ids that go through the model."""
    shapes: list[tuple[int, ...]] = []

    def note(_module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        shapes.append(tuple(kwargs["input_ids"].shape))

    handle = checkpoint.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield shapes
    finally:
        handle.remove()


def drain(engine: Engine, *requests: Request) -> list[Event]:
    """Adds the requests and steps until nothing is left to do."""
    for request in requests:
        engine.add(request)
    events: list[Event] = []
    while engine.has_work:
        events += engine.step()
    return events


def texts(events: Sequence[Event], request_id: str = "r") -> dict[int, str]:
    """The whole text of each row of a request."""
    rows = {e.index: "" for e in events if isinstance(e, RowFinished) and e.request_id == request_id}
    for event in events:
        if isinstance(event, Delta) and event.request_id == request_id:
            rows[event.index] += event.text
    return rows


def token_ids(events: Sequence[Event], index: int = 0) -> list[int]:
    return [i for e in events if isinstance(e, Delta) and e.index == index for i in e.token_ids]


def finished(events: Sequence[Event]) -> dict[int, RowFinished]:
    return {e.index: e for e in events if isinstance(e, RowFinished)}
