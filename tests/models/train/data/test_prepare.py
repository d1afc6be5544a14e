"""Whole datasets: what comes out, byte for byte, and what never comes out."""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import pytest

import models.train.data.passes as passes
from models.train.data.document import Document
from models.train.data.errors import DatasetError, EmptyResult, SettingsError, SourceError
from models.train.data.reading import is_dataset, iter_records, iter_split, read_manifest
from models.train.sources import Story
from tests.models.train.data.corpus import make, tell, texts, write_jsonl, write_stories

STORIES = {"kind": "text", "path": "tales.txt", "licence": "CC0"}
ALL_TRAIN = {"splits": {"validation": 0, "test": 0}}


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_dataset_has_its_stories_and_says_where_they_are_from(tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "tales.jsonl",
        [{"text": tell(n), "title": f"Tale {n}", "premise": "A fox.", "tags": ["sly"]} for n in range(20)],
    )
    source = {"kind": "jsonl", "path": "tales.jsonl", "licence": "CC BY", "attribution": "Ann"}
    manifest = make(tmp_path, source, splits={"validation": 0.2, "test": 0.2})
    assert sorted(content(tmp_path / "out")) == [
        "ATTRIBUTION.tsv",
        "manifest.json",
        "test.jsonl",
        "train.jsonl",
        "validation.jsonl",
    ]
    records = [r for split in manifest.splits for r in iter_records(tmp_path / "out", split)]
    assert {r["text"] for r in records} == {tell(n) for n in range(20)}
    assert set(records[0]) == {"text", "title", "premise", "tags", "source", "group", "licence"}
    assert {(r["source"], r["licence"], r["premise"], tuple(r["tags"])) for r in records} == {
        ("tales", "CC BY", "A fox.", ("sly",))
    }
    assert sum(facts.stories for facts in manifest.splits.values()) == 20
    assert all(facts.stories for facts in manifest.splits.values())
    assert manifest.splits["train"].words == sum(len(t.split()) for t in texts(tmp_path / "out"))
    [entry] = manifest.record["sources"]
    assert entry["files"][0]["name"] == "tales.jsonl"
    assert (tmp_path / "out" / "ATTRIBUTION.tsv").read_text().splitlines()[1] == "tales\t\tAnn\tCC BY\t"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    write_stories(tmp_path / "tales.txt", range(60))
    for out in ("one", "two"):
        make(tmp_path, STORIES, out=out, splits={"validation": 0.1, "test": 0.1})
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_another_setting_or_text_has_another_hash(tmp_path: Path) -> None:
    write_stories(tmp_path / "tales.txt", range(10))
    hashes = {make(tmp_path, STORIES, out="a").sha256, make(tmp_path, STORIES, out="b", **ALL_TRAIN).sha256}
    write_stories(tmp_path / "tales.txt", range(11))
    hashes.add(make(tmp_path, STORIES, out="c").sha256)
    assert len(hashes) == 3


