"""What stops a run, said in the configuration's words."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BloomConfig, BloomForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from models.train import trainer
from models.train.errors import (
    DivergedError,
    MemoryFullError,
    NoTextError,
    RunFolderError,
    TrainConfigError,
    UnsupportedError,
    VocabularyError,
)
from models.train.failures import failures_explained
from models.train.folder import RunFolder
from models.train.pretrained import load_pretrained, set_dropout
from models.train.run import main
from models.train.vocabulary import learn_vocabulary, open_vocabulary
from tests.models.train.toy import toy_config, write_corpus

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

TINY = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus(tmp_path)
    step = trainer.Trainer.training_step

    def spoilt(self: Any, *args: Any, **others: Any) -> torch.Tensor:
        loss = step(self, *args, **others)
        return loss * float("nan") if self.state.global_step == 3 else loss

    monkeypatch.setattr(trainer.Trainer, "training_step", spoilt)
    with pytest.raises(DivergedError, match=r"the loss is nan at step 4; the last good checkpoint is .*checkpoint-2\."):
        main(toy_config(max_steps=6, save_every=2, validation=[]), tmp_path, tmp_path / "run")


def test_a_rate_that_is_far_too_high_ends_as_no_number(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    config = toy_config(
        optimiser={"learning_rate": 1e30, "batch_size": 2, "schedule": "constant"}, validation=[], max_steps=9
    )
    with pytest.raises(DivergedError, match=r"the loss is (nan|inf) at step [2-9]; there is no good checkpoint yet"):
        main(config, tmp_path, tmp_path / "run")


def test_a_checkpoint_with_spoilt_weights_is_not_called_good(tmp_path: Path) -> None:
    for step, value in ((2, 1.0), (4, float("inf"))):
        folder = tmp_path / "work" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        save_file({"w": torch.tensor([1.0, value])}, folder / "model.safetensors")
        (folder / "trainer_state.json").write_text("{}")
    found = RunFolder(tmp_path).last_finite()
    assert found is not None
    assert found.name == "checkpoint-2"
    assert load_file(found / "model.safetensors")["w"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), MemoryError()],
)
def test_a_full_device_says_what_to_lower_with_the_present_values(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(MemoryFullError) as found, failures_explained(toy_config(), RunFolder(tmp_path)):
        raise error
    message = str(found.value)
    for part in ("batch_size (now 4)", "accumulate (now 1)", "gradient_checkpointing", "context (now 64)", "lora"):
        assert part in message


def test_a_full_main_memory_is_known_by_what_torch_says(tmp_path: Path) -> None:
    with pytest.raises(MemoryFullError), failures_explained(toy_config(), RunFolder(tmp_path)):
        torch.empty(1 << 50)


def test_other_errors_pass_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="something else"), failures_explained(toy_config(), RunFolder(tmp_path)):
        raise RuntimeError("something else")


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(RunFolderError, match=r"disk of .* is full"),
        failures_explained(toy_config(), RunFolder(tmp_path)),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_folder_with_checkpoints_of_unknown_origin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "work" / "checkpoint-5").mkdir(parents=True)
    with pytest.raises(RunFolderError, match=r"has checkpoints and no settings\.json"):
        RunFolder(tmp_path).claim(toy_config())


def test_a_folder_that_is_no_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="is no folder of a run"):
        RunFolder(tmp_path).config()


def test_no_text_is_named_and_so_is_too_little(tmp_path: Path) -> None:
    with pytest.raises(NoTextError, match=r"no such text: .*train\.txt"):
        main(toy_config(), tmp_path, tmp_path / "first")
    (tmp_path / "train.txt").write_text("A tale of the fox. " * 12)
    config = toy_config(phases=[{"sources": [{"path": "train.txt"}]}], validation=[], model={"context": 4096})
    with pytest.raises(NoTextError, match="less than one block of 4096 tokens"):
        main(config, tmp_path, tmp_path / "second")


def test_a_tokenizer_larger_than_the_embedding_is_refused_with_both_sizes(tmp_path: Path) -> None:
    fast = learn_vocabulary(toy_config(), ["The fox."]).fast
    LlamaForCausalLM(LlamaConfig(vocab_size=100, **TINY)).save_pretrained(tmp_path)
    fast.save_pretrained(tmp_path)
    with pytest.raises(VocabularyError, match=f"has {len(fast)} tokens, and its embedding has 100 rows"):
        open_vocabulary(toy_config(init=str(tmp_path), model={"context": 64}))


def test_spare_rows_of_a_checkpoint_are_kept_and_used(tmp_path: Path) -> None:
    fast = learn_vocabulary(toy_config(markers=False), ["The fox."]).fast
    LlamaForCausalLM(LlamaConfig(vocab_size=len(fast) + 50, **TINY)).save_pretrained(tmp_path)
    fast.save_pretrained(tmp_path)
    config = toy_config(init=str(tmp_path), model={"context": 64})
    vocabulary = open_vocabulary(config)
    assert vocabulary is not None
    rows = load_pretrained(str(tmp_path), config, vocabulary, torch.float32).get_input_embeddings().weight
    assert len(rows) == len(fast) + 50
    old = torch.ones(len(rows), dtype=torch.bool)
    old[list(vocabulary.added)] = False
    assert torch.allclose(rows[vocabulary.added[0]], rows[old].mean(dim=0), atol=1e-6)


def test_a_context_beyond_what_the_model_was_made_for_is_refused(tmp_path: Path) -> None:
    fast = learn_vocabulary(toy_config(), ["The fox."]).fast
    LlamaForCausalLM(LlamaConfig(vocab_size=len(fast), max_position_embeddings=32, **TINY)).save_pretrained(tmp_path)
    fast.save_pretrained(tmp_path)
    config = toy_config(init=str(tmp_path), model={"context": 64})
    vocabulary = open_vocabulary(config)
    assert vocabulary is not None
    with pytest.raises(TrainConfigError, match=r"model\.context is 64; .* at most 32"):
        load_pretrained(str(tmp_path), config, vocabulary, torch.float32)


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="cannot load the tokenizer of"):
        open_vocabulary(toy_config(init=str(tmp_path / "nowhere"), model={"context": 64}))


def test_a_causal_model_is_no_masked_one(tmp_path: Path) -> None:
    learn_vocabulary(toy_config(), ["The fox."]).fast.save_pretrained(tmp_path)
    LlamaConfig(vocab_size=400, **TINY).save_pretrained(tmp_path)
    with pytest.raises(UnsupportedError, match="has no mask token"):
        open_vocabulary(toy_config(objective="masked", init=str(tmp_path), model={"context": 64}))


def test_dropout_reaches_every_place_that_has_one() -> None:
    model = GPT2LMHeadModel(
        GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=9, attn_pdrop=0.0, bos_token_id=1, eos_token_id=2)
    )
    set_dropout(model, 0.25)
    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.25}
    llama = LlamaForCausalLM(LlamaConfig(vocab_size=9, **TINY))
    set_dropout(llama, 0.25)
    assert llama.model.layers[0].self_attn.attention_dropout == 0.25


def test_dropout_is_refused_where_the_architecture_has_none() -> None:
    from transformers import MambaConfig, MambaForCausalLM

    with pytest.raises(UnsupportedError, match="dropout: the architecture mamba has none"):
        set_dropout(MambaForCausalLM(MambaConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, state_size=4)), 0.1)


def test_bloom_says_its_dropout_by_other_names() -> None:
    model = BloomForCausalLM(BloomConfig(vocab_size=9, hidden_size=8, n_layer=1, n_head=1))
    set_dropout(model, 0.3)
    assert model.config.hidden_dropout == 0.3
