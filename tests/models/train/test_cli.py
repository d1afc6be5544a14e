"""`talewright train` and its subcommands: flags in, one sentence and an exit code out."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from models.train.cli import add_parser
from models.train.curves import draw_curves
from models.train.record import metric_rows, write_metrics

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def call(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["train", *arguments])
    return int(args.run(args))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "sed=3"], "sed is no key; the nearest is seed"),
        (["--set", "phases=[{sources: [{path: a.txt}]}]"], "no such text"),
    ],
)
def test_what_stops_it_is_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("--data", str(tmp_path), "--out", str(tmp_path / "run"), *arguments) == 2
    assert sentence in capsys.readouterr().err


def test_a_run_needs_data_and_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        call("--config", "x.yaml")
    assert "--data and --out are needed" in capsys.readouterr().err


def test_exporting_and_merging_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("export", str(tmp_path), "--out", str(tmp_path / "out")) == 2
    assert "is no folder of a run" in capsys.readouterr().err
    assert call("merge", str(tmp_path), "--out", str(tmp_path / "out")) == 2
    assert "cannot merge" in capsys.readouterr().err


def test_a_figure_that_is_no_number_is_left_empty_in_json(tmp_path: Path) -> None:
    rows = metric_rows([{"step": 2, "loss": float("nan")}, {"step": 2, "eval_loss": 1.5}, {"train_runtime": 3}], 10)
    assert [row["tokens"] for row in rows] == [20, 20]
    write_metrics(rows, tmp_path)
    assert "NaN" not in (tmp_path / "metrics.json").read_text()
    assert (tmp_path / "metrics.csv").read_text().splitlines()[2] == "2,20,,1.5,,"


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_curves_are_drawn_the_same_each_time(ending: str, tmp_path: Path) -> None:
    rows = metric_rows(
        [{"step": n, "loss": 5.0 / n, "learning_rate": 0.1} for n in range(1, 9)] + [{"step": 8, "eval_loss": 0.9}], 10
    )
    first, second = (tmp_path / f"{name}.{ending}" for name in ("a", "b"))
    draw_curves(rows, first)
    draw_curves(rows, second)
    assert first.read_bytes() == second.read_bytes()
    draw_curves(rows[:4], second)
    assert first.read_bytes() != second.read_bytes()
