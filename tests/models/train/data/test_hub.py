"""Hugging Face datasets, written to disk by the library itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest

from models.train.data.errors import SourceError
from models.train.data.readers.log import SourceLog
from models.train.data.readers.table import read_source
from models.train.sources import Story
from tests.models.train.data.corpus import settings, write_jsonl

ROWS = {"story": ["Once.", "Twice.", None], "heading": ["Fox", None, "Owl"], "genre": [["sly"], [], []]}
COLUMNS = {"title": "heading", "tags": "genre"}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    dataset = datasets.Dataset.from_dict(ROWS)
    dataset.save_to_disk(str(tmp_path / "one"))
    datasets.DatasetDict({"train": dataset, "held": dataset.select([0])}).save_to_disk(str(tmp_path / "dict"))
    return tmp_path


def read(folder: Path, log: SourceLog | None = None, **source: Any) -> list[Story]:
    [checked] = settings({"kind": "hf", "cache": "cache", **source}).sources
    return [document.story for document in read_source(checked, folder, log or SourceLog())]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("path", ["one", "dict"])
def test_a_saved_dataset_gives_a_story_a_row(saved: Path, path: str, streaming: bool) -> None:
    log = SourceLog()
    read_stories = read(saved, log, path=path, columns=COLUMNS, streaming=streaming)
    assert read_stories == [Story("Once.", "Fox", None, ("sly",)), Story("Twice.")]
    assert log.notes == {"rows without text": 1}


def test_a_split_is_chosen_by_name(saved: Path) -> None:
    assert len(read(saved, path="dict", split="held", columns=COLUMNS)) == 1
    with pytest.raises(SourceError, match="no split 'dev'; there are train, held"):
        read(saved, path="dict", split="dev")


@pytest.mark.parametrize("streaming", [False, True])
def test_files_in_a_folder_are_loaded_by_the_library(tmp_path: Path, streaming: bool) -> None:
    (tmp_path / "files").mkdir()
    write_jsonl(
        tmp_path / "files" / "train.jsonl", [{"text": "Once.", "title": "Fox"}, {"text": "Twice.", "title": "Owl"}]
    )
    assert read(tmp_path, path="files", streaming=streaming) == [Story("Once.", "Fox"), Story("Twice.", "Owl")]


def test_a_missing_column_is_named_with_those_that_are_there(saved: Path) -> None:
    with pytest.raises(SourceError, match="no column 'name' for the title; there are story, heading, genre"):
        read(saved, path="one", columns={"title": "name"})


def test_what_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="cannot load 'empty'"):
        read(tmp_path, path="empty")


def test_without_a_network_the_way_over_a_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, *_: object, **given: object) -> None:
        assert (path, given["revision"]) == ("nobody/tales", "abc")
        raise ConnectionError("Couldn't reach 'nobody/tales' on the Hub")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(SourceError, match=r"Couldn't reach.*save_to_disk\(FOLDER\)"):
        read(tmp_path, path="nobody/tales", revision="abc")
