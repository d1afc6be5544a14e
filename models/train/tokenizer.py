"""A byte-level BPE of the run's own, with the story format's markers as special tokens."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from models.engine.story_format import StoryFormat

PAD = "<|pad|>"


def train_tokenizer(texts: Iterable[str], vocab_size: int, fmt: StoryFormat) -> Tokenizer:
    """Learns merges from `texts`; the markers never take part in a merge."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, *fmt.special_tokens],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def extend_tokenizer(source: str, fmt: StoryFormat) -> Tokenizer:
    """The tokenizer of a checkpoint, with those of the format's markers that it lacks."""
    fast = AutoTokenizer.from_pretrained(source)
    fast.add_special_tokens(
        {
            "additional_special_tokens": [
                m for m in fmt.special_tokens if fast.convert_tokens_to_ids(m) in {None, fast.unk_token_id}
            ]
        }
    )
    return fast.backend_tokenizer


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a token that must be in the vocabulary; raises `KeyError` with its name."""
    found = tokenizer.token_to_id(token)
    if found is None:
        raise KeyError(f"the tokenizer has no {token}")
    return found


def save_tokenizer(tokenizer: Tokenizer, fmt: StoryFormat, context: int, folder: Path) -> None:
    """Writes the files that transformers loads; generation ends at the end of a passage."""
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=fmt.start,
        eos_token=fmt.passage_end,
        pad_token=PAD,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    fast.save_pretrained(folder)
