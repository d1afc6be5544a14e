"""Tiny classifiers with random weights and vocabularies of their own, saved and loaded as any checkpoint is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    LlamaConfig,
    LlamaForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)
from transformers.modeling_outputs import SequenceClassifierOutput

from models.engine.moderation.checkpoint import ClassifierCheckpoint, describe
from tests.models.masked import CONTEXT, byte_level, wordpiece

KINDS = ("bert", "distilbert", "roberta", "deberta", "modernbert", "llama")
SINGLE = ("neutral", "hate", "violence")
MULTI = ("hate", "violence", "sexual/minors")
TEXTS = (
    "The old dragon sat on the hill, and Anna ran home with two cats.",
    "It was cold.",
    "",
    "red blue grey gold silver night",
)


def make(
    kind: str,
    folder: Path,
    labels: Sequence[str] = SINGLE,
    problem: str | None = "single_label_classification",
    seed: int = 1,
) -> Path:
    """A checkpoint of this kind; its outputs spread widely, so that scores are near 0, near 1 and between."""
    torch.manual_seed(seed)
    tokenizer = wordpiece() if kind in ("bert", "distilbert") else byte_level()
    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "initializer_range": 0.5,
        "pad_token_id": tokenizer.pad_token_id,
        "id2label": dict(enumerate(labels)),
        "label2id": {name: place for place, name in enumerate(labels)},
        "problem_type": problem,
    }
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    built: PreTrainedModel
    if kind == "bert":
        built = BertForSequenceClassification(BertConfig(**shape, **layers, max_position_embeddings=CONTEXT))
    elif kind == "distilbert":
        config = DistilBertConfig(
            **shape, dim=32, hidden_dim=64, n_layers=2, n_heads=4, max_position_embeddings=CONTEXT
        )
        built = DistilBertForSequenceClassification(config)
    elif kind == "roberta":
        places = CONTEXT + tokenizer.pad_token_id + 1  # RoBERTa counts from behind the padding's position
        built = RobertaForSequenceClassification(RobertaConfig(**shape, **layers, max_position_embeddings=places))
    elif kind == "deberta":
        built = DebertaV2ForSequenceClassification(
            DebertaV2Config(**shape, **layers, max_position_embeddings=CONTEXT, relative_attention=True)
        )
    elif kind == "modernbert":
        built = ModernBertForSequenceClassification(
            ModernBertConfig(**shape, **layers, max_position_embeddings=CONTEXT)
        )
    else:
        built = LlamaForSequenceClassification(LlamaConfig(**shape, **layers, max_position_embeddings=CONTEXT))
    built.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


class KeywordModel(PreTrainedModel):
    """Label i is near 1 where the piece `wanted[i]` stands in the window, and near 0 elsewhere."""

    config_class = BertConfig

    def __init__(self, config: BertConfig, wanted: Sequence[int]) -> None:
        super().__init__(config)
        self.embeddings = torch.nn.Embedding(config.vocab_size, 1)
        self.wanted = wanted
        self.read: list[list[int]] = []
        self.post_init()

    def get_input_embeddings(self) -> torch.nn.Module:
        return self.embeddings

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SequenceClassifierOutput:
        self.read.append(attention_mask.sum(-1).tolist())
        there = [((input_ids == piece) & (attention_mask == 1)).any(-1) for piece in self.wanted]
        return SequenceClassifierOutput(logits=torch.stack(there, -1).float() * 20 - 10)


def keyword(words: Sequence[str] = ("dragon", "cold")) -> ClassifierCheckpoint:
    """A classifier that is known: each label is a word, and says whether it is there."""
    tokenizer = wordpiece()
    config = BertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=CONTEXT,
        pad_token_id=tokenizer.pad_token_id,
        id2label=dict(enumerate(words)),
        label2id={word: place for place, word in enumerate(words)},
        problem_type="multi_label_classification",
    )
    model = KeywordModel(config, [tokenizer.convert_tokens_to_ids(word) for word in words]).eval()
    # A folder's name and hash are of no interest here.
    return describe(str(Path("keyword")), Path(__file__).parent, None, model, tokenizer)
