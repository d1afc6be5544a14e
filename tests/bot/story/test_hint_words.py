"""Hints as the bundled model was taught them."""

import pytest

from bot.story.hint_words import FUNCTION_WORDS, content_words, wanted_words


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        ("Please let the fox find a golden key in the well!", "fox, find, golden, key"),  # "well" is seldom a well
        ("gold, hill, dragon", "gold, hill, dragon"),
        ("The dragon. The Dragon! the DRAGON?", "dragon"),
        ("She doesn't open the old-fashioned door", "open, old-fashioned, door"),
        ("the king’s daughter", "king's, daughter"),
        ("one wolf bear fox hen goat sheep", "wolf, bear, fox, hen, goat, sheep"),
        ("a wolf, a bear, a fox, a hen, a goat, a sheep, a cow", "wolf, bear, fox, hen, goat, sheep"),
        ("then what happens next?", "then what happens next?"),
        ("  and   so\non ", "and so on"),
        ("42!", "42!"),
        ("Ein Ungeheuer erwacht", "ein, ungeheuer, erwacht"),
        ("龙来了", "龙来了"),
    ],
)
def test_a_sentence_becomes_its_content_words(hint, words):
    assert content_words(hint, 6) == words


def test_the_words_that_carry_nothing_are_lower_case_and_plain():
    assert all(word == word.lower() and "’" not in word for word in FUNCTION_WORDS)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        ("Let the fox find a golden key", ("fox", "find", "golden", "key")),
        ("fox, find, golden, key", ("fox", "find", "golden", "key")),
        ("one two red blue green black white grey", ("red", "blue", "green", "black", "white", "grey")),
        ("x" * 41 + " fox", ("fox",)),
        ("and then?", ()),
    ],
)
def test_the_words_that_should_appear_are_few_and_within_the_workers_limits(hint, words):
    assert wanted_words(hint) == words
