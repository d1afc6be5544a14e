"""Two processes that a launcher starts train one model: text is read once, and tokens are counted for both."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from tests.models.train.toy import toy_settings, write_corpus

ROOT = Path(__file__).parents[3]


@pytest.mark.timeout(400)  # three interpreters import torch, which takes its time on a busy machine
@pytest.mark.skipif(torch.cuda.is_available(), reason="two processes would want two GPUs")
def test_two_processes_share_a_run(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    config = tmp_path / "run.yaml"
    config.write_text(yaml.safe_dump(toy_settings(max_steps=2, save_every=2, evaluate_every=2)))
    launched = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = ["-m", "models.train", "--config", config, "--data", tmp_path, "--out", tmp_path / "run"]
    done = subprocess.run([*launched, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["devices"], record["steps"]) == (2, 2)
    assert record["tokens_seen"] == 2 * 2 * 4 * 64
    assert (tmp_path / "run" / "checkpoint" / "model.safetensors").is_file()
