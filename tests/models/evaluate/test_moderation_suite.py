"""A hand-made suite in HateCheck's columns, judged by files of verdicts, a checkpoint and a worker."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.cli import main
from models.evaluate.moderation import tally
from models.evaluate.moderation.suite import Case
from models.evaluate.numbers import Bootstrap, Number
from models.serve.config import load_config
from models.serve.loading import load
from tests.models import classifiers
from tests.models.classifiers import MULTI
from tests.models.serve.conftest import serve

COLUMNS = ("", "functionality", "case_id", "test_case", "label_gold", "target_ident", "templ_id")
CASES = (
    ("derog_h", "1", "Green people are cold.", "hateful", "green people", "1"),
    ("derog_h", "2", "Blue people are cold.", "hateful", "blue people", "1"),
    ("threat_h", "3", "Someone should send\nall green people home.", "hateful", "green people", "2"),
    ("ident_nh", "4", "Green people are kind.", "non-hateful", "green people", "3"),
    ("ident_nh", "5", "Blue people are kind.", "non-hateful", "blue people", "3"),
    ("object_nh", "6", "I can't stand cold soup.", "non-hateful", "", "4"),
)


def write_suite(path: Path, cases: Sequence[Sequence[str]] = CASES, columns: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([str(number), *case] for number, case in enumerate(cases))
    return path


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    return write_suite(tmp_path / "mini.csv")


def write_verdicts(path: Path, allowed: Sequence[bool], category: str = "slurs") -> Path:
    said = [{"allowed": each, "action": "refuse", "category": None if each else category} for each in allowed]
    path.write_text("".join(json.dumps(each) + "\n" for each in said))
    return path


def run(*words: object) -> int:
    return main(["evaluate", "moderation", *map(str, words)])


def sections(path: Path) -> dict[str, dict[str, Any]]:
    return {section["key"]: section for section in json.loads(path.read_text())["sections"]}


def row_of(section: dict[str, Any], model: str, group: str = "") -> dict[str, Any]:
    (row,) = (row for row in section["rows"] if (row["model"], row["group"]) == (model, group))
    return {key: None if number is None else number["value"] for key, number in row["numbers"].items()}


def test_verdicts_are_counted_as_by_hand(suite: Path, tmp_path: Path) -> None:
    words = write_verdicts(tmp_path / "words.jsonl", [False, False, True, True, False, True])
    out = tmp_path / "o.json"
    assert run("--cases", suite, "--verdicts", words, "--json", out, "--resamples", 20) == 0
    found = sections(out)
    assert list(found) == ["moderation", "functionalities", "targets"], "nothing to move a threshold of"
    f1, f1_other = 2 * 2 / (2 * 2 + 1 + 1), 2 * 2 / (2 * 2 + 1 + 1)
    assert row_of(found["moderation"], "words") == pytest.approx(
        {
            "accuracy": 4 / 6,
            "recall": 2 / 3,
            "passed": 2 / 3,
            "precision": 2 / 3,
            "f1": f1,
            "f1_other": f1_other,
            "macro_f1": (f1 + f1_other) / 2,
        }
    )
    by_kind = {name: row_of(found["functionalities"], "words", name) for name in ("derog_h", "threat_h", "ident_nh")}
    assert by_kind == {
        "derog_h": {"num": 2, "right": 1.0},
        "threat_h": {"num": 1, "right": 0.0},
        "ident_nh": {"num": 2, "right": 0.5},
    }
    assert row_of(found["targets"], "words", "green people") == pytest.approx(
        {"num": 3, "right": 2 / 3, "recall": 0.5, "passed": 1.0}
    )
    assert row_of(found["targets"], "words", "blue people")["passed"] == 0.0
    notes = {row["group"]: row["note"] for row in found["functionalities"]["rows"]}
    assert (notes["derog_h"], notes["ident_nh"]) == ("hateful", "not hateful")


def test_those_who_flag_all_or_nothing_stand_beside(suite: Path, tmp_path: Path) -> None:
    words = write_verdicts(tmp_path / "words.jsonl", [True] * 6)
    out = tmp_path / "o.json"
    run("--cases", suite, "--verdicts", words, "--json", out, "--resamples", 5)
    overall = sections(out)["moderation"]
    everything, nothing = row_of(overall, "everything flagged"), row_of(overall, "nothing flagged")
    assert (everything["recall"], everything["passed"]) == (1, 0)
    assert (nothing["recall"], nothing["passed"], nothing["precision"], nothing["f1"]) == (0, 1, None, 0)
    assert row_of(overall, "words") == nothing


@pytest.mark.parametrize(
    ("right", "num", "low", "high"),
    [(5, 10, 0.2366, 0.7634), (8, 10, 0.4902, 0.9433), (10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (1, 1, 0.2065, 1)],
)
def test_wilson_s_interval(right: int, num: int, low: float, high: float) -> None:
    found = tally.wilson(right, num)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    assert (found.value, found.n) == (right / num, num)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    assert tally.wilson(0, 0) is None


def test_cases_of_one_template_are_drawn_together() -> None:
    """A hundred copies of two cases tell no more than the two."""

    def interval(copies: int, *, is_shared: bool) -> Number:
        cases, flags = [], []
        for i in range(10):
            for j in range(copies):
                template = str(i) if is_shared else f"{i} {j}"
                cases.append(Case(f"{i}-{j}", "f", "t", i % 2 == 0, "", template))
                flags.append(i % 3 == 0)
        found = tally.overall(cases, flags, Bootstrap(300), ["accuracy"])["accuracy"]
        assert found is not None
        return found

    few, shared, apart = interval(1, is_shared=True), interval(50, is_shared=True), interval(50, is_shared=False)
    assert (few.low, few.high) == (shared.low, shared.high)
    assert apart.low is not None
    assert few.low is not None
    assert apart.low > few.low


def test_f1_is_that_of_its_definition() -> None:
    sums = np.array([3.0, 1.0, 2.0, 4.0])
    precision, recall = 3 / 5, 3 / 4
    assert tally.f1(sums) == pytest.approx(2 * precision * recall / (precision + recall))
    assert tally.f1_other(sums) == pytest.approx(2 * (4 / 5) * (4 / 6) / (4 / 5 + 4 / 6))


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged") / "guard"
    return classifiers.make("bert", folder, MULTI, "multi_label_classification")


@pytest.fixture(scope="module")
def guard_url(guard: Path, babbler: Path) -> Iterator[str]:
    config = load_config(None, model=str(babbler), moderation_model=str(guard), device="cpu", cache_mb="4")
    with serve(lambda: load(config)) as running:
        yield running.url


@pytest.fixture
def long_suite(tmp_path: Path) -> Path:
    """More cases than are asked for at once, of many scores."""
    words = "king queen dragon night gold silver".split()
    return write_suite(
        tmp_path / "long.csv",
        [
            ("a_h" if i % 2 else "b_nh", str(i), f"the {words[i % 6]} {'sat ' * i}", gold, "", str(i // 4))
            for i in range(40)
            for gold in (("hateful" if i % 2 else "non-hateful"),)
        ],
    )


def test_a_checkpoint_and_its_worker_judge_alike(guard: Path, guard_url: str, long_suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.json"
    assert run(guard, f"{guard_url}#guard", guard_url, "--cases", long_suite, "--json", out, "--resamples", 5) == 0
    overall = sections(out)["moderation"]
    scores = {row["model"]: row["details"].get("scores") for row in overall["rows"]}
    address = guard_url.removeprefix("http://")
    assert scores["guard"] == pytest.approx(scores[f"guard at {address}"], abs=1e-5)
    assert scores[address] == pytest.approx(scores["guard"], abs=1e-5)
    assert len(set(scores["guard"])) > 10
    models = json.loads(out.read_text())["header"]["models"]
    assert models["guard"]["categories"] == " ".join(MULTI)
    assert models[address]["answered"] == "guard"


def test_other_thresholds_flag_what_their_scores_say(guard: Path, long_suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.json"
    assert run(guard, "--cases", long_suite, "--json", out, "--resamples", 5, "--threshold", 0.3) == 0
    found = sections(out)
    row = next(row for row in found["moderation"]["rows"] if row["model"] == "guard")
    assert row["details"]["flags"] == [score >= 0.3 for score in row["details"]["scores"]]
    sweep = found["thresholds"]["rows"]
    assert [each["group"] for each in sweep] == [f"from {0.05 * i:.2f}" for i in range(1, 20)]
    same = row_of(found["thresholds"], "guard", "from 0.30")
    assert same == {key: row_of(found["moderation"], "guard")[key] for key in same}
    recalls = [each["numbers"]["recall"]["value"] for each in sweep]
    assert recalls == sorted(recalls, reverse=True)
    best = [each["numbers"]["macro_f1"]["value"] for each in sweep if each["note"]]
    assert best == [max(each["numbers"]["macro_f1"]["value"] for each in sweep)]


def test_only_the_categories_that_are_named_count(guard: Path, long_suite: Path, tmp_path: Path) -> None:
    def judged(*more: str) -> dict[str, Any]:
        out = tmp_path / "o.json"
        assert run(guard, "--cases", long_suite, "--json", out, "--resamples", 5, *more) == 0
        details: dict[str, Any] = sections(out)["moderation"]["rows"][0]["details"]
        return details

    every, one = judged(), judged("--categories", "violence")
    assert set(one["reasons"]) <= {"violence", None}
    assert all(a >= b for a, b in zip(every["scores"], one["scores"], strict=True))
    assert every["scores"] != one["scores"]
    renamed = judged("--labels", '{"hate": null, "sexual/minors": null}')
    assert renamed["scores"] == one["scores"]


def test_a_refusal_for_a_category_that_does_not_count_is_none(suite: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.jsonl"
    said = ["slurs", "profanity", None, "slurs", None, "profanity"]
    words.write_text("".join(json.dumps({"allowed": each is None, "category": each}) + "\n" for each in said))
    out = tmp_path / "o.json"
    assert run("--cases", suite, "--verdicts", words, "--json", out, "--resamples", 5, "--categories", "slurs") == 0
    details = sections(out)["moderation"]["rows"][0]["details"]
    assert details["flags"] == [True, False, False, True, False, False]
    assert details["reasons"] == ["slurs", None, None, "slurs", None, None]


def test_the_report_is_three_files_and_shows_no_case(suite: Path, guard: Path, tmp_path: Path) -> None:
    words = write_verdicts(tmp_path / "words.jsonl", [True, False, True, True, True, False])
    assert run(guard, "--cases", suite, "--verdicts", words, "--report", tmp_path / "out", "--resamples", 5) == 0
    texts = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert texts.keys() == {"report.json", "report.md", "report.html"}
    assert texts["report.md"].count("\n| model |") == 4
    assert texts["report.html"].count("<svg") >= 3
    assert not [name for name, text in texts.items() if "cold soup" in text]
    header = json.loads(texts["report.json"])["header"]
    assert [text["name"] for text in header["texts"]] == ["mini.csv", "words.jsonl"]
    assert header["models"]["words"] == {"kind": "verdicts", "file": "words.jsonl"}


def test_texts_are_written_for_judges_that_read_files(suite: Path, tmp_path: Path) -> None:
    assert run("--cases", suite, "--write-texts", tmp_path / "t.txt") == 0
    lines = (tmp_path / "t.txt").read_text().splitlines()
    assert len(lines) == len(CASES)
    assert lines[2] == "Someone should send all green people home."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nobody judges"),
        (["--verdicts", "{short}"], "has 5 verdicts, and the suite has 6 cases"),
        (["--verdicts", "{odd}"], 'line 6: wanted an object with "allowed"'),
        (["--verdicts", "{nojson}"], "line 6 is not JSON"),
        (["--verdicts", "/nowhere.jsonl"], "/nowhere.jsonl"),
        (["--verdicts", "{good}", "{good}"], "two of these have one name: good, good"),
        (["{guard}", "--threshold", "0"], "threshold is 0.0"),
        (
            ["{guard}", "--categories", "kindness"],
            "nobody has a category kindness; there are hate, sexual/minors, viol",
        ),
        (["{guard}", "--verdicts", "{good}", "--categories", "slurs"], "guard has none of the categories that count"),
        (["{guard}", "--labels", "[]"], "--labels: wanted a JSON object"),
        (["{guard}", "--labels", '{"x": "y"}'], "it has no label x"),
        (["{guard}", "--resamples", "0"], "resamples is 0"),
        (["/nowhere/model"], "cannot load /nowhere/model as a text classifier"),
        (["http://127.0.0.1:9"], "127.0.0.1:9"),
    ],
)
def test_what_can_not_be_done_is_said(
    words: list[str], said: str, suite: Path, guard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / f"{name}.jsonl" for name in ("short", "odd", "nojson", "good")}
    for name, more in (
        ("short", ""),
        ("odd", '{"allowed": 1}\n'),
        ("nojson", "{\n"),
        ("good", '{"allowed": false, "category": "slurs"}\n'),
    ):
        files[name].write_text('{"allowed": true}\n' * 5 + more)
    places = {**{name: str(path) for name, path in files.items()}, "guard": str(guard)}
    given = [places.get(word.strip("{}"), word) for word in words]
    assert run("--cases", suite, "--json", tmp_path / "o.json", "--device", "cpu", *given) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "o.json").exists()


@pytest.mark.parametrize(
    ("cases", "columns", "said"),
    [
        (
            CASES,
            ("", "functionality", "case_id", "text", "label_gold", "target_ident", "templ_id"),
            "no column test_case",
        ),
        ([*CASES, ("x", "7", "text", "maybe", "", "")], COLUMNS, "case 7: label_gold is 'maybe'"),
        ([("x", "1", " ", "hateful", "", "")], COLUMNS, "case 1: its text or its functionality is empty"),
        ([], COLUMNS, "has no cases"),
    ],
)
def test_a_suite_that_can_not_be_used_is_named(
    cases: Any, columns: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_suite(tmp_path / "s.csv", cases, columns)
    assert run("--cases", path, "--verdicts", path) == 2
    assert said in capsys.readouterr().err


def test_a_server_without_such_a_model_is_told_of(
    worker_url: str, suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(worker_url, "--cases", suite) == 2
    assert "answered 404: this worker serves no moderation model" in capsys.readouterr().err
