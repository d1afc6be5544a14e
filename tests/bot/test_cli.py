"""The command line as a person meets it: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.__main__ import HEALTHY_S, check_health

# discord.py imports a module that Python 3.11 calls deprecated.
PYTHON = [sys.executable, "-W", "ignore::DeprecationWarning"]


def talewright(*args: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [*PYTHON, "-c", "import sys; from bot.cli import main; sys.exit(main())", *args],
        cwd=cwd, env={**keep, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_bot_without_a_token_says_so_and_exits_with_2(tmp_path: Path) -> None:
    done = talewright("bot", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().startswith("talewright bot: DISCORD_TOKEN: found nothing, wanted a bot token")


def test_a_bad_setting_in_the_env_file_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKEN=abc\nWORKER_TIMEOUT_S=never\n")
    done = talewright("bot", cwd=tmp_path)
    assert done.returncode == 2
    assert "WORKER_TIMEOUT_S: found 'never'" in done.stderr
    assert "abc" not in done.stderr


def test_an_unknown_command_lists_the_known_ones(tmp_path: Path) -> None:
    done = talewright("dance", cwd=tmp_path)
    assert done.returncode == 2
    for command in ("bot", "demo", "evaluate", "train", "worker"):
        assert command in done.stderr


def test_a_missing_extra_is_named_when_the_command_runs(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("phases: []")
    (tmp_path / "yaml.py").write_text("raise ModuleNotFoundError('no yaml here', name='yaml')")
    done = talewright(
        "train", "--config", "run.yaml", "--data", ".", "--out", "out", cwd=tmp_path, PYTHONPATH=str(tmp_path)
    )
    assert done.returncode == 2
    assert done.stderr.strip() == "talewright train: needs the package yaml; install talewright[train]"


def test_the_bot_starts_without_torch_and_without_the_worker_package(tmp_path: Path) -> None:
    code = (
        "import sys, argparse; import bot.app, bot.__main__; from bot.cli import main\n"
        "heavy = {'torch', 'transformers', 'models', 'simcord'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [*PYTHON, "-c", code],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_health_is_a_fresh_heartbeat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "alive"
    assert check_health(file) == 1
    assert "does not exist" in capsys.readouterr().err
    file.touch()
    assert check_health(file) == 0
    old = time.time() - HEALTHY_S - 5
    os.utime(file, (old, old))
    assert check_health(file) == 1
    assert "s old" in capsys.readouterr().err
