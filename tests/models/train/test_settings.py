"""Settings from YAML and flags: every key known, every value checked, every contradiction named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from models.train.arguments import plan_run, training_arguments
from models.train.errors import NoTextError, TrainConfigError
from models.train.settings import known_keys, load_config
from tests.models.train.toy import plan_of, toy_config

DOCS = Path(__file__).parents[3] / "docs" / "training.md"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sed": 1}, "sed is no key; the nearest is seed"),
        ({"model": {"layer": 2}}, r"model\.layer is no key; the nearest is model\.layers"),
        ({"phases": [{"sources": [{"pth": "x"}]}]}, r"the nearest is phases\.sources\.path"),
        ({"optimiser": {"batch_size": 0}}, "batch_size"),
        ({"model": {"heads": 3}}, "a multiple of heads"),
        ({"masking": {"rate": 0.2}}, "masking is for objective: masked"),
        ({"masking": {"rate": 0.5, "rate_max": 0.3}, "objective": "masked"}, "at least rate"),
        ({"init": "a", "init_from_causal": "b", "objective": "masked"}, "two beginnings"),
        ({"init": "a", "model": {"layers": 2}}, r"model\.layers is decided by the checkpoint"),
        ({"objective": "masked", "model": {"kv_heads": 2}}, r"model\.kv_heads is for llama"),
        ({"objective": "masked", "model": {"architecture": "llama"}}, "masked needs one of modernbert, bert"),
        ({"lora": {}}, "lora needs init"),
        ({"early_stopping": {"patience": 2}}, "early_stopping needs validation"),
        ({"max_steps": 5, "epochs": 2}, "epochs and max_steps are two ends"),
        ({"optimiser": {"name": "adafactor", "beta2": 0.9}}, "beta2 is for the Adam and Lion kinds"),
    ],
)
def test_a_wrong_key_or_value_is_refused_by_name(change: dict[str, Any], named: str, tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(change))
    with pytest.raises(TrainConfigError, match=named):
        load_config(path)


def test_flags_change_single_keys_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("seed: 4\nphases: [{sources: [{path: a.txt}]}]\n")
    config = load_config(
        path, ["optimiser.learning_rate=3e-4", "phases.0.sources.0.path=b.txt", "lora={rank: 2}", "init=gpt2"]
    )
    assert config.optimiser.learning_rate == 3e-4
    assert config.phases[0].sources[0].path == "b.txt"
    assert (config.seed, config.lora and config.lora.rank, config.init) == (4, 2, "gpt2")


def test_flags_alone_are_a_configuration() -> None:
    assert load_config(None, ["init=gpt2"]).phases[0].sources[0].path == "train"


@pytest.mark.parametrize(
    ("override", "named"),
    [("seed", "key=value is wanted"), ("seed.x=1", "seed is a value"), ("phases.3.sources=[]", "there is no 3")],
)
def test_a_flag_that_fits_nowhere_is_refused(override: str, named: str, tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("seed: 4\nphases: [{sources: [{path: a.txt}]}]\n")
    with pytest.raises(TrainConfigError, match=named):
        load_config(path, [override])


@pytest.mark.parametrize(
    ("optimiser", "named"),
    [
        ({"name": "adamw"}, r"optimiser\.name is 'adamw'; one of .*adamw_torch_fused"),
        ({"schedule": "cosin"}, r"optimiser\.schedule is 'cosin'; one of linear, cosine"),
        ({"schedule": "cosine_with_min_lr"}, r"optimiser\.schedule_options for cosine_with_min_lr"),
        ({"schedule_options": {"speed": 2}}, r"optimiser\.schedule_options for cosine: .*speed"),
    ],
)
def test_a_schedule_that_cannot_be_made_is_refused_before_any_text_is_read(
    optimiser: dict[str, Any], named: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainConfigError, match=named):
        training_arguments(toy_config(optimiser=optimiser), tmp_path, plan_of(10))


def test_steps_and_tokens_count_every_device() -> None:
    config = toy_config(optimiser={"batch_size": 4, "accumulate": 2}, max_steps=None, epochs=1.5)
    one, two = (plan_run(config, 100, devices) for devices in (1, 2))
    assert (one.steps, one.tokens_per_step) == (18, 8 * 64)
    assert (two.steps, two.tokens_per_step) == (9, 16 * 64)


def test_less_text_than_a_step_is_refused_with_the_figures() -> None:
    with pytest.raises(NoTextError, match="3 blocks of 64 tokens, less than one step of 4"):
        plan_run(toy_config(max_steps=None), 3, 1)


def test_every_key_is_explained() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [key for key in known_keys() if f"`{key}`" not in text] == []
