"""From the command to its report: made again from its header, put beside others, written in three shapes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bot.cli import main
from models.evaluate.header import Header
from models.evaluate.report.markdown import to_markdown
from models.evaluate.report.page import to_page
from models.evaluate.section import Row, Sample, Section

SMALL = "--prompts 2 --passage-words 20 --before-words 40 --max-tokens 16 --n 2 --resamples 10".split()


def run(*words: object) -> int:
    return main(["evaluate", *map(str, words)])


@pytest.fixture(scope="module")
def report(babbler: Path, stories: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report with every measure and both baselines."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "counted.txt").write_text(stories.read_text()[:3000])
    baselines = ["--baseline", "untrained", "ngram", "--ngram-text", folder / "counted.txt", "--ngram-order", 3]
    assert run(babbler, "--text", stories, "--report", folder / "out", *baselines, *SMALL) == 0
    return folder / "out"


def read(path: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(path.read_text())
    return said


def comparable(said: dict[str, Any]) -> Any:
    """The sections without those that are of the machine's moment."""
    return [section for section in said["sections"] if not section["is_here_only"]]


def test_a_report_is_made_again_from_its_header(report: Path, tmp_path: Path) -> None:
    said = read(report / "report.json")
    words = said["header"]["argv"]
    words[words.index("--report") + 1] = str(tmp_path / "again")
    assert main(words) == 0
    again = read(tmp_path / "again" / "report.json")
    assert comparable(again) == comparable(said)
    assert again["header"]["texts"] == said["header"]["texts"]
    assert again["header"]["models"] == said["header"]["models"]


def test_another_seed_makes_another_report(report: Path, tmp_path: Path) -> None:
    said = read(report / "report.json")
    words = [*said["header"]["argv"], "--seed", "5", "--measures", "generation"]
    words[words.index("--report") + 1] = str(tmp_path / "other")
    assert main(words) == 0
    assert comparable(read(tmp_path / "other" / "report.json"))[0]["rows"] != comparable(said)[1]["rows"]


def test_every_subject_is_in_every_section_with_numbers_or_a_reason(report: Path) -> None:
    said = read(report / "report.json")
    labels = ["babbler", "babbler, untrained", "3-gram of bytes"]
    assert list(said["header"]["models"]) == labels
    assert [section["key"] for section in said["sections"]] == ["bits", "generation", "hints", "infilling", "speed"]
    for section in said["sections"]:
        assert set(labels) <= {row["model"] for row in section["rows"]}
        for row in section["rows"]:
            assert row["numbers"] or row["note"].startswith("not available: ")
        assert section["settings"]["bootstrap"]["resamples"] == 10


def test_the_header_says_what_was_read_and_run(report: Path, stories: Path) -> None:
    header = read(report / "report.json")["header"]
    assert header["texts"][0]["bytes"] == len(stories.read_bytes())
    assert re.fullmatch(r"[0-9a-f]{64}", header["texts"][0]["sha256"])
    assert re.fullmatch(r"[0-9a-f]{12}", header["models"]["babbler"]["revision"])
    assert {"python", "torch", "transformers", "sacrebleu"} <= header["versions"].keys()
    assert header["machine"]["threads"] >= 1


def test_the_page_needs_nothing_beside_itself(report: Path) -> None:
    page = (report / "report.html").read_text()
    assert page.count("<svg") >= 4
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(drawing)  # our own drawing
    addresses = re.findall(r"(?:src|href)=\"(?!#)([^\"]*)\"", page)
    assert [a for a in addresses if not a.startswith("data:")] == []
    assert "<script" not in page
    assert "3-gram of bytes" in page


def test_the_markdown_has_the_command_and_a_table_for_each_section(report: Path) -> None:
    text = (report / "report.md").read_text()
    assert "talewright evaluate" in text
    assert text.count("\n| model |") == 5
    assert "perplexity per token" in text


