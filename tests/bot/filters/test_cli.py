"""`talewright filters check`: one JSON verdict per line, whatever the line is."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from bot.filters.cli import add_parser


def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lines: bytes, *args: str) -> Any:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    chosen = parser.parse_args(["filters", "check", *args])
    code = chosen.run(chosen)
    said = capsys.readouterr()
    return [json.loads(line) for line in said.out.splitlines()] if code == 0 else (code, said.err)


def test_every_line_has_a_verdict_in_order(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = "a wolf\n\nwhat the f\u0336uck\r\n\u2028x\nlast \ud83e\udd8a".encode("utf-8", "surrogatepass") + b" \xff"
    records = check(monkeypatch, capsys, lines)
    assert [record["allowed"] for record in records] == [True, True, False, True, True]
    assert records[0] == {
        "allowed": True, "action": None, "rule": None, "category": None, "start": None, "end": None, "hits": []
    }  # fmt: skip
    assert (records[2]["action"], records[2]["category"], records[2]["start"], records[2]["end"]) == (
        "block", "profanity", 9, 14
    )  # fmt: skip


def test_levels_rules_words_and_tier_are_obeyed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rules, words = tmp_path / "rules.json", tmp_path / "words.txt"
    rules.write_text(json.dumps([{"name": "no foxes", "kind": "words", "patterns": ["fox"], "action": "mask"}]))
    words.write_text("animals: owl\n")
    args = ["--level", "profanity=off", "--rules", str(rules), "--words", str(words)]
    shit, fox, owl = check(monkeypatch, capsys, b"shit\na fox\nan owl\n", *args)
    assert shit["allowed"]
    assert (fox["allowed"], fox["masked"], fox["rule"]) == (True, "a ▒▒▒", "no foxes")
    assert (owl["allowed"], owl["category"]) == (False, "animals")
    assert check(monkeypatch, capsys, b"shit\n", "--tier", "mature")[0]["allowed"]


def test_an_explanation_has_readings_and_hits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    explained = check(monkeypatch, capsys, b"sh1t\n", "--explain")[0]["explained"]
    assert explained["readings"][0]["text"] == "shit"
    assert any(hit["counts"] for hit in explained["hits"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--level", "profanity=loud"], "profanity=loud"),
        (["--words", "/nowhere/words.txt"], "/nowhere/words.txt"),
        (["--rules", "/nowhere/rules.json"], "/nowhere/rules.json"),
    ],
)
def test_what_cannot_be_used_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: list[str], said: str
) -> None:
    code, error = check(monkeypatch, capsys, b"", *args)
    assert code == 2
    assert said in error


@pytest.mark.parametrize(
    "record",
    [{}, {"name": "x"}, {"name": "x", "kind": "magic"}, {"name": "x", "kind": "regex", "patterns": ["(a"]}, {"x": 1}],
)
def test_a_bad_rule_in_a_file_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, record: dict[str, Any]
) -> None:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps([record]))
    code, error = check(monkeypatch, capsys, b"", "--rules", str(file))
    assert code == 2
    assert error.startswith("talewright filters: ")
