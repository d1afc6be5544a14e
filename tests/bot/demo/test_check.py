"""`talewright demo --check`: real bot, real worker, a tiny model of random words."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the worker's extra is not installed")

from bot.demo.check import check
from tests.models.babbler import make_babbler

# A worker imports torch, which takes its time on a machine that has other things to do.
pytestmark = pytest.mark.timeout(480)


async def test_an_evening_is_played_from_the_first_command_to_the_round_after_a_restart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await check(str(make_babbler(tmp_path / "babbler"))) == 0, capsys.readouterr().out
    steps = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ok ")]
    assert len(steps) == 23
    assert all(" s  " in line for line in steps)


async def test_a_model_that_cannot_load_fails_the_check_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await check(str(tmp_path / "no-such-model")) == 1
    said = capsys.readouterr().out
    assert "FAILED       the worker has loaded its model" in said
    assert "no-such-model" in said
