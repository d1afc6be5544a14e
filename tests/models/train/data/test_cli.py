from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import yaml

from models.train.data.cli import add_parser
from models.train.data.reading import iter_records, read_manifest
from tests.models.train.data.corpus import make, tell, write_jsonl, write_stories


def run(*words: object) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(dest="command"))
    args = parser.parse_args(["data", *map(str, words)])
    code: int = args.run(args)
    return code


def test_the_simple_case_needs_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_stories(tmp_path / "tales.txt", range(20))
    write_jsonl(tmp_path / "more.jsonl", [{"text": tell(n)} for n in range(30, 40)])
    sources = ["--source", "text:tales.txt", "--source", "jsonl:more.jsonl"]
    assert run("prepare", *sources, "--root", tmp_path, "--out", tmp_path / "out", "--test", "0.2") == 0
    out = capsys.readouterr().out
    assert "source more (jsonl, licence unknown): 10 read" in out
    manifest = read_manifest(tmp_path / "out")
    assert manifest.record["settings"]["splits"] == {"validation": 0.02, "test": 0.2, "salt": ""}


def test_paths_in_a_file_start_from_its_folder_and_flags_override_it(tmp_path: Path) -> None:
    write_stories(tmp_path / "tales.txt", range(20))
    (tmp_path / "words.txt").write_text("goose\n")
    config = tmp_path / "data.yaml"
    config.write_text(
        yaml.safe_dump({"sources": [{"kind": "text", "path": "tales.txt"}], "splits": {"test": 0.3, "salt": "s"}})
    )
    flags = ["--test", 0, "--validation", 0, "--language", "en", "--language", "de", "--min-words", 40, "--drop-leaks"]
    words = ["--words-file", tmp_path / "words.txt"]
    assert run("prepare", "--config", config, "--out", tmp_path / "out", *flags, *words) == 0
    settings = read_manifest(tmp_path / "out").record["settings"]
    assert settings["splits"] == {"validation": 0, "test": 0, "salt": "s"}
    assert settings["cleaning"]["language"]["keep"] == ["en", "de"]
    assert settings["cleaning"]["length"]["min_words"] == 40
    assert settings["leakage"]["drop"]
    assert not any("goose" in record["text"] for record in iter_records(tmp_path / "out", "train"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--source", "tales.txt"], "wanted KIND:PLACE"),
        (["--source", "epub:tales"], "'text', 'gutenberg'"),
        (["--source", "text:none.txt"], "no such file or folder"),
        (["--config", "none.yaml"], "none.yaml"),
        (["--source", "text:none.txt", "--test", "1.5"], "splits.test"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("prepare", *words, "--root", tmp_path, "--out", tmp_path / "out") == 2
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_and_sources_together_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("prepare", "--config", "a", "--source", "text:b", "--out", tmp_path / "out")
    assert "not allowed with" in capsys.readouterr().err


def test_nltk_takes_a_name_or_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.train.data.cli import parse_source

    monkeypatch.chdir(tmp_path)
    (tmp_path / "books").mkdir()
    assert parse_source("nltk:gutenberg") == {"kind": "nltk", "corpus": "gutenberg"}
    assert parse_source("nltk:books") == {"kind": "nltk", "path": "books"}
    assert parse_source("hf:user/a:b") == {"kind": "hf", "path": "user/a:b"}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    write_jsonl(
        tmp_path / "a.jsonl",
        [{"text": tell(n), "title": f"Tale {n}", "premise": "A fox.", "tags": ["sly"]} for n in range(9)],
    )
    make(tmp_path, {"kind": "jsonl", "path": "a.jsonl", "attribution": "Ann"}, splits={"validation": 0, "test": 0})
    return tmp_path / "out"


def test_check_says_that_all_is_well(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", dataset) == 0
    out = capsys.readouterr().out
    assert "9 stories" in out
    assert "all hashes fit" in out


@pytest.mark.parametrize("name", ["train.jsonl", "validation.jsonl", "ATTRIBUTION.tsv"])
def test_check_finds_a_changed_file(name: str, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (dataset / name).open("a") as file:
        file.write(" ")
    assert run("check", dataset) == 1
    assert f"{name} was changed" in capsys.readouterr().err
    (dataset / name).unlink()
    assert run("check", dataset) == 1
    assert f"{name} is missing" in capsys.readouterr().err


def test_check_finds_a_changed_manifest(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((dataset / "manifest.json").read_text())
    record["sources"][0]["licence"] = "CC0"
    (dataset / "manifest.json").write_text(json.dumps(record))
    assert run("check", dataset) == 1
    assert "manifest.json was changed" in capsys.readouterr().err


def test_check_of_no_dataset_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", tmp_path) == 2
    assert run("show", tmp_path) == 2
    assert "is no dataset" in capsys.readouterr().err


def test_show_draws_stories_by_seed(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*words: object) -> str:
        assert run("show", dataset, *words) == 0
        return capsys.readouterr().out

    first = shown("--num", 3, "--max-chars", 20)
    assert first.count("--- Tale") == 3
    assert "premise: A fox." in first
    assert "tags: sly" in first
    assert first == shown("--num", 3, "--max-chars", 20) != shown("--num", 3, "--max-chars", 20, "--seed", 1)
    assert shown("--num", 100).count("--- Tale") == 9
    assert shown("--split", "test") == ""
