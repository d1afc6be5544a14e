from __future__ import annotations

from pathlib import Path
from typing import Any

import nltk
import pytest

from models.train.data.document import Document
from models.train.data.errors import SourceError
from models.train.data.readers.log import SourceLog
from models.train.data.readers.table import READERS, read_source
from models.train.data.readers.text import lay_out, split_pieces
from models.train.sources import Story
from tests.models.train.data.corpus import settings, tell, write_jsonl


def read(folder: Path, log: SourceLog | None = None, **source: Any) -> list[Document]:
    [checked] = settings(source).sources
    return list(read_source(checked, folder, log or SourceLog()))


def stories(documents: list[Document]) -> list[Story]:
    return [document.story for document in documents]


def test_every_kind_of_source_has_a_reader() -> None:
    assert set(READERS) == {"text", "gutenberg", "nltk", "jsonl", "hf", "community"}


def test_separators_and_headings_divide_plain_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "Before.\n# THE FOX\n\nOne\nline.\n\nTwo.<|endoftext|>\n<|endoftext|>\n# Owl\nThree.\n"
    )
    assert stories(read(tmp_path, kind="text", path="a.txt")) == [
        Story("Before."),
        Story("One line.\n\nTwo.", "The Fox"),
        Story("Three.", "Owl"),
    ]


def test_lines_are_paragraphs_only_where_no_blank_line_is() -> None:
    assert lay_out("one\ntwo\n \nthree\n") == "one two\n\nthree"
    assert lay_out("one\n two \n") == "one\n\ntwo"


def test_a_file_is_read_as_its_stories_are_asked_for() -> None:
    taken = []

    def lines() -> Any:
        for line in ["a\n", "<|endoftext|>\n", "b\n", "<|endoftext|>\n", "c\n"]:
            taken.append(line)
            yield line

    assert next(split_pieces(lines())) == "a\n"
    assert len(taken) == 2


@pytest.mark.parametrize(("group", "groups"), [("piece", 2), ("story", 3), ("file", 1)])
def test_the_group_of_a_text_is_its_piece_story_or_file(group: str, groups: int, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("# A\none\n# B\ntwo\n<|endoftext|>\n# C\nthree")
    assert len({d.group for d in read(tmp_path, kind="text", path="a.txt", group=group)}) == groups


def test_a_story_put_into_a_file_changes_no_other_ones_group(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n<|endoftext|>\ntwo")
    before = {d.group for d in read(tmp_path, kind="text", path="a.txt")}
    (tmp_path / "a.txt").write_text("new\n<|endoftext|>\none\n<|endoftext|>\ntwo")
    assert before < {d.group for d in read(tmp_path, kind="text", path="a.txt")}


def test_a_book_is_one_group_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("# I\none\n# II\ntwo\n")
    assert {d.group for d in read(tmp_path, kind="text", path="book.txt")} == {"book/book.txt"}


def test_usual_fields_are_found_and_others_can_be_named(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"title": "Fox", "fable": "Once.", "prompt": "A fox", "tags": "sly, red"}])
    write_jsonl(tmp_path / "b.jsonl", [{"name": "Owl", "body": "Twice.", "genre": ["night"], "book": 7}])
    assert stories(read(tmp_path, kind="jsonl", path="a.jsonl")) == [Story("Once.", "Fox", "A fox", ("sly", "red"))]
    [named] = read(
        tmp_path,
        kind="jsonl",
        path="b.jsonl",
        fields={"text": "body", "title": "name", "tags": "genre", "group": "book"},
        tags=["bird"],
    )
    assert named.story == Story("Twice.", "Owl", None, ("night", "bird"))
    assert named.group == "b/7"


