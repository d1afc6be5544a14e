"""A whole training run at toy size: it learns, goes on after a kill exactly, and leaves a folder that loads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoTokenizer

from models.train.arguments import training_arguments
from models.train.dataset import Blocks
from models.train.errors import RunFolderError
from models.train.exporting import export_run
from models.train.folder import RunFolder
from models.train.run import main
from models.train.settings import load_config
from models.train.tokens import TokenFile
from tests.models.train.toy import MASKED_SHAPE, column, plan_of, toy_config, write_corpus

CONFIGS = Path(__file__).parents[3] / "models" / "train" / "configs"
RUNS = sorted(path for path in CONFIGS.glob("*.yaml") if path.stem != "tiny_data")  # which is for `data prepare`

# The trainer and its libraries warn about matters that are theirs; ours stay errors.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    write_corpus(folder)
    return folder


@pytest.fixture(scope="module")
def finished_run(corpus: Path) -> Path:
    main(toy_config(), corpus, corpus / "run")
    return corpus / "run"


def kill_after_first_checkpoint(run: Path) -> None:
    """Leaves a run's folder as a kill between its first and its last checkpoint does."""
    (run / "run.json").unlink()
    *_, last = RunFolder(run).checkpoints()
    shutil.rmtree(last)
    (run / "work" / last.name).mkdir()  # a checkpoint that the kill cut short
    shutil.rmtree(run / "checkpoint")


def weights(folder: Path, loader: Any = AutoModelForCausalLM) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = loader.from_pretrained(folder, dtype=torch.float32).state_dict()
    return found


def test_the_loss_falls(finished_run: Path) -> None:
    validation = column(finished_run, "eval_loss")
    assert validation[-1] < validation[0] - 0.3


def test_a_run_records_what_made_it(finished_run: Path) -> None:
    record = json.loads((finished_run / "run.json").read_text())
    assert record["steps"] == 24
    assert record["tokens_seen"] == 24 * 4 * 64
    assert record["config"]["seed"] == 3
    assert len(record["data"]["sha256"]) == 64
    assert record["best_validation_loss"] == pytest.approx(min(column(finished_run, "eval_loss")))


def test_the_metrics_stand_as_csv_json_and_picture(finished_run: Path) -> None:
    rows = json.loads((finished_run / "metrics.json").read_text())
    assert [row["tokens"] for row in rows] == [row["step"] * 256 for row in rows]
    assert [row["eval_loss"] for row in rows if "eval_loss" in row] == column(finished_run, "eval_loss")
    picture = (finished_run / "curves.svg").read_text()
    assert "<svg" in picture


