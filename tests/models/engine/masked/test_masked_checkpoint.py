"""Loading: every kind of encoder, and what is refused by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

from models.engine.checkpoint import CheckpointError
from models.engine.masked.checkpoint import MaskedCheckpoint, load_masked
from tests.models import masked


def test_every_kind_loads_with_its_window(checkpoint: MaskedCheckpoint) -> None:
    assert checkpoint.context_tokens == masked.CONTEXT
    assert checkpoint.text_tokens == masked.CONTEXT - 2
    assert checkpoint.reader.backend.id_to_token(checkpoint.mask_id) in ("[MASK]", "<mask>")
    assert checkpoint.name in masked.KINDS
    assert len(checkpoint.revision) == 12


def test_a_tokenizer_that_takes_less_than_the_model_is_obeyed(tmp_path: Path) -> None:
    folder = masked.make("bert", tmp_path / "bert")
    masked.wordpiece(limit=40).save_pretrained(folder)
    assert load_masked(str(folder), device="cpu").context_tokens == 40


def test_a_folder_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"cannot load .*empty as a masked language model"):
        load_masked(str(tmp_path / "empty"), device="cpu")


def test_a_folder_has_no_revision(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="revision belongs to a hub name"):
        load_masked(str(tmp_path), "main", device="cpu")


def test_a_causal_model_is_refused(llama_folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"cannot load .* as a masked language model"):
        load_masked(str(llama_folder), device="cpu")


def test_weights_without_the_head_that_predicts_words_are_refused(tmp_path: Path) -> None:
    tokenizer = masked.wordpiece()
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"no masked language model: its weights lack cls\.predictions"):
        load_masked(str(tmp_path), device="cpu")


def test_a_tokenizer_without_a_mask_is_refused(tmp_path: Path) -> None:
    folder = masked.make("roberta", tmp_path / "roberta")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    masked.byte_level(mask=None).save_pretrained(folder)
    with pytest.raises(CheckpointError, match="its tokenizer has no mask token"):
        load_masked(str(folder), device="cpu")


def test_a_bert_that_reads_from_left_to_right_is_refused(tmp_path: Path) -> None:
    tokenizer = masked.wordpiece()
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=len(tokenizer), **sizes)
    BertForMaskedLM(config).save_pretrained(tmp_path)
    config.is_decoder = True
    config.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="reads from left to right"):
        load_masked(str(tmp_path), device="cpu")


def test_a_vocabulary_larger_than_the_model_is_refused(tmp_path: Path) -> None:
    folder = masked.make("bert", tmp_path / "bert")
    other = masked.make("roberta", tmp_path / "roberta")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(other / name, folder / name)
    with pytest.raises(CheckpointError, match=r"its tokenizer has \d+ pieces, and its model \d+"):
        load_masked(str(folder), device="cpu")
