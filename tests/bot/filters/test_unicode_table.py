"""The table of look-alikes is what Unicode's own file makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.filters.normalise import normalise
from bot.filters.unicode_table import TABLE, make_table, read_table

SOURCE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "moderation" / "unicode_confusables"


def test_the_table_is_made_from_unicodes_file() -> None:
    source = SOURCE / "confusables.txt"
    if not source.exists():
        pytest.skip("Unicode's confusables.txt is not here")
    assert make_table(source.read_text(encoding="utf-8")) == TABLE.read_text(encoding="utf-8")


def test_look_alikes_are_single_characters_for_small_letters() -> None:
    table = read_table()
    assert len(table) > 500
    assert all(letters.isascii() and letters.islower() for letters in table.values())


@pytest.mark.parametrize("written", ["ԝоӏf", "ꓪoꓡf", "ᏔᎾᏞf", "𐊷"[:0] + "w𐓪lf", "ᗯolf"])
def test_letters_of_other_scripts_are_read_as_what_they_look_like(written: str) -> None:
    assert normalise(written).text == "wolf"
