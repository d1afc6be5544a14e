"""The tiny masked checkpoints, loaded once a session; tests leave them as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.engine.masked.checkpoint import MaskedCheckpoint, load_masked
from tests.models import masked


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MaskedCheckpoint]:
    root: Path = tmp_path_factory.mktemp("masked")
    return {kind: load_masked(str(masked.make(kind, root / kind)), device="cpu") for kind in masked.KINDS}


@pytest.fixture(params=masked.KINDS)
def checkpoint(request: pytest.FixtureRequest, loaded: dict[str, MaskedCheckpoint]) -> MaskedCheckpoint:
    """Each kind in turn."""
    return loaded[request.param]


@pytest.fixture
def bert(loaded: dict[str, MaskedCheckpoint]) -> MaskedCheckpoint:
    return loaded["bert"]


@pytest.fixture
def roberta(loaded: dict[str, MaskedCheckpoint]) -> MaskedCheckpoint:
    return loaded["roberta"]