def test_no_group_stands_in_two_splits_and_a_new_source_moves_none(tmp_path: Path) -> None:
    books = tmp_path / "books"
    books.mkdir()
    for n in range(30):
        (books / f"{n}.txt").write_text(f"# One\n{tell(n)}\n# Two\n{tell(100 + n)}\n")
    source, splits = {"kind": "text", "path": "books"}, {"validation": 0.2, "test": 0.2}

    def placed(out: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for split in ("train", "validation", "test"):
            for record in iter_records(tmp_path / out, split):
                found.setdefault(record["group"], set()).add(split)
        return found

    make(tmp_path, source, out="before", splits=splits)
    before = placed("before")
    assert len(before) == 30
    assert all(len(found) == 1 for found in before.values())
    assert {split for found in before.values() for split in found} == {"train", "validation", "test"}
    write_stories(tmp_path / "tales.txt", range(500, 520))
    make(tmp_path, STORIES, source, out="after", splits=splits)
    assert {group: found for group, found in placed("after").items() if group in before} == before


def test_a_source_can_be_held_out_whole(tmp_path: Path) -> None:
    write_stories(tmp_path / "tales.txt", range(5))
    write_stories(tmp_path / "held.txt", range(50, 55))
    make(tmp_path, STORIES, {"kind": "text", "path": "held.txt", "use_for": "validation"}, **ALL_TRAIN)
    assert set(texts(tmp_path / "out", "validation")) == {tell(n) for n in range(50, 55)}
    assert set(texts(tmp_path / "out")) == {tell(n) for n in range(5)}


def test_copies_are_dropped_and_counted(tmp_path: Path) -> None:
    words = tell(1, 40).split()
    near = " ".join([*words[:-1], "otherwise.", "And", "the", "night", "was", "long."])
    write_jsonl(tmp_path / "a.jsonl", [{"text": t} for t in (tell(1, 40), tell(2), tell(2).upper(), near)])
    source = {"kind": "jsonl", "path": "a.jsonl"}
    steps = make(tmp_path, source, **ALL_TRAIN).record["sources"][0]["steps"]
    assert texts(tmp_path / "out") == [tell(1, 40), tell(2)]
    assert steps["exact_duplicates"]["stories_dropped"] == steps["near_duplicates"]["stories_dropped"] == 1
    keep = {"duplicates": {"keep": "longest"}}
    make(tmp_path, source, out="longest", cleaning=keep, **ALL_TRAIN)
    assert texts(tmp_path / "longest") == [tell(2), near]
    off = {"duplicates": {"exact": False, "near": False}}
    assert make(tmp_path, source, out="all", cleaning=off, **ALL_TRAIN).splits["train"].stories == 4


def test_every_filter_is_counted_where_it_drops(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("dragon\n")
    told = [tell(1), "Too short.", f"{tell(2)} A dragon came.", "Es war einmal ein Fuchs auf einem Hügel im Wald. " * 9]
    write_jsonl(tmp_path / "a.jsonl", [{"text": text} for text in told])
    cleaning = {"language": {"keep": ["en"], "min_confidence": 0.1}, "words": {"file": "words.txt"}}
    manifest = make(tmp_path, {"kind": "jsonl", "path": "a.jsonl"}, cleaning=cleaning, **ALL_TRAIN)
    steps = manifest.record["sources"][0]["steps"]
    assert {name: c["stories_dropped"] for name, c in steps.items() if c["stories_dropped"]} == {
        "length": 1,
        "language": 1,
        "words": 1,
    }
    befores = [c["stories_before"] for c in steps.values()]
    assert befores[1:] == [c["stories_after"] for c in steps.values()][:-1], "what leaves a step comes to the next"


def test_repeated_paragraphs_are_found_over_all_sources(tmp_path: Path) -> None:
    for name, seeds in (("a.jsonl", range(15)), ("b.jsonl", range(15, 30))):
        write_jsonl(tmp_path / name, [{"text": f"{tell(n)}\n\nMore tales next week!"} for n in seeds])
    make(tmp_path, {"kind": "jsonl", "path": "a.jsonl"}, {"kind": "jsonl", "path": "b.jsonl"}, **ALL_TRAIN)
    assert texts(tmp_path / "out") == [tell(n) for n in range(30)]


def leaking(folder: Path) -> list[dict[str, Any]]:
    write_stories(folder / "tales.txt", range(6))
    write_jsonl(folder / "held.jsonl", [{"text": tell(50)}, {"text": tell(51)}])
    write_jsonl(folder / "more.jsonl", [{"text": f"{tell(60, 40)}\n\n{tell(50)}"}])
    return [
        STORIES,
        {"kind": "jsonl", "path": "held.jsonl", "use_for": "validation"},
        {"kind": "jsonl", "path": "more.jsonl", "use_for": "train"},
    ]


def test_leakage_is_measured_and_left_alone_unless_it_is_to_go(tmp_path: Path) -> None:
    sources = leaking(tmp_path)
    leakage = make(tmp_path, *sources, **ALL_TRAIN).record["leakage"]
    found = leakage["before_dropping"]["validation"]
    assert found == leakage["after_dropping"]["validation"]
    assert found["share_of_ngrams_in_train"] == pytest.approx(0.5, abs=0.02)
    assert leakage["train_stories_dropped"] == 0


def test_what_leaks_is_dropped_from_train_where_that_is_asked(tmp_path: Path) -> None:
    manifest = make(tmp_path, *leaking(tmp_path), leakage={"drop": True}, **ALL_TRAIN)
    leakage = manifest.record["leakage"]
    assert leakage["train_stories_dropped"] == 1
    assert leakage["before_dropping"]["validation"]["ngrams_in_train"] > 100
    assert leakage["after_dropping"]["validation"]["ngrams_in_train"] == 0
    assert texts(tmp_path / "out") == [tell(n) for n in range(6)]
    assert manifest.record["sources"][2]["steps"]["leakage"]["stories_dropped"] == 1
    assert "nothing is left of more" in manifest.record["remarks"]


def test_leakage_need_not_be_measured(tmp_path: Path) -> None:
    assert make(tmp_path, *leaking(tmp_path), leakage={"measure": False}).record["leakage"] is None


def test_an_empty_split_is_remarked(tmp_path: Path) -> None:
    write_stories(tmp_path / "tales.txt", range(2))
    manifest = make(tmp_path, {**STORIES, "licence": "unknown"}, splits={"validation": 1e-9, "test": 0})
    assert manifest.record["remarks"] == [
        "validation is empty: none of 2 groups fell into a share of 1e-09",
        "no licence is stated for tales",
    ]
    assert list(iter_split(tmp_path / "out", "validation")) == []


def test_an_empty_result_says_which_step_dropped_how_many(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": "Short."}, {"text": "Bad \ufffd."}, {"text": ""}])
    with pytest.raises(EmptyResult, match="encoding dropped 1, length dropped 1, a: 1 records without text"):
        make(tmp_path, {"kind": "jsonl", "path": "a.jsonl"})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.jsonl"]


def test_a_dataset_is_replaced_only_by_force(tmp_path: Path) -> None:
    write_stories(tmp_path / "tales.txt", range(5))
    make(tmp_path, STORIES, **ALL_TRAIN)
    before = content(tmp_path / "out")
    write_stories(tmp_path / "tales.txt", range(6))
    with pytest.raises(DatasetError, match="--force replaces it"):
        make(tmp_path, STORIES, **ALL_TRAIN)
    assert content(tmp_path / "out") == before
    assert make(tmp_path, STORIES, force=True, **ALL_TRAIN).splits["train"].stories == 6
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "tales.txt"]


def test_a_folder_that_is_no_dataset_is_never_replaced(tmp_path: Path) -> None:
    write_stories(tmp_path / "tales.txt", range(5))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(DatasetError, match="is no dataset"):
        make(tmp_path, STORIES, force=True)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


def test_a_run_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stories(tmp_path / "tales.txt", range(5))
    make(tmp_path, STORIES, **ALL_TRAIN)
    before = content(tmp_path / "out")

    def interrupt(*_: object, **__: object) -> None:
        assert not is_dataset(next(p for p in tmp_path.iterdir() if "unfinished" in p.name))
        raise KeyboardInterrupt

    monkeypatch.setattr("models.train.data.prepare.divide", interrupt)
    for out, force in (("out", True), ("new", False)):
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path, STORIES, out=out, force=force)
    assert content(tmp_path / "out") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "tales.txt"]


