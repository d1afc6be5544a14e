from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.train.sources import NoTextError, Story, clean_text, read_stories

LONG = "The fox ran over the hill and looked for the moon. " * 6


def test_stories_are_split_at_the_separator(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{LONG}\n<|endoftext|>\n{LONG}Again.")
    assert [s.text.split()[-1] for s in read_stories(tmp_path / "a.txt")] == ["moon.", "Again."]


def test_a_heading_becomes_the_title_of_what_follows(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(f"# THE BRONZE RING\n\n{LONG}\n\n# Second Tale\n\n{LONG}")
    assert [s.title for s in read_stories(tmp_path / "book.txt")] == ["The Bronze Ring", "Second Tale"]


def test_text_before_the_first_heading_is_kept(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(f"{LONG}\n\n# Later\n\n{LONG}")
    assert [s.title for s in read_stories(tmp_path / "book.txt")] == [None, "Later"]


def test_jsonl_carries_titles(tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text(json.dumps({"title": "Fox", "fable": LONG}) + "\n")
    assert read_stories(tmp_path / "f.jsonl") == [Story(LONG.strip(), "Fox")]


def test_a_folder_is_read_in_sorted_order_without_notices(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "NOTICE.txt"):
        (tmp_path / name).write_text(f"{name} {LONG}")
    assert [s.text.split()[0] for s in read_stories(tmp_path)] == ["a.txt", "b.txt"]


def test_no_text_is_an_error_that_names_the_place(tmp_path: Path) -> None:
    with pytest.raises(NoTextError, match=r"missing\.txt"):
        read_stories(tmp_path / "missing.txt")
    with pytest.raises(NoTextError, match="no story"):
        read_stories(tmp_path)


def test_markers_in_the_source_never_reach_a_document() -> None:
    assert clean_text("One <|end|> two.\r\n\r\nThree.") == "One two.\n\nThree."


def test_a_story_whose_quotes_were_read_in_a_wrong_encoding_is_left_out(tmp_path: Path) -> None:
    damaged = f"“{LONG.strip()}” said the fox.".encode().decode("cp1252", errors="ignore")
    (tmp_path / "a.txt").write_text(f"{damaged}\n<|endoftext|>\n{LONG}“Yes.”", encoding="utf-8")
    assert [s.text.split()[-1] for s in read_stories(tmp_path / "a.txt")] == ["“Yes.”"]
