"""The command as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from models.serve import cli
from tests.models import classifiers
from tests.models.serve.conftest import WAIT_S, until

PROGRAM = """
import argparse, sys
from models.serve.cli import add_parser
parser = argparse.ArgumentParser()
add_parser(parser.add_subparsers())
args = parser.parse_args(["worker", *sys.argv[1:]])
sys.exit(args.run(args))
"""


@contextmanager
def command(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Runs `talewright worker …` in an empty folder's environment."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "OMP_NUM_THREADS", "PYTHONPATH")}
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *arguments],
        env={**kept, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_says_where_it_listens_serves_and_ends_cleanly_at_a_signal(llama_folder: Path) -> None:
    with command("--port", "0", "--model", str(llama_folder), "--device", "cpu", THREADS="1") as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line.startswith(f"{cli.LISTENING} http://127.0.0.1:")
        url = line.rpartition(" ")[2]
        assert httpx.get(f"{url}/health", timeout=WAIT_S).json()["status"] in ("loading", "ready")
        until(lambda: httpx.get(f"{url}/health", timeout=WAIT_S).status_code == 200, "the model is ready")
        body = {"model": "tiny-llama", "prompt": "Once", "max_tokens": 3}
        assert httpx.post(f"{url}/v1/completions", json=body, timeout=WAIT_S).status_code == 200
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, log
    assert "on cpu as torch.float32" in log
    assert "Traceback" not in log


def test_a_moderation_model_that_is_named_for_it_is_served_whomever_the_bot_asks(
    llama_folder: Path, tmp_path: Path
) -> None:
    guard = str(classifiers.make("bert", tmp_path / "guard"))
    given = ["--port", "0", "--model", str(llama_folder), "--device", "cpu", "--moderation-model", guard]
    with command(*given, THREADS="1", MODERATION_URL="https://elsewhere.example", MODERATION_MODEL="omni") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().rpartition(" ")[2]
        until(lambda: httpx.get(f"{url}/health", timeout=WAIT_S).status_code == 200, "the models are ready")
        assert httpx.get(f"{url}/health", timeout=WAIT_S).json()["moderation"] == "ready"
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, log
    assert "categories: hate, violence; no category: neutral" in log


def test_a_signal_while_the_model_loads_ends_it_too() -> None:
    with command("--port", "0", "--model", "nobody/nothing", HF_HUB_OFFLINE="1") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().rpartition(" ")[2]
        assert httpx.get(f"{url}/health", timeout=WAIT_S).status_code == 503
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, log


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["--port", "x"], {}, "WORKER_PORT: found 'x', wanted"),
        (["--device", "tpu"], {}, "DEVICE: found 'tpu', wanted"),
        ([], {"MAX_N": "none"}, "MAX_N: found 'none', wanted"),
        (["--host", "999.1.1.1"], {}, "WORKER_HOST and WORKER_PORT: found 999.1.1.1"),
    ],
)
def test_a_setting_that_cannot_be_used_exits_with_2(
    arguments: list[str], environment: dict[str, str], words: str
) -> None:
    with command(*arguments, **environment) as process:
        out, log = process.communicate(timeout=WAIT_S)
    assert (process.returncode, out) == (2, "")
    assert words in log


def test_a_port_that_is_taken_exits_with_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with command("--port", port) as process:
            _, log = process.communicate(timeout=WAIT_S)
    assert process.returncode == 2
    assert f"127.0.0.1 and {port}" in log


def test_torch_is_not_imported_before_openmp_is_set() -> None:
    program = "import sys, models.serve.app, models.serve.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
