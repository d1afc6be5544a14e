"""A loaded masked language model with everything that others need to know about it.

Any model that transformers loads for masked language modelling, if it is an encoder with a fast tokenizer that has a
mask token. A checkpoint whose weights lack the head that predicts masked words is refused: transformers would make one
up, at random.
"""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, PreTrainedModel, PreTrainedTokenizerBase

from models.engine.checkpoint import CheckpointError, commit_of, hash_weights
from models.engine.encoder import encoder_context, load_encoder
from models.engine.masked.lexicon import Lexicon, UnknownPieces, read_lexicon
from models.engine.masked.reader import Reader

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MaskedCheckpoint:
    """What `load_masked` found. `context_tokens` counts the special tokens around a text too."""

    name: str
    revision: str
    model: PreTrainedModel = field(repr=False)
    reader: Reader = field(repr=False)
    lexicon: Lexicon = field(repr=False)
    device: torch.device
    dtype: torch.dtype
    context_tokens: int
    vocab_size: int
    mask_id: int
    pad_id: int

    @property
    def text_tokens(self) -> int:
        """How many tokens of text fit into the window."""
        return self.context_tokens - self.reader.num_around


def load_masked(
    source: str, revision: str | None = None, device: str = "auto", dtype: str = "auto"
) -> MaskedCheckpoint:
    """Loads weights and tokenizer from a folder or the hub.

    Raises `CheckpointError`, also for a model that is none of this kind, or `PlacementError` for a missing device.
    """
    loaded = load_encoder(AutoModelForMaskedLM, "masked language model", source, revision, device, dtype)
    model = loaded.model
    checkpoint = describe(source, loaded.folder, revision, model, loaded.tokenizer)
    log.info(
        "loaded the masked model %s revision %s on %s as %s: %.1f M parameters, %d tokens of context",
        *(checkpoint.name, checkpoint.revision, checkpoint.device, checkpoint.dtype),
        *(model.num_parameters() / 1e6, checkpoint.context_tokens),
    )
    return checkpoint


def describe(
    source: str,
    folder: Path | None,
    revision: str | None,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
) -> MaskedCheckpoint:
    """A checkpoint of parts that are in memory. Raises `CheckpointError` where they can't be used."""
    _check(source, model, tokenizer)
    vocab_size = int(model.get_input_embeddings().get_parameter("weight").shape[0])
    try:
        reader = Reader(tokenizer)
        lexicon = read_lexicon(reader.backend, vocab_size)
    except (UnknownPieces, ValueError) as error:
        raise CheckpointError(f"{source}: {error}") from error
    if len(tokenizer) > vocab_size:
        raise CheckpointError(f"{source}: its tokenizer has {len(tokenizer)} pieces, and its model {vocab_size}")
    if not lexicon.words:
        raise CheckpointError(f"{source}: its vocabulary has no whole word, so it has none to write")
    pad_id = tokenizer.pad_token_id
    return MaskedCheckpoint(
        name=folder.resolve().name if folder else source,
        revision=hash_weights(folder) if folder else commit_of(source, revision),
        model=model,
        reader=reader,
        lexicon=lexicon,
        device=model.device,
        dtype=model.dtype,
        context_tokens=encoder_context(model, tokenizer),
        vocab_size=vocab_size,
        mask_id=int(tokenizer.mask_token_id),
        pad_id=int(pad_id) if isinstance(pad_id, int) else 0,
    )


def _check(source: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    config: Any = model.config
    if getattr(config, "is_encoder_decoder", False) or getattr(config, "is_decoder", False):
        raise CheckpointError(f"{source} is a {config.model_type} that reads from left to right; wanted an encoder")
    if tokenizer.mask_token_id is None:
        raise CheckpointError(f"{source} is no masked language model: its tokenizer has no mask token")
    if not tokenizer.is_fast:
        raise CheckpointError(f"{source}: its tokenizer is not a fast one, so it can't say where words stand")
    if "attention_mask" not in inspect.signature(model.forward).parameters:
        raise CheckpointError(f"{source}: a {config.model_type} takes no attention mask, so texts can't share a batch")