def test_text_of_a_model_can_not_break_the_page() -> None:
    header = Header(("evaluate", "<b>"), "now", {"<i>": {"kind": "x"}}, (), {}, {}, None, {})
    row, sample = Row("<i>|", "<u>", note="<s>"), Sample("<p>", (("<q>", "<script>alert(1)</script>"),))
    section = Section("k", "t", "<em>", {"a": "<a>"}, "u", (), (row,), samples=(sample,))
    page = to_page("<h>", header, [section])
    for tag in ("<b>", "<i>", "<u>", "<s>", "<q>", "<script>", "<em>", "<a>", "<h>"):
        assert tag not in page.partition("<body>")[2]
    assert "\\|" in to_markdown("t", header, [section])


def test_other_reports_stand_beside_and_say_what_differs(
    report: Path, babbler: Path, stories: Path, tmp_path: Path
) -> None:
    out = tmp_path / "both.json"
    small = [*SMALL, "--measures", "generation", "--seed", 9]
    other = report / "report.json"
    assert run(babbler, "--text", stories, "--json", out, "--with", other, *small) == 0
    sections = {section["key"]: section for section in read(out)["sections"]}
    borrowed = [row for row in sections["generation"]["rows"] if row["model"] == "babbler (out)"]
    assert "other settings: bootstrap, cases, writing" in borrowed[0]["note"]
    assert {row["model"] for row in sections["hints"]["rows"]} >= {"babbler (out)", "3-gram of bytes (out)"}


def test_a_url_is_evaluated_like_a_checkpoint(
    babbler: Path, worker_url: str, stories: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "both.json"
    measures = ["--measures", "bits", "generation", "infilling", "--sampling", "temperature=0.9"]
    assert run(babbler, worker_url, "--text", stories, "--json", out, *measures, *SMALL) == 0
    said = read(out)
    here, there = said["header"]["models"]
    assert there == f"babbler at {worker_url.removeprefix('http://')}"
    for section in said["sections"][:2]:
        rows = {model: [row for row in section["rows"] if row["model"] == model] for model in (here, there)}
        for mine, theirs in zip(rows[here], rows[there], strict=True):
            for key, number in mine["numbers"].items():
                if number and key not in ("words_p10", "words_p90"):
                    assert theirs["numbers"][key]["value"] == pytest.approx(number["value"], rel=1e-3)
    rewriting = said["sections"][-1]
    assert rewriting["key"] == "rewriting"
    assert "unknown field middle" in rewriting["rows"][-1]["note"] or "middle" in rewriting["rows"][-1]["note"]
    assert "bits per byte" in capsys.readouterr().out


def test_stories_too_short_for_cases_leave_out_what_needs_them(
    babbler: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "short.txt").write_text("Fox River Bell.")
    out = tmp_path / "o.json"
    assert run(babbler, "--text", tmp_path / "short.txt", "--json", out, *SMALL) == 0
    assert "left out: generation, hints, infilling, speed" in capsys.readouterr().out
    said = read(out)
    assert [section["key"] for section in said["sections"]] == ["bits"]
    assert "left out" in said["header"]["settings"]["left_out"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prompts", "0"], "prompts is 0; it must be at least 1"),
        (["--n", "0"], "n is 0; it must be between 1 and 999"),
        (["--sampling", "temperature=5"], "temperature must be between 0 and 2"),
        (["--sampling", "heat=1"], "unknown sampling field heat"),
        (["--sampling", "temperature=hot"], "wanted FIELD=VALUE"),
        (["--baseline", "ngram"], "--ngram-text go together"),
        (["--resamples", "0"], "resamples is 0"),
        (["--max-chars", "0"], "--max-chars is 0"),
        (["--window", "1"], "window is 1"),
        (["--with", "/nowhere.json"], "is no report"),
        (["--api-key-file", "/nowhere"], "--api-key-file"),
    ],
)
def test_a_wrong_option_is_named(
    babbler: Path, stories: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(babbler, "--text", stories, *words) == 2
    assert said in capsys.readouterr().err


def test_help_and_unknown_options_are_the_command_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("decoding", "--help")
    assert ended.value.code == 0
    assert "talewright evaluate decoding" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        run("model", "--text", "x", "--no-such-thing")
    assert ended.value.code == 2
    assert "--no-such-thing" in capsys.readouterr().err


def test_options_may_come_before_models(babbler: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--measures", "bits", "--text", tmp_path / "none.txt", "--", babbler) == 2
    assert "no such file" in capsys.readouterr().err
