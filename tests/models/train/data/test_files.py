from __future__ import annotations

import codecs
import hashlib
from pathlib import Path

import pytest

from models.train.data.errors import SourceError
from models.train.data.files import find_files, inspect_file


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Ångström – “yes”".encode(), "Ångström – “yes”"),
        ("café".encode("latin-1"), "café"),
        ("“café”".encode("cp1252"), "“café”"),
        (codecs.BOM_UTF8 + "é".encode(), "é"),
        ("é—".encode("utf-16"), "é—"),
        (b"one\r\ntwo\rthree", "one\ntwo\nthree"),
    ],
)
def test_every_usual_encoding_is_read(raw: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(raw)
    file = inspect_file(tmp_path / "a.txt", "a.txt")
    assert "".join(file.lines()) == text
    assert (file.num_bytes, file.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())


def test_a_character_cut_by_the_edge_of_a_chunk_is_still_utf8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.train.data.files.CHUNK", 3)
    (tmp_path / "a.txt").write_text("aaé" * 5, encoding="utf-8")
    assert inspect_file(tmp_path / "a.txt", "a").encoding == "utf-8"


def test_a_file_that_ends_inside_a_character_loses_no_byte(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("fox é".encode()[:-1])
    assert "".join(inspect_file(tmp_path / "a.txt", "a").lines()) == "fox Ã"


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"PK\x03\x04\0\0")
    with pytest.raises(SourceError, match="not text"):
        inspect_file(tmp_path / "a.txt", "a")


def test_a_folder_gives_its_files_sorted_without_notices_and_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.TXT", "NOTICE.txt", "readme.txt", ".git/x.txt", "c.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [file.name for file in find_files(tmp_path, (".txt",))] == ["a/z.TXT", "b.txt"]


def test_a_missing_place_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no such file or folder: .*none"):
        list(find_files(tmp_path / "none", (".txt",)))
    with pytest.raises(SourceError, match=r"no \.txt file in"):
        list(find_files(tmp_path, (".txt",)))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*: Is a directory"):
        inspect_file(tmp_path, "x")
