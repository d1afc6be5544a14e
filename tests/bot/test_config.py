from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.config import BotConfig, load_config
from bot.errors import ConfigError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BotConfig.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / ".env"
    env.write_text("WORKER_URL=http://file:1\nWORKER_TIMEOUT_S=7\n")
    monkeypatch.setenv("WORKER_URL", "http://environment:2/")
    config = load_config(env)
    assert (config.worker_url, config.worker_timeout_s) == ("http://environment:2", 7.0)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("WORKER_URL", "localhost:8765", "http://"),
        ("WORKER_TIMEOUT_S", "soon", "number"),
        ("WORKER_TIMEOUT_S", "0", "greater than 0"),
        ("MODERATION_URL", "api.example.org", "http://"),
        ("MODERATION_TIMEOUT_S", "0", "greater than 0"),
        ("MODERATION_TIMEOUT_S", "121", "less than or equal to 120"),
        ("MODERATION_API_KEY", "k", "MODERATION_URL too"),
        ("SYNC_COMMANDS", "always", "'auto' or 'never'"),
        ("LOG_LEVEL", "LOUD", "'DEBUG'"),
        ("FILTER_WORDS", "no/such/list.txt", "no/such/list.txt does not"),
    ],
)
def test_a_bad_value_names_itself_what_was_found_and_what_is_wanted(
    name: str, value: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_config(None)
    assert caught.value.name == name
    assert str(caught.value).startswith(f"{name}: found ")
    assert wanted in str(caught.value)
    assert "Input should be" not in str(caught.value)


def test_secrets_are_hidden_wherever_the_configuration_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hunter2-token")
    monkeypatch.setenv("WORKER_API_KEY", "hunter2-key")
    monkeypatch.setenv("MODERATION_URL", "https://api.example.org/v1")
    monkeypatch.setenv("MODERATION_API_KEY", "hunter2-other")
    config = load_config(None)
    assert "hunter2" not in f"{config!r} {config} {config.model_dump()}"
    assert config.require_token() == "hunter2-token"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_token_is_told_by_name(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("DISCORD_TOKEN", value)
    with pytest.raises(ConfigError, match="DISCORD_TOKEN: found nothing"):
        load_config(None).require_token()


def test_word_lists_are_separated_by_commas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("profanity: darn\n")
    monkeypatch.setenv("FILTER_WORDS", f"{tmp_path / 'a.txt'}, {tmp_path / 'b.txt'}")
    assert [p.name for p in load_config(None).filter_words] == ["a.txt", "b.txt"]


def test_every_setting_is_explained_in_the_example_and_none_is_stale() -> None:
    from models.serve.config import WorkerConfig

    lines = (ROOT / ".env.example").read_text(encoding="utf-8")
    explained = set(re.findall(r"^#?([A-Z_]+)=", lines, re.MULTILINE))
    known = {name.upper() for model in (BotConfig, WorkerConfig) for name in model.model_fields}
    assert explained == known


def test_the_example_shows_the_defaults() -> None:
    from models.serve.config import WorkerConfig

    lines = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name, shown in re.findall(r"^#([A-Z_]+)=(.+)$", lines, re.MULTILINE):
        model = BotConfig if name.lower() in BotConfig.model_fields else WorkerConfig
        default = model.model_fields[name.lower()].default
        assert shown == str(default).removesuffix(".0"), name
