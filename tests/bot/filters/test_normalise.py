"""One spelling for many, and the way back."""

from __future__ import annotations

import sys
import unicodedata
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.filters.drawn import read_symbols_as_letters
from bot.filters.normalise import _fold, fold_character, normalise
from bot.filters.terms import is_of_word, split_words

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
TROUBLE = st.text(
    st.sampled_from("aÄß\u0301\u200b\u202eﬁ🅰🇬Ω\u0e34\u0938\u0941\ud800\x00\n!5@$ \ufdfa\u00ad’-_"), max_size=60
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Wolf", "wolf"),
        ("WÖLFE", "wolfe"),
        ("w\u0336o\u0337l\u0338f\u0321\u0300", "wolf"),
        ("ｗｏｌｆ", "wolf"),
        ("𝐰𝓸𝔩𝕗", "wolf"),
        ("ⓦⓄⓛⓕ", "wolf"),
        ("🅦🅾🅻🅵", "wolf"),
        ("🇼🇴🇱🇫", "wolf"),
        ("ᴡᴏʟꜰ", "wolf"),
        ("w\u200bo\u00adl\u2060\u202ef\ufe0f\U000e0100", "wolf"),
        ("wo\x00l\x07f", "wolf"),
        ("wоlf", "wolf"),  # Cyrillic о
        ("ΝΟΤΕ", "note"),  # Greek capitals
        ("Straße", "strasse"),
        ("ﬁﬂﬃ", "fiflffi"),
        ("İıøŁ", "iiol"),
        ("a\tb\nc\u2003d", "a\tb\nc d"),
        ("हिन्दी", "हिन्दी"),
        ("שָׁלוֹם", "שלום"),
        ("٩/١١ ९", "9/11 9"),  # digits of other scripts
    ],
)
def test_the_many_ways_of_writing_a_word(written: str, folded: str) -> None:
    assert normalise(written).text == folded


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sh1p", "ship"),
        ("5h!p", "ship"),
        ("sh!p", "ship"),
        ("$hip @head", "ship ahead"),
        ("7h3 8oa7", "the boat"),
        ("ship!!!", "ship!!!"),
        ("c+", "c+"),
        ("455 $5 1984 7,50€ !", "455 $5 1984 7,50€ !"),
        ("no change here", "no change here"),
    ],
)
def test_symbols_are_letters_only_inside_words(written: str, read: str) -> None:
    assert read_symbols_as_letters(normalise(written)).text == read


def test_folding_twice_is_folding_once_for_every_code_point_there_is() -> None:
    for character in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(character) not in ("Cn", "Co", "Cs"):  # unassigned, private, half of a pair
            folded = _fold(character)
            assert "".join(map(_fold, folded)) == folded, hex(ord(character))


@given(ANY_TEXT | TROUBLE)
def test_every_folded_character_knows_where_it_came_from(text: str) -> None:
    plain = normalise(text)
    assert len(plain.origins) == len(plain.text)
    assert list(plain.origins) == sorted(plain.origins)
    assert plain.text == "".join(map(fold_character, text)), "the short way for plain ASCII changes nothing"
    for position, origin in enumerate(plain.origins):
        assert plain.text[position] in fold_character(text[origin])


@given(ANY_TEXT | TROUBLE, st.data())
def test_a_span_of_the_original_folds_to_what_it_stands_for(text: str, data: st.DataObject) -> None:
    plain = normalise(text)
    if not plain.text:
        return
    start = data.draw(st.integers(0, len(plain.text) - 1))
    end = data.draw(st.integers(start + 1, len(plain.text)))
    first, last = plain.original_span(start, end)
    assert 0 <= first < last <= len(text)
    assert plain.text[start:end] in normalise(text[first:last]).text


@given(ANY_TEXT | TROUBLE)
def test_reading_symbols_keeps_length_and_origins(text: str) -> None:
    plain = normalise(text)
    read = read_symbols_as_letters(plain)
    assert (len(read.text), read.origins, read.original) == (len(plain.text), plain.origins, text)


@given(ANY_TEXT | TROUBLE)
def test_words_are_the_longest_runs_of_letters_digits_and_marks(text: str) -> None:
    folded = normalise(text).text
    runs = groupby(enumerate(folded), lambda place: is_of_word(place[1]))
    expected = [[position for position, _ in run] for of_word, run in runs if of_word]
    assert [list(range(word.start, word.end)) for word in split_words(folded)] == expected


def test_every_mark_of_unicode_is_of_the_word_it_stands_in() -> None:
    for character in map(chr, range(0x20000)):
        words = [word.text for word in split_words(f"Ж x{character} ")]
        assert words == ["Ж", "x" + character if is_of_word(character) else "x"], hex(ord(character))
