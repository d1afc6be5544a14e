"""The tool that says which words of a dictionary are wrongly stopped."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bot.filters.innocence import main


def test_it_names_what_looks_like_a_disguise_and_is_not_yet_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, more = tmp_path / "words", tmp_path / "more.gz"
    # Listed ones are no news, and innocent ones neither.
    words.write_text("wolf\nshit\nfuckbarn\ncockatrice\nmoon-Arsehouse\nnaïve\n", encoding="utf-8")
    with gzip.open(more, "wt", encoding="utf-8") as packed:
        packed.write("wankerboat\n")
    main([str(words), str(more)])
    assert capsys.readouterr().out.split() == ["arsehouse", "wankerboat"]


def test_it_names_pairs_that_would_be_taken_for_a_broken_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = tmp_path / "words"
    words.write_text("who\nre\nass\nhole\nfox\n", encoding="utf-8")
    main(["--pairs", str(words)])
    assert capsys.readouterr().out.split() == ["ass+hole", "who+re"]