def test_a_dataset_that_cannot_take_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stories(tmp_path / "tales.txt", range(5))
    make(tmp_path, STORIES, **ALL_TRAIN)
    rename = Path.rename

    def refuse(self: Path, target: Path) -> Path:
        if "unfinished" in self.name and not self.name.endswith("-old"):
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="no"):
        make(tmp_path, STORIES, force=True)
    assert is_dataset(tmp_path / "out")


def test_a_bad_word_list_is_told_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.train.data.prepare.gather", None)
    with pytest.raises(SettingsError, match=r"none\.txt"):
        make(tmp_path, STORIES, cleaning={"words": {"file": "none.txt"}})


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no such file or folder: .*tales\.txt"):
        make(tmp_path, STORIES)


def test_a_story_is_read_only_when_the_one_before_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": tell(n)} for n in range(10)])
    read_source, write, written = passes.read_source, passes.Spool.write, []

    def watched(*given: Any) -> Any:
        for number, document in enumerate(read_source(*given)):
            assert len(written) == number
            yield document

    def count(spool: passes.Spool, document: Document) -> None:
        written.append(document.group)
        write(spool, document)

    monkeypatch.setattr(passes, "read_source", watched)
    monkeypatch.setattr(passes.Spool, "write", count)
    make(tmp_path, {"kind": "jsonl", "path": "a.jsonl"})
    assert len(written) == 30, "three passes write every story"


