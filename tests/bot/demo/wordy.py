"""A tiny model that writes random words in short sentences: enough to be voted on, made in a moment."""

from __future__ import annotations

import json
import string
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONTEXT = 1024
MARKERS = ["<|pad|>", "<|story|>", "<|title|>", "<|premise|>", "<|text|>", "<|end|>", "<|hint|>"]
FORMAT = {
    "version": 1,
    "start": "<|story|>",
    "title": "<|title|>{text}",
    "premise": "<|premise|>{text}",
    "body": "<|text|>",
    "passage_end": "<|end|>",
    "hint": "<|hint|>{text}<|text|>",
}
WORDS = """lantern village river dragon hill gold winter summer garden mouse baker door window song bridge letter crow
fox stone tower apple bread candle mirror forest path boat island storm star moon cloud shepherd queen miller brother
sister teacher clock basket feather thread needle button coat shoe wheel cart horse donkey goose hen egg nest branch
root leaf seed flower honey bee kettle spoon table chair blanket pillow ladder rope anchor sail wave shell pearl sand
walked sang found carried opened whispered remembered followed painted borrowed mended gathered""".split()


def make_wordy(folder: Path) -> Path:
    """Saves it as any checkpoint is saved. Its weights are small, so every token is about as likely as any other."""
    tokenizer = _tokenizer()
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=CONTEXT,
        initializer_range=0.02,
        tie_word_embeddings=True,
        bos_token_id=MARKERS.index("<|story|>"),
        eos_token_id=MARKERS.index("<|end|>"),
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|story|>",
        eos_token="<|end|>",
        pad_token="<|pad|>",
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)
    (folder / "story_format.json").write_text(json.dumps(FORMAT))
    return folder


def _tokenizer() -> Tokenizer:
    """Whole words, some of them at a sentence's end or beginning, and single letters for whatever people type."""
    words = [f"▁{form}" for word in WORDS for form in (word, word, f"{word}.", word.capitalize())]
    letters = [*string.ascii_letters, *string.digits, *string.punctuation, "▁"]
    pieces = list(dict.fromkeys([*MARKERS, *words, *letters]))
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0 * len(piece) ** -1) for piece in pieces], unk_id=0))
    tokenizer.add_special_tokens(MARKERS)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer
