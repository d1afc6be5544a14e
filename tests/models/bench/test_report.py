"""From a record to tables, pictures and the report; and the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from models.bench.figures import Row
from models.bench.record import RecordError, merge, read_records, write_record
from models.bench.report import fill, write_report
from models.bench.sections import make_sections
from models.bench.subjects import BASELINE

ABOUT = {"model": "gpt2", "precision": "float32"}


def round_of(subject: str, workload: str, total_s: float, **more: Any) -> Row:
    figures = {"total_s": total_s, "first_token_s": 0.1, "tokens_s": 240 / total_s, "ballots": 1, "runs_s": [total_s]}
    roof = {"float32_roofline_s": 1.0, "int8_roofline_s": 0.5, "peak_mb": 700, "loading_mb": 900}
    return {**ABOUT, "subject": subject, "workload": workload, **figures, **roof, **more}


def arrivals_of(subject: str, **more: Any) -> Row:
    times = {
        "first_token_s": 0.2,
        "sentence_p50_s": 0.5,
        "sentence_p95_s": 1.0,
        "ballot_p50_s": 3.0,
        "ballot_p95_s": 9.0,
    }
    counts = {"requests": 60, "unanswered": 0, "on_time": 0.95, "goodput_per_minute": 28.5, "fairness": 0.9}
    rest = {"total_s": 123.0, "tokens_s": 80.0, "peak_mb": 800, "loading_mb": 900}
    return {
        **ABOUT,
        "subject": subject,
        "workload": "W4",
        "rate": 0.5,
        "seconds": 120.0,
        **times,
        **counts,
        **rest,
        **more,
    }


def record() -> dict[str, Any]:
    growth = [
        {
            "model": "gpt2",
            "subject": name,
            "workload": f"{x} {axis}",
            "axis": axis,
            "x": x,
            "total_s": x / 100,
            "first_token_s": x / 1000,
            "tokens_s": 1.0,
        }
        for axis in ("tokens of context", "channels")
        for x in (1, 4, 16)
        for name in ("engine", "engine, int8")
    ]
    http = {"model": "gpt2", "subject": "engine", "workload": "W1 over HTTP", "total_s": 2.04, "engine_s": 2.0,
            "first_token_s": 0.11, "engine_first_token_s": 0.1, "http_cost": 0.02, "tokens_s": 1.0}  # fmt: skip
    return {
        "conditions": {"threads": 2, "device": "cpu", "runs": 3, "price_per_hour": 0.1},
        "machine": {"reads": [[1 << 21, 9e10], [1 << 29, 2e10]], "flops_s": 3e11, "int8_ops_s": 9e11},
        "processor": "A Processor",
        "versions": {"torch": "2", "transformers": "5"},
        "rows": [
            round_of("engine", "W1", 2.0),
            round_of("engine, int8", "W1", 1.0, precision="int8"),
            round_of(BASELINE, "W1", 8.0),
            {**ABOUT, "subject": "llama.cpp, Q8_0", "workload": "W1", "skipped": "no compiler"},
            arrivals_of("engine"),
            arrivals_of("generic path", ballot_p95_s=None, fairness=None, unanswered=3),
        ],
        "growth": growth,
        "http": [http],
        "acceptance": [{"sampling": "greedy", "draft": "x", "k": k, "tokens_per_step": 1.0 + k / 10} for k in (1, 2)],
        "steps": [{"model": "gpt2", "subject": "engine", "step_ms": {"1": 10.0, "2": 12.0}}],
        "speculation": [
            {"sampling": name, "draft": "x", "k": k, "n": 1, "model": "gpt2", "subject": "engine", "speed_up": k / 2}
            for name in ("temperature 0.9", "greedy") for k in (1, 2)
        ],
    }  # fmt: skip


def line(text: str, beginning: str) -> list[str]:
    (found,) = [line for line in text.splitlines() if line.startswith(f"| {beginning} |")]
    return [cell.strip() for cell in found.strip("|").split("|")]


def test_tables_tell_ratios_rooflines_costs_and_why_someone_is_missing() -> None:
    sections = make_sections(record())
    speed = sections["speed"]
    assert line(speed, "engine") == ["engine", "0.100", "2.00", "120", "4.0", "50%", "", "0.056"]
    assert line(speed, "engine, int8")[5:7] == ["100%", "50%"]
    assert line(speed, "llama.cpp, Q8_0")[1] == "skipped: no compiler"
    assert line(sections["arrivals"], "generic path")[8:] == ["not in time", "95%", "28.5", "", "80"]
    assert line(sections["arrivals"], "generic path")[2:4] == ["0.5", "120"]
    assert line(sections["memory"], "engine") == ["engine", "800", "900"]
    assert line(sections["http"], "gpt2, engine, W1")[3] == "+2.0%"
    assert line(sections["growth"].split("channels")[1], "engine") == ["engine", "0.01", "0.04", "0.16"]
    assert "90 (2 MB), 20 (512 MB)" in sections["conditions"]
    assert sections["speculation"].endswith(
        "Lost: sampled stories would be written at most 1.00 times as fast (x, k = 2, n = 1, gpt2, engine)."
    )


def test_each_aim_is_held_against_its_worst_figure() -> None:
    measured = record()
    measured["rows"] += [
        round_of(name, "W2", seconds, model=model)
        for model, name, seconds in (
            ("gpt2", "engine, int8", 4.0), ("gpt2", "OpenVINO GenAI, int8", 8.0),
            ("bundled", "engine, int8", 4.0), ("bundled", "OpenVINO GenAI, int8", 5.0),
            ("bundled", "engine", 2.0), ("bundled", BASELINE, 6.0),
        )
    ]  # fmt: skip
    measured["rows"].append(round_of("engine", "W3", 2.0, first_token_s=0.03))
    measured["rows"].append(arrivals_of("transformers, continuous batching", ballot_p95_s=30.0))
    measured["rows"].append(arrivals_of("OpenVINO GenAI, int8", ballot_p95_s=None))
    said = make_sections(measured)["aims"]
    assert line(said, "float32, GPT-2, W1: 70 % of the roofline")[1:] == ["50%", "gpt2, W1", "no"]
    assert line(said, "int8, GPT-2, W1: 60 % of the roofline")[1:] == ["50%", "gpt2, W1", "no"]
    assert line(said, "int8: 1.5 times OpenVINO's int8")[1:] == ["1.2 times", "bundled, W2", "no"]
    assert line(said, "float32: 4 times the tutorial's way")[1:] == ["3.0 times", "bundled, W2", "no"]
    assert line(said, "a returning channel's first token: 50 ms")[1:] == ["30 ms", "gpt2, engine", "yes"]
    arrivals = line(said, "W4: half of the next best engine's p95 to the ballot")
    assert arrivals[1:] == ["30%", "gpt2, beside transformers, continuous batching", "yes"]
    assert line(said, "HTTP and streaming: 5 %")[1:] == ["+2.0%", "gpt2, W1, engine", "yes"]
    assert "llama.cpp" not in said  # nothing was measured


def test_without_figures_there_are_no_sections() -> None:
    assert make_sections({}) == {}


def test_the_report_keeps_its_words_and_gets_new_figures(tmp_path: Path) -> None:
    (tmp_path / "engine.md").write_text(
        "# Mine\n\nWords before.\n\n<!-- figures: speed -->\nold\n<!-- /figures -->\n\nWords after.\n"
    )
    path = write_report(record(), tmp_path)
    text = path.read_text()
    assert text.startswith("# Mine\n\nWords before.\n\n<!-- figures: speed -->\n![Rounds, gpt2](engine-speed-gpt2.svg)")
    assert "\nold\n" not in text
    assert "<!-- /figures -->\n\nWords after.\n\n## Where and how\n\n<!-- figures: conditions -->" in text
    pictures = {picture.name: picture.read_bytes() for picture in tmp_path.glob("*.svg")}
    assert set(pictures) == {f"engine-{kind}-gpt2.svg" for kind in ("speed", "arrivals", "growth")}
    assert all(b"<svg" in picture and len(picture) > 2000 for picture in pictures.values())
    assert b"engine, int8" in pictures["engine-speed-gpt2.svg"]
    assert write_report(record(), tmp_path).read_text() == text  # and the pictures, to the byte
    assert {picture.name: picture.read_bytes() for picture in tmp_path.glob("*.svg")} == pictures


def test_markers_without_figures_are_left_alone() -> None:
    text = "<!-- figures: http -->\nold\n<!-- /figures -->\n"
    assert fill(text, {}) == text
    assert fill(text, {"http": "new"}) == "<!-- figures: http -->\nnew\n<!-- /figures -->\n"


def test_a_later_run_adds_to_a_record_and_takes_the_place_of_what_it_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "engine.json"
    write_record(record(), path)
    write_record({"rows": [round_of("engine", "W1", 1.5), round_of("engine", "W2", 9.0)]}, path)
    rows = json.loads(path.read_text())["rows"]
    assert len(rows) == 7
    assert [row["total_s"] for row in rows if (row["subject"], row["workload"]) == ("engine", "W1")] == [1.5]
    assert merge({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
    path.write_text("no JSON")
    with pytest.raises(RecordError, match=r"engine\.json"):
        read_records([path])


def test_the_command_writes_a_report_from_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.json").write_text(json.dumps(record()))
    assert main(["bench", "report", str(tmp_path / "a.json"), "--report", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "engine.md")
    assert main(["bench", "report", str(tmp_path / "none.json"), "--report", str(tmp_path)]) == 2
    assert "none.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--model", "gpt5"), "no model gpt5; there are bundled, gpt2"),
        (("--peers", "vllm"), "no peer vllm; there are none, transformers, all, generic"),
    ],
)
def test_names_that_nobody_knows_are_refused(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "engine", *arguments, "--peer-envs", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_record_that_cannot_be_read_shows_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "engine.json").write_text("no JSON")
    assert main(["bench", "engine", "--json", str(tmp_path / "engine.json"), "--peer-envs", str(tmp_path)]) == 2
    assert "engine.json" in capsys.readouterr().err
