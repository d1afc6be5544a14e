"""Settings: names, bounds, secrets, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.serve import config as config_module
from models.serve.config import BUNDLED_MODEL, WorkerConfig, WorkerConfigError, load_config


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WorkerConfig.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_settings_the_bundled_model_is_served_on_loopback() -> None:
    config = load_config(None)
    assert config.model == str(BUNDLED_MODEL)
    assert BUNDLED_MODEL.parts[-2:] == ("models", "storyteller")
    assert (config.worker_host, config.worker_port) == ("127.0.0.1", 8765)
    assert config.worker_api_key is None


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("MAX_N=3\nQUEUE_SIZE=5\nWORKER_PORT=1234\nDISCORD_TOKEN=the bot's own\nTHREADS=\nMODEL=\n")
    monkeypatch.setenv("QUEUE_SIZE", "6")
    config = load_config(file, worker_port="0")
    assert (config.max_n, config.queue_size, config.worker_port) == (3, 6, 0)
    assert config.threads is None
    assert config.model == str(BUNDLED_MODEL)


def test_the_key_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKER_API_KEY", "s3cret")
    config = load_config(None)
    assert "s3cret" not in repr(config)
    assert config.worker_api_key is not None
    assert config.worker_api_key.get_secret_value() == "s3cret"


def test_the_bundled_rewriter_comes_with_the_bundled_model_where_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_module, "BUNDLED_REWRITER", tmp_path / "rewriter")
    assert load_config(None).masked_source is None, "it is not installed"
    (tmp_path / "rewriter").mkdir()
    (tmp_path / "rewriter" / "config.json").write_text("{}")
    assert load_config(None).masked_source == str(tmp_path / "rewriter")
    assert load_config(None, masked_model=" ").masked_source == str(tmp_path / "rewriter")
    assert load_config(None, model="gpt2").masked_source is None
    for off in ("off", "OFF", " off "):
        assert load_config(None, masked_model=off).masked_source is None
    assert load_config(None, model="gpt2", masked_model="distilroberta-base").masked_source == "distilroberta-base"


@pytest.mark.parametrize(
    ("value", "adapters"),
    [
        ("", {}),
        ("noir=loras/noir", {"noir": "loras/noir"}),
        (" noir = a/b , fable=/x/y=z,", {"noir": "a/b", "fable": "/x/y=z"}),
    ],
)
def test_adapters_are_listed_by_their_names(
    value: str, adapters: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTERS", value)
    assert load_config(None).adapters == adapters


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ({}, None),
        ({"MODERATION_MODEL": " "}, None),
        ({"MODERATION_MODEL": "Off"}, None),
        ({"MODERATION_MODEL": " org/guard "}, "org/guard"),
        ({"MODERATION_MODEL": "omni", "MODERATION_URL": "https://elsewhere"}, None),
        ({"MODERATION_MODEL": "org/guard", "MODERATION_URL": ""}, "org/guard"),
    ],
)
def test_a_moderation_model_is_served_unless_another_server_has_it(
    said: dict[str, str], source: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    config = load_config(None)
    assert (config.moderation_source, config.moderation_threshold, config.moderation_labels) == (source, 0.5, {})


def test_labels_are_named_in_place_or_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"LABEL_1": "hate", "LABEL_0": null}'
    (tmp_path / "labels.json").write_text(text)
    for value in (text, f" {text}", str(tmp_path / "labels.json")):
        monkeypatch.setenv("MODERATION_LABELS", value)
        assert load_config(None).moderation_labels == {"LABEL_1": "hate", "LABEL_0": None}
    monkeypatch.setenv("MODERATION_LABELS", "")
    assert load_config(None).moderation_labels == {}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("MODERATION_THRESHOLD", "0", "greater than 0"),
        ("MODERATION_THRESHOLD", "1.5", "less than or equal to 1"),
        ("MODERATION_LABELS", "no/such/file.json", "a JSON object like"),
        ("MODERATION_LABELS", "{hate}", "a JSON object like"),
        ("MODERATION_LABELS", '{"hate": 1}', "a JSON object like"),
        ("ADAPTERS", "loras/noir", "name=folder"),
        ("ADAPTERS", "noir=", "name=folder"),
        ("ADAPTERS", "=loras/noir", "name=folder"),
        ("ADAPTERS", "noir=a,noir=b", "each name once"),
        ("WORKER_PORT", "70000", "65535"),
        ("WORKER_PORT", "http", "integer"),
        ("DEVICE", "gpu", "'cuda'"),
        ("DTYPE", "int8", "'bfloat16'"),
        ("QUANTIZE", "int4", "'int8'"),
        ("CACHE_MB", "0", "1"),
        ("QUEUE_SIZE", "-1", "0"),
        ("MAX_N", "0", "1"),
        ("MAX_TOKENS", "0", "1"),
        ("THREADS", "0", "1"),
        ("LOG_LEVEL", "LOUD", "'INFO'"),
    ],
)
def test_a_bad_value_says_its_name_what_was_found_and_what_is_wanted(
    name: str, value: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WorkerConfigError) as caught:
        load_config(None)
    assert caught.value.name == name
    assert repr(value) in str(caught.value)
    assert wanted in str(caught.value)
    assert "Input should be" not in str(caught.value)
