"""A subject in a real process: the fake peer answers, fails, dies, or takes too long."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.bench import process
from models.bench.environments import CannotPrepare
from models.bench.growth import Axis, measure_growth
from models.bench.http_cost import measure_http, through_worker
from models.bench.launching import Launcher
from models.bench.machine import Machine
from models.bench.measuring import Bench, Conditions
from models.bench.process import SubjectFailed, SubjectProcess
from models.bench.subjects import Subject
from models.bench.weights import Weights
from models.bench.workloads import Round
from tests.models.bench.fake import asked, command, place_runner

MACHINE = Machine(((1 << 20, 1e9),), 1e9, 1e9)


def start(folder: Path, patience_s: float = 30.0, **options: Any) -> SubjectProcess:
    return SubjectProcess(command(folder, **options), 1, folder / "log", patience_s)


def test_it_answers_as_often_as_it_is_asked_whatever_is_printed_meanwhile(tmp_path: Path) -> None:
    with start(tmp_path) as subject:
        assert subject.loading_bytes > 1 << 20
        for name in ("a", "b"):
            answered = subject.ask([(0.0, asked(name))], 5.0)
            answer = answered.answers[name]
            assert answer.rows == [[7, 8, 9, 10]] * 3
            assert answer.first_s is not None
            assert answer.done_s is not None
            assert 0 < answer.first_s <= answer.done_s <= answered.total_s
            assert answered.peak_bytes > 1 << 20
    assert "what a library says" in (tmp_path / "log").read_text()


def test_a_failure_is_told_in_a_line(tmp_path: Path) -> None:
    with start(tmp_path, raises="no room | none") as subject, pytest.raises(SubjectFailed) as told:
        subject.ask([(0.0, asked())], 5.0)
    assert str(told.value) == "ValueError: no room / none"


def test_a_death_is_told_with_its_last_words(tmp_path: Path) -> None:
    with (
        start(tmp_path, dies=True) as subject,
        pytest.raises(SubjectFailed, match="code 3: RuntimeError: the last words"),
    ):
        subject.ask([(0.0, asked())], 5.0)


def test_what_does_not_load_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        SubjectFailed, match="ended with code 1: ModuleNotFoundError: No module named 'engine_of_theirs'"
    ):
        start(tmp_path, missing=True)


def test_nobody_is_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "END_S", 0.1)
    began = time.monotonic()
    with pytest.raises(SubjectFailed, match="no answer within 0 s"):
        start(tmp_path, patience_s=0.3, slow_s=60)
    assert time.monotonic() - began < 20


def peer(**options: Any) -> Subject:
    return Subject("fake", "a fake", "fake_peer", options, is_converted=True, can_serve=True, precision="int8")


def make_bench(folder: Path, workloads: tuple[str, ...], lines: list[str]) -> Bench:
    launcher = Launcher(folder, 1, "cpu", "auto", 30.0, lines.append)
    return Bench(Conditions(workloads, 2, 0.5, 8.0, 30.0), MACHINE, launcher)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Weights:
    monkeypatch.setattr(process, "RUNNER", place_runner(tmp_path / "runners"))
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "weights.txt").write_text("w")
    return Weights("tiny", folder, 300, 1024, 1000, 100, 64, 512, (((1, 2, 3), 7), ((4, 5), 7), ((6,), 8)))


def test_a_peer_is_converted_and_measured_on_every_workload(tmp_path: Path, weights: Weights) -> None:
    lines: list[str] = []
    rows = make_bench(tmp_path, ("W1", "W2", "W3", "W4"), lines).measure(peer(), weights)
    assert (weights.folder / "fake" / "converted.txt").read_text() == "ww"
    assert [row["workload"] for row in rows] == ["W1", "W2", "W3", "W4"]
    assert [row["ballots"] for row in rows[:3]] == [1, 8, 5]
    assert all(len(row["runs_s"]) == 2 and row["total_s"] == min(row["runs_s"]) for row in rows[:3])
    assert rows[0]["float32_roofline_s"] > rows[0]["int8_roofline_s"] > 0
    assert rows[3]["unanswered"] == 0
    assert len(lines) == 4


def test_a_peer_that_cannot_be_converted_is_skipped_with_a_word_and_others_go_on(
    tmp_path: Path, weights: Weights
) -> None:
    (weights.folder / "broken").touch()
    lines: list[str] = []
    rows = make_bench(tmp_path, ("W1", "W4"), lines).measure(peer(), weights)
    assert [row["workload"] for row in rows] == ["W1", "W4"]
    assert all("no place for wte.weight" in row["skipped"] for row in rows)
    assert len(lines) == 1
    assert "skipped: ValueError: no place" in lines[0]


def test_a_peer_that_fails_is_tried_again_on_the_next_workload(tmp_path: Path, weights: Weights) -> None:
    rows = make_bench(tmp_path, ("W1", "W2"), []).measure(peer(raises="out of luck"), weights)
    assert [row["skipped"] for row in rows] == ["ValueError: out of luck"] * 2


def test_whoever_has_other_weights_is_not_measured(tmp_path: Path, weights: Weights) -> None:
    others = replace(weights, proofs=(*weights.proofs, ((7,), 9), ((8,), 10)))
    (row,) = make_bench(tmp_path, ("W1",), []).measure(peer(), others)
    assert row["skipped"] == "of 5 likeliest tokens only 2 are those of the weights"


def test_on_a_gpu_only_those_are_measured_that_run_there(tmp_path: Path, weights: Weights) -> None:
    launcher = Launcher(tmp_path, 1, "cuda", "auto", 30.0, lambda line: None)
    with pytest.raises(CannotPrepare, match="measured on a CPU only"):
        launcher.start(peer(), weights)


def test_conversions_and_environments_are_made_once(tmp_path: Path, weights: Weights) -> None:
    lines: list[str] = []
    bench = make_bench(tmp_path, ("W1",), lines)
    bench.measure(peer(), weights)
    (weights.folder / "weights.txt").unlink()  # a second conversion would fail
    assert "skipped" not in bench.measure(peer(), weights)[0]


def test_growth_is_measured_along_each_axis(tmp_path: Path, weights: Weights) -> None:
    launcher = Launcher(tmp_path, 1, "cpu", "auto", 30.0, lambda line: None)
    axes = (Axis("channels", (1, 3), lambda count: Round(prompt_tokens=20, new_tokens=4, num_channels=count)),)
    rows = measure_growth(peer(), weights, launcher, axes)
    assert [(row["axis"], row["x"], row["workload"], row["ballots"]) for row in rows] == [
        ("channels", 1, "1 channels", 1),
        ("channels", 3, "3 channels", 3),
    ]
    (row,) = measure_growth(peer(dies=True), weights, launcher, axes)
    assert row["skipped"].startswith("ended with code 3")


def test_what_http_costs_is_the_median_over_pairs(tmp_path: Path, weights: Weights) -> None:
    launcher = Launcher(tmp_path, 1, "cpu", "auto", 30.0, lambda line: None)
    slower = replace(peer(step_s=0.002), key="slower")
    rows = measure_http(replace(peer(step_s=0.001)), slower, weights, launcher, pairs=1)
    assert [row["workload"] for row in rows] == ["W1 over HTTP", "W2 over HTTP"]
    for row in rows:
        ratios = [served / alone for alone, served in row["pairs"]]
        assert len(ratios) == 3
        assert row["http_cost"] == pytest.approx(sorted(ratios)[1] - 1, abs=1e-3)
        assert row["http_cost"] > 0.2
    assert through_worker("int8").options == {"quantize": "int8"}


def test_the_runner_needs_nothing_but_the_standard_library() -> None:
    text = process.RUNNER.read_text()
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names | {"__future__"}