def test_the_checkpoint_loads_and_ends_a_passage(finished_run: Path) -> None:
    folder = finished_run / "checkpoint"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.dtype == torch.float16
    assert tokenizer.convert_ids_to_tokens(model.generation_config.eos_token_id) == "<|end|>"
    ids = tokenizer("<|story|><|text|>The fox", add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == "<|story|><|text|>The fox"
    assert tokenizer.convert_ids_to_tokens(ids[:2]) == ["<|story|>", "<|text|>"]
    assert (folder / "story_format.json").is_file()


def test_a_finished_run_is_left_as_it_is(finished_run: Path, corpus: Path) -> None:
    before = (finished_run / "checkpoint" / "model.safetensors").stat().st_mtime_ns
    assert main(toy_config(), corpus, finished_run) == finished_run / "checkpoint"
    assert (finished_run / "checkpoint" / "model.safetensors").stat().st_mtime_ns == before


def test_another_configuration_is_refused_by_the_key_that_differs(finished_run: Path, corpus: Path) -> None:
    with pytest.raises(RunFolderError, match=r"optimiser\.learning_rate was 0\.01 and is now 0\.02"):
        main(toy_config(optimiser={"learning_rate": 2e-2, "batch_size": 4}), corpus, finished_run)


@pytest.mark.parametrize(
    ("changes", "loader"),
    [
        ({}, AutoModelForCausalLM),
        ({"objective": "masked", "model": MASKED_SHAPE, "dropout": 0.1}, AutoModelForMaskedLM),
        ({"lora": {"rank": 2, "dropout": 0.1}, "model": {"context": 64}, "export": {"dtype": "float32"}}, None),
    ],
    ids=["causal", "masked", "lora"],
)
def test_a_killed_run_goes_on_exactly_where_it_was(
    changes: dict[str, Any], loader: Any, corpus: Path, finished_run: Path, tmp_path: Path
) -> None:
    if "lora" in changes:
        changes = {**changes, "init": str(finished_run / "checkpoint")}
    config = toy_config(max_steps=4, save_every=2, evaluate_every=2, **changes)
    folder = main(config, corpus, tmp_path / "run")
    whole = weights(folder, loader or AutoModelForCausalLM)
    kill_after_first_checkpoint(tmp_path / "run")
    main(config, corpus, tmp_path / "run")
    again = weights(folder, loader or AutoModelForCausalLM)
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_bfloat16_multiplies_in_bfloat16_and_learns_all_the_same(corpus: Path, tmp_path: Path) -> None:
    few = {"max_steps": 6, "evaluate_every": 6}
    for precision in ("float32", "bfloat16"):
        main(toy_config(precision=precision, **few), corpus, tmp_path / precision)
    exact, rounded = (column(tmp_path / name, "eval_loss") for name in ("float32", "bfloat16"))
    assert rounded != exact
    assert rounded == pytest.approx(exact, abs=0.1)


def test_checkpointing_computes_the_same_with_less_memory(corpus: Path, tmp_path: Path) -> None:
    few = {"max_steps": 2, "validation": [], "log_every": 1}
    for name, asked in (("plain", False), ("again", True)):
        main(toy_config(gradient_checkpointing=asked, **few), corpus, tmp_path / name)
    assert column(tmp_path / "plain", "loss") == pytest.approx(column(tmp_path / "again", "loss"), abs=1e-5)
    arguments = training_arguments(toy_config(gradient_checkpointing=True), tmp_path, plan_of(10))
    assert arguments.activation_checkpointing


def test_the_model_is_compiled_where_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCELERATE_DYNAMO_BACKEND", "ACCELERATE_DYNAMO_MODE"):
        monkeypatch.setenv(name, "no")  # the trainer sets them for the whole process
    assert training_arguments(toy_config(compile=True), tmp_path, plan_of(10)).torch_compile
    assert not training_arguments(toy_config(), tmp_path, plan_of(10)).torch_compile


def test_blocks_are_consecutive_and_complete(finished_run: Path) -> None:
    file = TokenFile(finished_run / "work" / "train.bin", "uint16")
    blocks = Blocks(file, 64)
    assert len(blocks) * 64 * 2 == file.path.stat().st_size
    read = np.concatenate([blocks[number].ids for number in range(len(blocks))])
    assert read.tolist() == np.fromfile(file.path, dtype=np.uint16).tolist()


def test_any_checkpoint_is_exported_in_any_precision(finished_run: Path, tmp_path: Path) -> None:
    export_run(RunFolder(finished_run), tmp_path / "out", "12", "bfloat16")
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").dtype == torch.bfloat16
    with pytest.raises(RunFolderError, match="no checkpoint 7; there are best, last, 12, 24"):
        export_run(RunFolder(finished_run), tmp_path / "out", "7", "auto")


def test_early_stopping_ends_a_run_and_the_best_checkpoint_is_exported(corpus: Path, tmp_path: Path) -> None:
    # A rate this high makes the model worse from the second validation on.
    config = toy_config(
        optimiser={"learning_rate": 3e-2, "batch_size": 2, "schedule": "constant"},
        early_stopping={"patience": 1, "min_delta": 5.0},
        max_steps=12,
        evaluate_every=2,
        save_every=12,
    )
    main(config, corpus, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["steps"] == 4, "the second validation was not five nats better than the first"
    losses = column(tmp_path / "run", "eval_loss")
    assert record["exported"] == f"checkpoint-{(losses.index(min(losses)) + 1) * 2}"


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_the_bundled_configurations_are_valid(path: Path) -> None:
    load_config(path)
