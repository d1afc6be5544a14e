"""Consent: what members typed stays out unless it is marked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.train.data.errors import SourceError
from models.train.data.readers.log import SourceLog
from models.train.data.readers.table import read_source
from models.train.sources import Story
from tests.models.train.data.corpus import settings

HEAD = {"format": "talewright-community-export", "version": 1}


def passage(text: str, author: str = "model", **marks: Any) -> dict[str, Any]:
    return {"text": text, "author": author, **marks}


def free(text: str, author: str = "model") -> dict[str, Any]:
    return passage(text, author, training=True)


def export(folder: Path, *stories: dict[str, Any], **head: Any) -> Path:
    path = folder / "export.json"
    path.write_text(json.dumps({**HEAD, **head, "stories": list(stories)}))
    return path


def read(folder: Path, log: SourceLog | None = None, path: str = "export.json") -> list[Story]:
    [source] = settings({"kind": "community", "path": path}).sources
    return [document.story for document in read_source(source, folder, log or SourceLog())]


def test_only_passages_marked_free_are_taken(tmp_path: Path) -> None:
    export(
        tmp_path,
        {"id": "1", "passages": [free("One."), free("Two.", "member"), passage("Secret."), passage("Mine.", "member")]},
        {"id": "2", "passages": [passage("No.", training=False), passage("Nor this.", "member")]},
    )
    log = SourceLog()
    assert read(tmp_path, log) == [Story("One.\n\nTwo.")]
    assert log.notes == {
        "passages taken (model)": 1,
        "passages taken (member)": 1,
        "passages withheld (model)": 2,
        "passages withheld (member)": 2,
        "stories withheld whole": 1,
    }


def test_nothing_is_glued_over_a_gap(tmp_path: Path) -> None:
    passages = [passage("a", "member"), free("b"), free("c"), passage("d", "member"), free("e")]
    export(
        tmp_path,
        {
            "id": "1",
            "premise": "A bell.",
            "premise_training": True,
            "tags": ["sea"],
            "tags_training": True,
            "passages": passages,
        },
    )
    # Neither piece begins the story, so neither is what the premise led to.
    assert read(tmp_path) == [Story("b\n\nc", tags=("sea",)), Story("e", tags=("sea",))]


def test_pieces_of_a_story_stay_in_one_group(tmp_path: Path) -> None:
    export(
        tmp_path, {"id": "1", "passages": [free("a"), passage("b"), free("c")]}, {"id": "2", "passages": [free("d")]}
    )
    [source] = settings({"kind": "community", "path": "export.json"}).sources
    groups = [d.group for d in read_source(source, tmp_path, SourceLog())]
    assert groups[0] == groups[1] != groups[2]


def test_titles_premises_and_tags_need_marks_of_their_own(tmp_path: Path) -> None:
    typed = {"title": "The Bell", "premise": "A bell.", "tags": ["sea"], "passages": [free("a")]}
    export(
        tmp_path,
        {"id": "1", **typed},
        {"id": "2", **typed, "title_training": True},
        {"id": "3", **typed, "premise_training": True},
        {"id": "4", **typed, "tags_training": True},
    )
    log = SourceLog()
    assert read(tmp_path, log) == [
        Story("a"),
        Story("a", "The Bell"),
        Story("a", None, "A bell."),
        Story("a", tags=("sea",)),
    ]
    assert [log.notes[f"{what} withheld"] for what in ("titles", "premises", "tags")] == [3, 3, 3]


def test_an_export_in_lines_is_the_same(tmp_path: Path) -> None:
    story = {"id": "1", "passages": [free("a"), passage("b"), free("c")]}
    (tmp_path / "export.jsonl").write_text(f"{json.dumps(HEAD)}\n{json.dumps(story)}\n")
    assert read(tmp_path, path="export.jsonl") == [Story("a"), Story("c")]


@pytest.mark.parametrize("mark", ["true", 1, None, "yes"])
def test_only_true_is_consent(tmp_path: Path, mark: Any) -> None:
    export(tmp_path, {"id": "1", "passages": [passage("Private words.", "member", training=mark)]})
    with pytest.raises(SourceError, match=r"passages\.0\.training") as error:
        read(tmp_path)
    assert "Private" not in str(error.value)


@pytest.mark.parametrize(
    ("story", "named"),
    [
        ({"id": "1", "passages": [{"text": "a", "author": "bot"}]}, "passages.0.author"),
        ({"id": "1", "passages": [{"text": "a", "author": "model", "trainig": True}]}, "trainig"),
        ({"passages": []}, "id"),
    ],
)
def test_a_story_of_another_shape_is_refused(tmp_path: Path, story: dict[str, Any], named: str) -> None:
    export(tmp_path, story)
    with pytest.raises(SourceError, match=f"story 1: .*{named}"):
        read(tmp_path)


def test_another_format_or_version_is_refused(tmp_path: Path) -> None:
    export(tmp_path, version=2)
    with pytest.raises(SourceError, match=r"version: .*1"):
        read(tmp_path)
    (tmp_path / "export.json").write_text(json.dumps({"stories": []}))
    with pytest.raises(SourceError, match="format"):
        read(tmp_path)
    (tmp_path / "export.json").write_text(json.dumps(HEAD))
    with pytest.raises(SourceError, match="under the key stories"):
        read(tmp_path)
