"""Words of a passage: found, told from names, and kept."""

from __future__ import annotations

import pytest

from models.engine.masked.words import begins_sentence, find_kept, find_names, find_words


def words(text: str) -> list[str]:
    return [word.text for word in find_words(text)]


def names(text: str, common: str = "") -> set[str]:
    return find_names(find_words(text), lambda word: word in common.split())


def test_a_word_is_letters_with_apostrophes_and_hyphens_inside() -> None:
    text = "Don’t stop—the half-light isn't 'far', 4th of May2 snake_case naïve 龍!"
    assert words(text) == ["Don’t", "stop", "the", "half-light", "isn't", "far", "of", "naïve", "龍"]


def test_a_letter_with_an_accent_of_its_own_is_not_cut_from_it() -> None:
    assert words("cafe\u0301 the e\u0301te\u0301 hill") == ["the", "hill"]


def test_words_say_where_they_stand() -> None:
    text = "  The cat\nsat."
    assert [text[word.begin : word.end] for word in find_words(text)] == ["The", "cat", "sat"]


@pytest.mark.parametrize(
    ("text", "is_first"),
    [
        ("Word", True),
        ("He sat. Word", True),
        ("He sat.” Word", True),
        ("He sat… Word", True),
        ("He sat\nWord", True),
        ("He sat\n\n  “Word", True),
        ("He said, “Word", True),
        ('He said, "Word', True),
        ("He said Word", False),
        ("He said, Word", False),
        ("He said—Word", False),
        ("the king’s ‘own’ Word", False),
        ("I met Mr. Word", False),
        (" " * 80 + "Word", True),
    ],
)
def test_the_first_word_of_a_sentence_is_known(text: str, is_first: bool) -> None:
    assert begins_sentence(text, text.index("Word")) is is_first


def test_a_capital_inside_a_sentence_makes_a_name_everywhere() -> None:
    assert names("Anna ran. So the king met Anna.") == {"Anna", "So"}
    assert names("Anna ran. So the king met Anna.", common="so anna") == {"Anna"}


def test_a_first_word_is_no_name_where_its_small_spelling_is_known() -> None:
    assert names("The king ran. He and the cat sat.") == {"He"}
    assert names("The king ran. He and the cat sat.", common="he") == set()
    assert names("Mr. Brown ran.", common="brown mr") == {"Brown"}


def test_what_is_to_be_kept_is_found_in_any_case_and_as_whole_words() -> None:
    text = "The Silver  Key, the silver keys; a monkey. KEY"
    found = [text[begin:end] for begin, end in find_kept(text, ["silver key", "key", "x.y"])]
    assert found == ["Silver  Key", "Key", "KEY"]
    assert find_kept(text, [" "]) == []
    assert [text[begin:end] for begin, end in find_kept(text, ["a monkey."])] == ["a monkey."]
