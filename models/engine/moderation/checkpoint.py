"""A loaded classifier with everything that others need to know about it.

Any model that transformers loads for sequence classification, if it has a fast tokenizer. Whether its classes exclude
each other (softmax) or stand each for itself (sigmoid) is what its config says, read as transformers' own pipeline
reads it. A checkpoint whose weights lack the head that classifies is refused: transformers would make one up, at
random.
"""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerBase

from models.engine.checkpoint import CheckpointError, commit_of, hash_weights
from models.engine.encoder import encoder_context, load_encoder
from models.engine.masked.reader import Reader
from models.engine.moderation.labels import LabelError, Labels, Naming, read_labels
from models.engine.moderation.windows import windows_of

log = logging.getLogger(__name__)

MAX_WINDOW_TOKENS = 512
"""More than this is never read at once, whatever the model could: other requests wait while it lasts."""


class Head(StrEnum):
    """How a model's outputs become scores: of one class among all, or of each for itself."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


@dataclass(frozen=True)
class ClassifierCheckpoint:
    """What `load_classifier` found. `context_tokens` counts the special tokens around a text too.

    Without `can_share` a text is read alone: the model has no token for filling shorter ones up.
    """

    name: str
    revision: str
    model: PreTrainedModel = field(repr=False)
    reader: Reader = field(repr=False)
    labels: Labels
    head: Head
    device: torch.device
    dtype: torch.dtype
    context_tokens: int
    pad_id: int
    can_share: bool

    def windows(self, text: str) -> tuple[tuple[int, ...], ...]:
        """The ids that the model reads of a text, special tokens included. May be called from any thread."""
        before, after = self.reader.before, self.reader.after
        inner = windows_of(self.reader.read(text).ids, self.context_tokens - self.reader.num_around)
        return tuple((*before, *ids, *after) for ids in inner)


def load_classifier(
    source: str,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    naming: Naming | None = None,
) -> ClassifierCheckpoint:
    """Loads weights and tokenizer from a folder or the hub; `naming` says what labels mean.

    Raises `CheckpointError`, also for a model that is none of this kind, or `PlacementError` for a missing device.
    """
    loaded = load_encoder(AutoModelForSequenceClassification, "text classifier", source, revision, device, dtype)
    model = loaded.model
    model.config.use_cache = False  # a text is read once; models that write would keep what they read
    checkpoint = describe(source, loaded.folder, revision, model, loaded.tokenizer, naming)
    _tell(checkpoint)
    return checkpoint


def describe(
    source: str,
    folder: Path | None,
    revision: str | None,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    naming: Naming | None = None,
) -> ClassifierCheckpoint:
    """A checkpoint of parts that are in memory. Raises `CheckpointError` where they can't be used."""
    _check(source, model, tokenizer)
    config: Any = model.config
    try:
        reader = Reader(tokenizer)
        labels = read_labels(config.id2label, naming)
    except LabelError as error:
        raise CheckpointError(f"the labels of {source}: {error}") from error
    except ValueError as error:
        raise CheckpointError(f"{source}: {error}") from error
    context = min(encoder_context(model, tokenizer), MAX_WINDOW_TOKENS)
    if context <= reader.num_around:
        raise CheckpointError(f"{source} reads {context} tokens at a time, which leaves no room for text")
    pad_id = config.get_text_config().pad_token_id
    return ClassifierCheckpoint(
        name=folder.resolve().name if folder else source,
        revision=hash_weights(folder) if folder else commit_of(source, revision),
        model=model,
        reader=reader,
        labels=labels,
        head=_head(source, config),
        device=model.device,
        dtype=model.dtype,
        context_tokens=context,
        pad_id=pad_id if isinstance(pad_id, int) else 0,
        can_share=isinstance(pad_id, int),
    )


def _check(source: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    kind = model.config.model_type
    if not tokenizer.is_fast:
        raise CheckpointError(f"{source}: its tokenizer is not a fast one, so a long text can't be cut into windows")
    if "attention_mask" not in inspect.signature(model.forward).parameters:
        raise CheckpointError(f"{source}: a {kind} takes no attention mask, so texts can't share a batch")
    if any(tokenizer("a").get("token_type_ids", [])):
        raise CheckpointError(
            f"{source}: a {kind} marks the parts of a text with numbers of its own; none are given here"
        )
    vocab_size = int(model.get_input_embeddings().get_parameter("weight").shape[0])
    if len(tokenizer) > vocab_size:
        raise CheckpointError(f"{source}: its tokenizer has {len(tokenizer)} pieces, and its model {vocab_size}")


def _head(source: str, config: Any) -> Head:
    """As transformers' TextClassificationPipeline chooses. What it would give for a regression is no probability."""
    if config.problem_type == "regression":
        raise CheckpointError(f"{source} is a regression: it measures something, and has no classes")
    is_each = config.problem_type == "multi_label_classification" or config.num_labels == 1
    return Head.SIGMOID if is_each else Head.SOFTMAX


def _tell(checkpoint: ClassifierCheckpoint) -> None:
    labels = checkpoint.labels
    log.info(
        "loaded the moderation model %s revision %s on %s as %s: %.1f M parameters, windows of %d tokens, %s",
        *(checkpoint.name, checkpoint.revision, checkpoint.device, checkpoint.dtype),
        *(checkpoint.model.num_parameters() / 1e6, checkpoint.context_tokens, checkpoint.head),
    )
    log.info("categories: %s; no category: %s", ", ".join(labels.categories), ", ".join(labels.left_out) or "none")
    if checkpoint.head is Head.SOFTMAX and not labels.left_out:
        log.warning(
            "%s puts every text into one of its categories, since none of its labels means that nothing was found",
            checkpoint.name,
        )
