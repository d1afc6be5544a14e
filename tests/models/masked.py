"""Tiny masked models: random BERT, DistilBERT, RoBERTa and ModernBERT with vocabularies of their own, saved and loaded
as any checkpoint is; and one that is known to say after each word which comes next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)
from transformers.modeling_outputs import MaskedLMOutput

from models.engine.masked.checkpoint import MaskedCheckpoint, describe

CONTEXT = 64
WORDS = """the a an old young small big red blue grey cat dog dragon bird king queen girl boy sat ran slept sang on in
under over near hill house tree river and but or then it he she they was were had said warm cold quiet loud very so
slowly gently of gold silver to home with one two three night day""".split()
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]"]
BEFORE = "Once there was a king. "
MIDDLE = "The old dragon sat on the hill, and Anna ran home  with two cats…\n\n“The night was cold,” said Anna."
AFTER = " Then it was day."
KINDS = ("bert", "distilbert", "roberta", "modernbert")


def make(kind: str, folder: Path, seed: int = 1) -> Path:
    """A checkpoint of this kind with random weights."""
    torch.manual_seed(seed)
    tokenizer = wordpiece() if kind in ("bert", "distilbert") else byte_level(mask="<mask>")
    size = len(tokenizer)
    shape: dict[str, Any] = {"vocab_size": size, "initializer_range": 0.5, "pad_token_id": tokenizer.pad_token_id}
    layers: dict[str, Any] = {
        **shape,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    built: PreTrainedModel
    if kind == "bert":
        built = BertForMaskedLM(BertConfig(**layers, max_position_embeddings=CONTEXT))
    elif kind == "distilbert":
        config = DistilBertConfig(
            **shape, dim=32, hidden_dim=64, n_layers=2, n_heads=4, max_position_embeddings=CONTEXT
        )
        built = DistilBertForMaskedLM(config)
    elif kind == "roberta":
        places = CONTEXT + tokenizer.pad_token_id + 1  # RoBERTa counts from behind the padding's position
        built = RobertaForMaskedLM(RobertaConfig(**layers, max_position_embeddings=places))
    else:
        built = ModernBertForMaskedLM(ModernBertConfig(**layers, max_position_embeddings=CONTEXT))
    built.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def wordpiece(*, lowercase: bool = True, limit: int | None = None) -> PreTrainedTokenizerFast:
    """BERT's kind, with every letter as a piece too, so that other words take several."""
    letters = [chr(i) for i in range(ord("a"), ord("z") + 1)]
    capitals = [] if lowercase else [word.capitalize() for word in ("the", "then", "once", "anna", "it")]
    marks = list(".,;:!?…\"'“”‘’()-0123456789")
    pieces = dict.fromkeys(
        [*SPECIALS, *letters, *(f"##{x}" for x in letters), *marks, *WORDS, *capitals, "##s", "##ing"]
    )
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    ends = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    return _fast(tokenizer, limit, names)


def byte_level(*, mask: str | None = "<mask>", limit: int | None = None) -> PreTrainedTokenizerFast:
    """RoBERTa's kind: words with the space before them, and the same without where a line begins with them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    lines = [" ".join(WORDS), *WORDS, *(word.capitalize() for word in WORDS), " The It Then Anna Rome London,."]
    tokenizer.train_from_iterator(lines * 20, trainer)
    ends = [(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    names = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>"}
    fast = _fast(tokenizer, limit, names)
    if mask is not None:
        fast.add_special_tokens({"mask_token": AddedToken(mask, lstrip=True)})
    return fast


def _fast(tokenizer: Tokenizer, limit: int | None, names: Mapping[str, str]) -> PreTrainedTokenizerFast:
    more: dict[str, Any] = {f"{name}_token": token for name, token in names.items()}
    if limit is not None:
        more["model_max_length"] = limit
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **more)


class NextWordModel(PreTrainedModel):
    """At a mask it says what `table` has for the piece to its left, and gives everything else a little.

    A left neighbour that is not in the table, or masked itself, tells it nothing: then it says `unsure`, and is.
    """

    config_class = BertConfig

    def __init__(self, config: BertConfig, table: Mapping[int, int], unsure: int, by: float) -> None:
        super().__init__(config)
        self.embeddings = torch.nn.Embedding(config.vocab_size, 1)
        self.after = torch.full((config.vocab_size,), -1)
        for left, right in table.items():
            self.after[left] = right
        self.unsure = unsure
        self.by = by
        self.post_init()

    def get_input_embeddings(self) -> torch.nn.Module:
        return self.embeddings

    def get_output_embeddings(self) -> None:
        return None

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> MaskedLMOutput:
        assert attention_mask.shape == input_ids.shape
        left = torch.cat([input_ids[:, :1], input_ids[:, :-1]], 1)
        said = self.after[left]
        logits = torch.zeros((*input_ids.shape, self.config.vocab_size))
        sure = torch.where(said >= 0, 20.0, self.by)
        return MaskedLMOutput(logits=logits.scatter(2, said.where(said >= 0, self.unsure)[..., None], sure[..., None]))


def next_word(pairs: Mapping[str, str], unsure: str = "so", by: float = 3.0) -> MaskedCheckpoint:
    """A model over the WordPiece vocabulary that says `pairs`: after each key its value.

    Elsewhere it says `unsure`, which it scores higher than the rest `by` so much.
    """
    tokenizer = wordpiece()
    ids = tokenizer.get_vocab()
    config = BertConfig(vocab_size=len(tokenizer), max_position_embeddings=CONTEXT)
    model = NextWordModel(config, {ids[a]: ids[b] for a, b in pairs.items()}, ids[unsure], by).eval()
    # A folder's name and hash are of no interest here.
    return describe(str(Path("next-word")), Path(__file__).parent, None, model, tokenizer)
