"""The tiny checkpoints, made once a session and loaded once a session; tests leave them as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the worker's extra is not installed")

from models.engine.checkpoint import Checkpoint, load_checkpoint
from tests.models import tiny


@pytest.fixture(scope="session")
def llama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make_llama(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def llama(llama_folder: Path) -> Checkpoint:
    return load_checkpoint(str(llama_folder), device="cpu")


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return load_checkpoint(str(tiny.make_gpt2(tmp_path_factory.mktemp("models") / "tiny-gpt2")), device="cpu")


@pytest.fixture(params=["llama", "gpt2"])
def checkpoint(request: pytest.FixtureRequest) -> Checkpoint:
    """Each family in turn."""
    loaded: Checkpoint = request.getfixturevalue(request.param)
    return loaded
