"""A whole run on a tiny model, in real processes. (How fast anything is, no test says.)"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.cli import main
from models.bench import cli, measuring, whole
from models.bench.growth import Axis
from models.bench.machine import Machine
from models.bench.workloads import Round
from tests.models import tiny


def test_a_whole_run_measures_reports_and_says_what_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "models"
    tiny.make_llama(root / "storyteller")
    monkeypatch.setattr(cli, "ROOT", root)
    monkeypatch.setattr(whole, "measure", lambda device: Machine(((1, 1e9),), 1e9, None))
    monkeypatch.setitem(measuring.ROUNDS, "W1", Round(prompt_tokens=20, new_tokens=4))
    report = tmp_path / "report"
    code = main(
        [
            *("bench", "engine", "--workload", "W1", "W4", "--seconds", "1", "--rate", "4", "--quantize", "none"),
            *("--peers", "none", "--threads", "1", "--device", "cpu", "--runs", "2"),
            *("--peer-envs", str(tmp_path / "cache"), "--report", str(report)),
        ]
    )
    said = capsys.readouterr().out
    assert code == 0
    record = json.loads((report / "engine.json").read_text())
    assert [(row["workload"], row["subject"], row.get("skipped")) for row in record["rows"]] == [
        ("W1", "engine", None),
        ("W4", "engine", None),
    ]
    assert record["conditions"]["threads"] == 1
    assert "bundled, W1, engine: " in said
    assert "| engine |" in (report / "engine.md").read_text()
    assert said.rstrip().endswith("|")


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ([], []),
        (["--curves"], ["tokens of context", "candidates", "channels"]),
        (["--curves", "channels", "context"], ["tokens of context", "channels"]),
    ],
)
def test_only_the_curves_that_are_named_are_measured(
    said: list[str], wanted: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[str] = []

    def measure_engine(*_: object, axes: tuple[Axis, ...], **__: object) -> dict[str, object]:
        seen.extend(axis.name for axis in axes)
        return {}

    monkeypatch.setattr(whole, "measure_engine", measure_engine)
    assert main(["bench", "engine", "--peer-envs", str(tmp_path), *said]) == 0
    assert seen == wanted
