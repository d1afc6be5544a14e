"""What is set before torch is imported."""

from __future__ import annotations

import os

import pytest

from models.engine.environment import SPIN_COUNT, set_thread_environment

NAMES = ("OMP_NUM_THREADS", "GOMP_SPINCOUNT", "THP_MEM_ALLOC_ENABLE")


def test_only_what_the_host_has_not_set_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "7")  # so that it is put back afterwards, whatever happens
    set_thread_environment(None)
    assert [os.environ[name] for name in NAMES] == ["7", "7", "7"]
    for name in NAMES[1:]:
        monkeypatch.delenv(name)
    set_thread_environment(2)
    assert [os.environ[name] for name in NAMES] == ["2", SPIN_COUNT, "1"]
