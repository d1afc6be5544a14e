"""A tiny random model whose every word is a word: it babbles whole sentences that no two seeds have in common."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tests.bot.service.far_end import WORDS

CONTEXT_TOKENS = 400
FORMAT = {
    "version": 1,
    "start": "<|story|>",
    "title": "<|title|>{text}",
    "premise": "<|premise|>{text}",
    "body": "<|text|>",
    "passage_end": "<|end|>",
    "hint": "<|hint|>{text}<|text|>",
}
SPECIAL = ["<|unknown|>", "<|story|>", "<|title|>", "<|premise|>", "<|text|>", "<|end|>", "<|hint|>"]


def make_babbler(folder: Path) -> Path:
    """Saves the checkpoint: two layers, near-uniform logits, every fourth word ends a sentence."""
    num_tokens = _save_tokenizer(folder)
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=num_tokens,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT_TOKENS,
        initializer_range=0.02,
        bos_token_id=1,
        eos_token_id=5,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    (folder / "story_format.json").write_text(json.dumps(FORMAT), encoding="utf-8")
    return folder


def _save_tokenizer(folder: Path) -> int:
    # Capitals throughout: a full stop before a small letter would not end a sentence.
    words = [f" {word.capitalize()}{'.' if index % 4 == 0 else ''}" for index, word in enumerate(WORDS)]
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL[0]))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_next")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(SPECIAL)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=SPECIAL[0],
        bos_token="<|story|>",
        eos_token="<|end|>",
        pad_token=SPECIAL[0],
        model_max_length=CONTEXT_TOKENS,
        clean_up_tokenization_spaces=False,
    )
    fast.save_pretrained(folder)
    return tokenizer.get_vocab_size()
