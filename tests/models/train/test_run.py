"""A whole training run at toy size: it learns, goes on after a kill exactly, and leaves a folder that loads."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from models.engine.story_format import StoryFormat
from models.train.config import TrainConfig, TrainConfigError, load_config
from models.train.dataset import GivenParts, TokenBlocks, phase_order
from models.train.run import given_parts, main, training_arguments

# The trainer and its libraries warn about matters that are theirs; ours stay errors.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

WORDS = "fox moon hill river owl night lantern road king song".split()


def write_corpus(folder: Path) -> None:
    rng = random.Random(4)
    stories = []
    for _ in range(60):
        sentences = [f"The {rng.choice(WORDS)} went to the {rng.choice(WORDS)} and sang." for _ in range(12)]
        stories.append(" ".join(sentences))
    (folder / "train.txt").write_text("\n<|endoftext|>\n".join(stories[:50]))
    (folder / "val.txt").write_text("\n<|endoftext|>\n".join(stories[50:]))


def toy_config(**changes: object) -> TrainConfig:
    base = {
        "seed": 3,
        "phases": [{"sources": [{"path": "train.txt", "repeat": 4}]}],
        "validation": ["val.txt"],
        "model": {
            "vocab_size": 340,
            "hidden_size": 32,
            "layers": 2,
            "heads": 4,
            "kv_heads": 2,
            "intermediate_size": 64,
            "context": 64,
        },
        "optimiser": {"learning_rate": 1e-2, "batch_size": 4},
        "max_steps": 40,
        "save_every": 20,
        "evaluate_every": 20,
    }
    return TrainConfig.model_validate({**base, **changes})


def losses(run: Path, column: str) -> list[float]:
    with (run / "metrics.csv").open() as rows:
        return [float(row[column]) for row in csv.DictReader(rows) if row[column]]


@pytest.fixture(scope="module")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    write_corpus(folder)
    main(toy_config(), folder, folder / "run")
    return folder / "run"


def test_the_loss_falls(finished_run: Path) -> None:
    validation = losses(finished_run, "eval_loss")
    assert validation[-1] < validation[0] - 0.5


def test_a_run_records_what_made_it(finished_run: Path) -> None:
    record = json.loads((finished_run / "run.json").read_text())
    assert record["steps"] == 40
    assert record["tokens_seen"] == 40 * 4 * 64
    assert record["config"]["seed"] == 3
    assert len(record["data"]["sha256"]) == 64


def test_the_checkpoint_loads_and_ends_a_passage(finished_run: Path) -> None:
    folder = finished_run / "checkpoint"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert tokenizer.convert_ids_to_tokens(model.generation_config.eos_token_id) == "<|end|>"
    ids = tokenizer("<|story|><|text|>The fox", add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == "<|story|><|text|>The fox"
    assert tokenizer.convert_ids_to_tokens(ids[:2]) == ["<|story|>", "<|text|>"]
    assert (folder / "story_format.json").is_file()


def test_a_killed_run_goes_on_exactly_where_it_was(finished_run: Path, tmp_path: Path) -> None:
    write_corpus(tmp_path)
    main(toy_config(), tmp_path, tmp_path / "whole")
    again = tmp_path / "whole" / "work" / "checkpoint-40"
    for file in again.iterdir():
        file.unlink()
    again.rmdir()
    main(toy_config(), tmp_path, tmp_path / "whole")
    first = AutoModelForCausalLM.from_pretrained(finished_run / "checkpoint").state_dict()
    second = AutoModelForCausalLM.from_pretrained(tmp_path / "whole" / "checkpoint").state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_bfloat16_multiplies_in_bfloat16_and_learns_all_the_same(finished_run: Path, tmp_path: Path) -> None:
    write_corpus(tmp_path)
    main(toy_config(precision="bfloat16"), tmp_path, tmp_path / "run")
    exact, rounded = (losses(folder, "eval_loss") for folder in (finished_run, tmp_path / "run"))
    assert rounded != exact
    assert rounded == pytest.approx(exact, abs=0.1)


def test_the_model_is_compiled_where_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCELERATE_DYNAMO_BACKEND", "ACCELERATE_DYNAMO_MODE"):
        monkeypatch.setenv(name, "no")  # the trainer sets them for the whole process
    assert training_arguments(toy_config(compile=True), tmp_path, 100).torch_compile
    assert not training_arguments(toy_config(), tmp_path, 100).torch_compile


GIVEN = GivenParts(openers=frozenset({1, 2, 6}), closer=4)


def test_blocks_are_consecutive_and_complete(finished_run: Path) -> None:
    tokens = finished_run / "work" / "train.bin"
    blocks = TokenBlocks(tokens, 64, GIVEN)
    assert len(blocks) * 64 * 2 == tokens.stat().st_size
    read = torch.cat([block["input_ids"] for block in blocks])
    assert read.tolist() == np.fromfile(tokens, dtype=np.uint16).tolist()


def test_what_is_given_is_never_a_label(finished_run: Path) -> None:
    tokenizer = Tokenizer.from_file(str(finished_run / "work" / "tokenizer.json"))
    given = given_parts(tokenizer, StoryFormat())
    ids = tokenizer.encode(
        "<|story|><|title|>Moon<|text|>The fox sang.<|end|><|hint|>owl, river<|text|>The owl came.<|end|>",
        add_special_tokens=False,
    ).ids
    learned = [i for i, hidden in zip(ids, given.mask(np.array(ids)), strict=True) if not hidden]
    assert tokenizer.decode(learned, skip_special_tokens=False) == "The fox sang.<|end|>The owl came.<|end|>"


def test_a_part_cut_by_the_edge_of_a_block_is_still_given() -> None:
    assert GIVEN.mask(np.array([9, 9, 4, 7, 7, 6, 9])).tolist() == [True, True, True, False, False, True, True]
    assert GIVEN.mask(np.array([7, 7, 7])).tolist() == [False, False, False]


def test_phases_stay_in_sequence_and_are_shuffled_inside() -> None:
    order = phase_order([50, 30], random.Random(1))
    assert sorted(order[:50]) == list(range(50))
    assert sorted(order[50:]) == list(range(50, 80))
    assert order[:50] != list(range(50))


@pytest.mark.parametrize(
    ("change", "named"),
    [({"sed": 1}, "sed"), ({"model": {"layer": 2}}, "model.layer"), ({"optimiser": {"batch_size": 0}}, "batch_size")],
)
def test_a_wrong_key_or_value_is_refused_by_name(change: dict[str, object], named: str, tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump({"phases": [{"sources": [{"path": "x"}]}], **change}))
    with pytest.raises(TrainConfigError, match=named):
        load_config(path)


def test_the_bundled_configuration_is_valid() -> None:
    config = load_config(Path(__file__).parents[3] / "models" / "train" / "configs" / "storyteller.yaml")
    assert config.model.context == 512
    assert len(config.phases) == 2
