"""Borders between documents: nothing of one is seen by another, in any architecture that is let through."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    BertConfig,
    BertForMaskedLM,
    BloomConfig,
    GPT2Config,
    GPTNeoConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    ModernBertConfig,
    ModernBertForMaskedLM,
    Qwen2Config,
    Qwen3Config,
)

from models.train.config import MaskingConfig
from models.train.dataset import IGNORED, Block, Blocks, CausalView, GivenParts, Turns, phase_order, positions
from models.train.errors import UnsupportedError
from models.train.masking import MaskedView, Words
from models.train.tokens import TokenFile, id_type, write_tokens
from models.train.views import check_borders, given_parts
from models.train.vocabulary import learn_vocabulary
from tests.models.train.toy import toy_config

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

SMALL = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
GROUPED = {**SMALL, "num_key_value_heads": 1, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
ENDS = {"bos_token_id": 1, "eos_token_id": 2}
CAUSAL = {
    "llama": LlamaConfig(**GROUPED),
    "mistral": MistralConfig(**GROUPED, sliding_window=4),
    "qwen2": Qwen2Config(**GROUPED),
    "qwen3": Qwen3Config(**GROUPED, head_dim=8),
    "gpt2": GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32, **ENDS),
    "gpt_neo": GPTNeoConfig(
        vocab_size=50, hidden_size=16, num_layers=2, num_heads=2, attention_types=[[["global", "local"], 1]], **ENDS
    ),
}
GIVEN = GivenParts(openers=frozenset({1, 2, 6}), closer=4)
WITH_BORDERS = CausalView(None, has_borders=True)
NO_WORDS = Words(*(np.zeros(50, dtype=bool) for _ in range(4)), mask_id=3)


def block_of(first: list[int], second: list[int]) -> Block:
    return Block(np.array(first + second), np.array([0, len(first)]))


@pytest.mark.parametrize(
    ("name", "implementation"),
    [(name, kind) for name in CAUSAL for kind in ("sdpa", "eager") if (name, kind) != ("gpt_neo", "sdpa")],
)
def test_what_one_document_says_changes_nothing_in_the_next(name: str, implementation: str) -> None:
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_config(CAUSAL[name], attn_implementation=implementation)
    model.config.use_cache = False
    check_borders(model, WITH_BORDERS, 50)
    second = [9, 10, 11, 12, 13]
    losses, logits = [], []
    for first in ([20, 21, 22, 23], [30, 31, 32, 33]):
        item = {key: value[None] for key, value in WITH_BORDERS(block_of(first, second), 0).items()}
        item["labels"][:, :4] = IGNORED
        found = model.eval()(**item)
        losses.append(found.loss.item())
        logits.append(found.logits[:, 4:])
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert torch.allclose(logits[0], logits[1], atol=1e-6)
    alone = model(input_ids=torch.tensor([second])).logits
    assert torch.allclose(logits[0], alone, atol=1e-5), "a packed document is read as if it stood alone"


@pytest.mark.parametrize(
    "model",
    [
        ModernBertForMaskedLM(ModernBertConfig(**SMALL, layer_types=["full_attention"] * 2, **ENDS, pad_token_id=0)),
        BertForMaskedLM(BertConfig(**SMALL)),
    ],
    ids=["modernbert", "bert"],
)
def test_borders_hold_in_masked_models(model: Any) -> None:
    check_borders(model, MaskedView(NO_WORDS, MaskingConfig(), seed=0, has_borders=True), 50)


def test_as_a_stream_a_block_is_one_text() -> None:
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_config(CAUSAL["llama"])
    model.config.use_cache = False
    with pytest.raises(UnsupportedError, match="reads across documents"):
        check_borders(model, CausalView(None, has_borders=False), 50)


@pytest.mark.parametrize(
    "config",
    [
        MambaConfig(vocab_size=50, hidden_size=16, num_hidden_layers=2, state_size=4),
        BloomConfig(vocab_size=50, hidden_size=16, n_layer=2, n_head=2),
    ],
    ids=["mamba", "bloom"],
)
def test_an_architecture_that_reads_across_borders_is_refused(config: Any) -> None:
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_config(config)
    model.config.use_cache = False
    with pytest.raises(UnsupportedError, match=f"does not hold in the architecture {config.model_type}"):
        check_borders(model, WITH_BORDERS, 50)


def test_local_attention_that_borders_would_widen_is_refused() -> None:
    model = ModernBertForMaskedLM(
        ModernBertConfig(**SMALL, layer_types=["full_attention", "sliding_attention"], **ENDS, pad_token_id=0)
    )
    with pytest.raises(UnsupportedError, match="local attention"):
        check_borders(model, MaskedView(NO_WORDS, MaskingConfig(), seed=0, has_borders=True), 50)


def test_positions_start_anew_and_a_first_token_is_not_learned() -> None:
    item = WITH_BORDERS(Block(np.arange(20, 27), np.array([2, 5])), 0)
    assert item["position_ids"].tolist() == [0, 1, 0, 1, 2, 0, 1]
    assert item["labels"].tolist() == [20, 21, IGNORED, 23, 24, IGNORED, 26]
    assert positions(Block(np.arange(3), np.array([], dtype=np.int64))).tolist() == [0, 1, 2], "a document goes on"


def test_what_is_given_is_never_a_label() -> None:
    vocabulary = learn_vocabulary(toy_config(), ["The fox sang. The owl came."])
    assert vocabulary.form.fmt is not None
    ids = vocabulary.backend.encode(
        "<|story|><|title|>Moon<|text|>The fox sang.<|end|><|hint|>owl, river<|text|>The owl came.<|end|>",
        add_special_tokens=False,
    ).ids
    item = CausalView(given_parts(vocabulary, vocabulary.form.fmt))(Block(np.array(ids), np.array([0])), 0)
    learned = [i for i in item["labels"].tolist() if i != IGNORED]
    assert vocabulary.fast.decode(learned) == "The fox sang.<|end|>The owl came.<|end|>"


def test_a_part_cut_by_the_edge_of_a_block_is_still_given() -> None:
    assert GIVEN.mask(np.array([9, 9, 4, 7, 7, 6, 9])).tolist() == [True, True, True, False, False, True, True]
    assert GIVEN.mask(np.array([7, 7, 7])).tolist() == [False, False, False]


def test_phases_stay_in_sequence_and_are_shuffled_inside() -> None:
    order = phase_order([50, 30], random.Random(1))
    assert sorted(order[:50]) == list(range(50))
    assert sorted(order[50:]) == list(range(50, 80))
    assert order[:50] != list(range(50))


def test_each_part_is_cut_to_whole_blocks_and_documents_are_found_again(tmp_path: Path) -> None:
    vocabulary = learn_vocabulary(toy_config(), ["x"])
    file = TokenFile(tmp_path / "some.bin", "uint16")
    assert write_tokens([["aaa", "bbbb", "c"], ["dd", "eee"]], vocabulary.backend, file, 3) == [2, 1]
    text = "".join(vocabulary.fast.decode([i]) for i in file.ids())
    assert text == "aaabbbdde"
    assert file.begins().tolist() == [0, 3, 6, 8]
    assert Blocks(file, 3)[2].begins.tolist() == [0, 2]


def test_ids_take_as_many_bytes_as_the_vocabulary_needs(tmp_path: Path) -> None:
    assert (id_type(65_536), id_type(65_537)) == ("uint16", "uint32")
    file = TokenFile(tmp_path / "some.bin", "uint32")
    write_tokens([["abc"]], learn_vocabulary(toy_config(), ["x"]).backend, file, 1)
    assert file.path.stat().st_size == 12


def test_a_run_longer_than_its_text_begins_again(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "some.bin", "uint16")
    write_tokens([["abcdef"]], learn_vocabulary(toy_config(), ["x"]).backend, file, 2)
    turns = Turns(Blocks(file, 2), [2, 0, 1], CausalView(None), length=5)
    seen = [turns[i]["input_ids"].tolist() for i in range(len(turns))]
    assert seen[3:] == seen[:2]