def test_no_pass_holds_more_than_a_few_stories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": tell(n)} for n in range(40)])
    init, living, most = Document.__init__, set[int](), []

    def count(document: Document, *given: Any, **named: Any) -> None:
        init(document, *given, **named)
        living.add(id(document))
        weakref.finalize(document, living.discard, id(document))
        most.append(len(living))

    monkeypatch.setattr(Document, "__init__", count)
    make(tmp_path, {"kind": "jsonl", "path": "a.jsonl"}, splits={"validation": 0.2, "test": 0})
    assert len(most) > 200, "every pass makes every story anew"
    assert max(most) <= 4


def test_the_reader_gives_stories(tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "a.jsonl", [{"text": f"{tell(1)}\u2028End.", "title": "Fox", "prompt": "A fox.", "tags": ["x"]}]
    )
    off = {"normal_form": {"enabled": False}, "encoding": {"enabled": False}}
    make(tmp_path, {"kind": "jsonl", "path": "a.jsonl"}, cleaning=off, **ALL_TRAIN)
    assert list(iter_split(tmp_path / "out", "train")) == [Story(f"{tell(1)}\u2028End.", "Fox", "A fox.", ("x",))]


def test_the_reader_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    write_stories(tmp_path / "tales.txt", range(5))
    assert not is_dataset(tmp_path)
    with pytest.raises(DatasetError, match=r"is no dataset: it has no manifest\.json"):
        read_manifest(tmp_path)
    make(tmp_path, STORIES, **ALL_TRAIN)
    out = tmp_path / "out"
    assert is_dataset(out)
    with pytest.raises(DatasetError, match="no split 'dev'"):
        list(iter_split(out, "dev"))
    lines = (out / "train.jsonl").read_text().splitlines(keepends=True)
    (out / "train.jsonl").write_text("".join(lines[:-1]))
    with pytest.raises(DatasetError, match="has 4 stories; the manifest says 5"):
        list(iter_split(out, "train"))
    (out / "train.jsonl").write_text(lines[0] + '{"text": 1}\n')
    with pytest.raises(DatasetError, match="line 2: no story"):
        list(iter_split(out, "train"))
    (out / "train.jsonl").unlink()
    with pytest.raises(DatasetError, match=r"train\.jsonl cannot be read"):
        list(iter_split(out, "train"))
    record = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**record, "version": 99}))
    with pytest.raises(DatasetError, match="version 99; this program reads version 1"):
        next(iter_split(out, "train"))
    (out / "manifest.json").write_text(json.dumps({**record, "splits": {"train": {}}}))
    with pytest.raises(DatasetError, match="damaged"):
        read_manifest(out)
