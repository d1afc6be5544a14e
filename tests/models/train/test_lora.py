"""Low-rank adapters: they learn, merge exactly, and are served as they are where no rows are new."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from models.engine.adapter import AdapterError, load_adapter
from models.engine.story_format import StoryFormat
from models.train.building import build_model
from models.train.errors import TrainConfigError, UnsupportedError
from models.train.exporting import export_run
from models.train.folder import RunFolder
from models.train.growth import grow_rows
from models.train.merging import merge_adapter
from models.train.run import main
from models.train.vocabulary import learn_vocabulary, open_vocabulary
from tests.models.train.toy import toy_config, write_corpus

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def save_base(folder: Path, *, markers: bool, tied: bool = True) -> str:
    """A random model and its tokenizer, with our markers or without."""
    torch.manual_seed(0)
    fast = learn_vocabulary(toy_config(markers=markers), ["The fox went to the moon and sang."]).fast
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    ids = {"bos_token_id": fast.bos_token_id, "eos_token_id": fast.eos_token_id, "pad_token_id": fast.pad_token_id}
    config = LlamaConfig(vocab_size=len(fast), max_position_embeddings=64, tie_word_embeddings=tied, **shape, **ids)
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return str(folder)


def train(tmp_path: Path, init: str, **changes: Any) -> Path:
    """Four steps; returns the run's folder."""
    write_corpus(tmp_path)
    settings = {"lora": {"rank": 2}, "model": {"context": 64}, "max_steps": 4, "evaluate_every": 4, "save_every": 4}
    main(toy_config(init=init, **{**settings, **changes}), tmp_path, tmp_path / "run")
    return tmp_path / "run"


def logits(model: Any, ids: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(ids).logits
    return found


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_a_merged_adapter_equals_the_adapter_with_its_new_rows(tied: bool, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", markers=False, tied=tied)
    run = train(tmp_path, base)
    merged = merge_adapter(run / "adapter", tmp_path / "merged", "float32")
    fast = AutoTokenizer.from_pretrained(merged)
    ids = torch.tensor([fast("<|story|><|text|>The fox sang.<|end|>", add_special_tokens=False)["input_ids"]])
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    grow_rows(plain, len(fast), ())
    before = logits(plain, ids)
    adapted = logits(PeftModel.from_pretrained(plain, str(run / "adapter")), ids)
    found = logits(AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32), ids)
    assert torch.allclose(found, adapted, atol=1e-5)
    assert not torch.allclose(found, before, atol=1e-2), "the adapter changes something"


def test_the_new_rows_are_trained_and_the_old_ones_are_not(tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", markers=False)
    run = train(tmp_path, base)
    before = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).get_input_embeddings().weight
    after = AutoModelForCausalLM.from_pretrained(
        merge_adapter(run / "adapter", tmp_path / "merged", "float32"), dtype=torch.float32
    )
    rows, known = after.get_input_embeddings().weight, len(before)
    assert torch.equal(rows[:known], before)
    assert len(rows) == known + len(StoryFormat().special_tokens)
    assert not torch.allclose(rows[known:], before.mean(dim=0), atol=1e-4), "they began at the mean and have moved"
    assert len({tuple(row.tolist()) for row in rows[known:]}) > 1
    assert StoryFormat().passage_end in AutoTokenizer.from_pretrained(tmp_path / "merged").get_vocab()
    assert (tmp_path / "merged" / "story_format.json").is_file()


def test_an_adapter_without_new_rows_is_served_unmerged(tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", markers=True)
    run = train(tmp_path, base, export={"merge": False})
    adapter = load_adapter("mine", str(run / "adapter"))
    assert adapter.base == base
    assert not (run / "checkpoint").exists()
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    ids = torch.tensor([[9, 10, 11, 12]])
    wanted = logits(
        PeftModel.from_pretrained(
            AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), str(run / "adapter")
        ),
        ids,
    )
    with torch.no_grad():
        for name, update in adapter.updates.items():
            plain.get_submodule(name).weight.add_(update.up @ update.down)
    assert torch.allclose(logits(plain, ids), wanted, atol=1e-5)


def test_an_adapter_with_new_rows_is_refused_unmerged_by_name(tmp_path: Path) -> None:
    run = train(tmp_path, save_base(tmp_path / "base", markers=False))
    with pytest.raises(AdapterError, match="trainable_token_indices"):
        load_adapter("mine", str(run / "adapter"))


def test_a_model_without_markers_is_trained_on_plain_text(tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", markers=False)
    run = train(tmp_path, base, markers=False, export={"dtype": "float32"})
    assert not (run / "checkpoint" / "story_format.json").exists()
    fast = AutoTokenizer.from_pretrained(run / "checkpoint")
    assert "<|story|>" not in fast.get_vocab()
    load_adapter("mine", str(run / "adapter"))
    export_run(RunFolder(run), tmp_path / "again", "last", "float32")
    first, second = (
        AutoModelForCausalLM.from_pretrained(folder).state_dict() for folder in (run / "checkpoint", tmp_path / "again")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_targets_that_the_model_does_not_have_are_refused(tmp_path: Path) -> None:
    config = toy_config(init=save_base(tmp_path, markers=True), model={"context": 64}, lora={"targets": ["c_attn"]})
    vocabulary = open_vocabulary(config)
    assert vocabulary is not None
    with pytest.raises(TrainConfigError, match=r"lora\.targets: .*c_attn"):
        build_model(config, vocabulary)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, where QLoRA works")
def test_qlora_without_a_gpu_is_refused_before_any_work(tmp_path: Path) -> None:
    config = toy_config(init="anything", model={"context": 64}, lora={"base": "4bit"})
    with pytest.raises(UnsupportedError, match=r"lora\.base: 4bit \(QLoRA\) needs a CUDA GPU"):
        main(config, tmp_path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_merging_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="cannot merge"):
        merge_adapter(tmp_path, tmp_path / "out")