@pytest.mark.parametrize(
    ("line", "fields", "sentence"),
    [
        ('{"body": "x"}', {}, r"line 1: no text: .*'story', 'text', 'fable' among 'body'"),
        ('{"text": "x"}', {"title": "name"}, "no field 'name' for the title; there are 'text'"),
        ('{"text": 3}', {}, "field 'text' should be text, found int"),
        ('{"text": "x", "tags": [1]}', {}, "field 'tags' should be a list"),
        ("{", {}, "line 1: not JSON"),
        ("[1]", {}, "wanted an object, found list"),
    ],
)
def test_a_record_that_cannot_be_read_is_named(
    line: str, fields: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_text(line + "\n")
    with pytest.raises(SourceError, match=sentence):
        read(tmp_path, kind="jsonl", path="a.jsonl", fields=fields)


def test_records_without_text_are_counted(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": None}, {"text": "  "}, {"text": "Once."}])
    log = SourceLog()
    assert len(read(tmp_path, log, kind="jsonl", path="a.jsonl")) == 1
    assert log.notes == {"records without text": 2}


def test_a_source_without_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n <|endoftext|>\n")
    with pytest.raises(SourceError, match=r"a: no text in a\.txt"):
        read(tmp_path, kind="text", path="a.txt")


def test_a_limit_takes_the_first_stories(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one<|endoftext|>two<|endoftext|>three")
    assert [s.text for s in stories(read(tmp_path, kind="text", path="a.txt", limit=2))] == ["one", "two"]


def write_corpus(folder: Path) -> Path:
    books = folder / "corpora" / "gutenberg"
    books.mkdir(parents=True)
    (books / "miller-bell.txt").write_text(f"[The Bell by Ann Miller 1851]\n\n\nCHAPTER I\n\n{tell(1)}\n")
    (books / "cooper-jar.txt").write_text(f"[The Jar by Tom Cooper]\n\n\n{tell(2)}\n")
    (books / "README").write_text("About.")
    return books


def test_nltks_corpus_is_read_from_a_folder(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    log = SourceLog()
    read_all = read(tmp_path, log, kind="nltk", path="corpora/gutenberg", name="nltk")
    assert [d.story.title for d in read_all] == ["The Jar", "The Bell, Chapter I"]
    assert [(c.work, c.author) for c in log.credits] == [("The Jar", "Tom Cooper"), ("The Bell", "Ann Miller")]
    [one] = read(tmp_path, kind="nltk", path="corpora/gutenberg", files=["miller-bell.txt"])
    assert one.group == "gutenberg/miller-bell.txt"
    with pytest.raises(SourceError, match=r"has no x\.txt; there are cooper-jar\.txt, miller-bell\.txt"):
        read(tmp_path, kind="nltk", path="corpora/gutenberg", files=["x.txt"])


def test_nltks_corpus_is_found_where_it_was_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(corpus: str, *, download_dir: str, quiet: bool, raise_on_error: bool) -> bool:
        assert (corpus, quiet, raise_on_error) == ("gutenberg", True, True)
        write_corpus(Path(download_dir))
        return True

    monkeypatch.setattr(nltk, "download", download)
    for _ in range(2):  # the second time it is there, and a second download would fail on its folder
        assert len(read(tmp_path, kind="nltk", download_to="cache")) == 2


def test_a_corpus_that_is_not_unpacked_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(corpus: str, *, download_dir: str, **_: object) -> bool:
        (Path(download_dir) / "corpora").mkdir(parents=True)
        (Path(download_dir) / "corpora" / f"{corpus}.zip").write_bytes(b"PK")
        return True

    monkeypatch.setattr(nltk, "download", download)
    with pytest.raises(SourceError, match=r"no folder corpora/gutenberg in .*cache: unpack its archive"):
        read(tmp_path, kind="nltk", download_to="cache")


def test_without_a_network_nltk_says_how_to_use_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(corpus: str, **_: object) -> bool:
        raise ValueError("Error loading gutenberg: <urlopen error no route>")

    monkeypatch.setattr(nltk, "download", refuse)
    with pytest.raises(SourceError, match=r"no route.*give it as `path`"):
        read(tmp_path, kind="nltk", download_to="cache")


def test_a_book_under_copyright_is_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"This is a COPYRIGHTED Project Gutenberg eBook\n\n{tell(1)}")
    log = SourceLog()
    assert read(tmp_path, log, kind="gutenberg", path="a.txt") == []
    assert log.notes == {"books under copyright left out": 1}


def test_attribution_comes_from_the_settings_and_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Once.")
    (tmp_path / "who.tsv").write_text('file\ttitle\ttext_author\tlicence\nx\tThe "Fox"\tAnn\tCC BY\n')
    log = SourceLog()
    read(tmp_path, log, kind="text", path="a.txt", attribution="The Mill", attribution_file="who.tsv", licence="CC0")
    assert [(c.work, c.author, c.licence) for c in log.credits] == [
        ("", "The Mill", "CC0"),
        ('The "Fox"', "Ann", "CC BY"),
    ]
    (tmp_path / "who.tsv").write_text("name\nx\n")
    with pytest.raises(SourceError, match="no column `title`; there are 'name'"):
        read(tmp_path, kind="text", path="a.txt", attribution_file="who.tsv")
