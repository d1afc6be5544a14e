"""What the instruction of a light rewrite may name: words that stand in the passage, in quotation marks."""

import pytest

from bot.errors import BadInput
from bot.story.kept_words import MAX_KEPT, kept_words

PASSAGE = "Mara lit the old lantern. MARA didn’t see the fox-cub by the lantern."


@pytest.mark.parametrize(
    ("instruction", "words"),
    [
        ("", ()),
        ("  ", ()),
        ('keep "lantern"', ("lantern",)),
        ("“mara” must stay", ("Mara", "MARA")),
        ("„Mara“, «fox-cub»", ("Mara", "MARA", "fox-cub")),
        ('"old lantern" and "didn\'t"', ("old", "lantern", "didn’t")),
        ('"lantern" "lantern"', ("lantern",)),
    ],
)
def test_the_quoted_words_are_kept_as_they_stand_in_the_passage(instruction, words):
    assert kept_words(instruction, PASSAGE) == words


@pytest.mark.parametrize(
    ("instruction", "sentence"),
    [
        ("make it darker", "in quotation marks"),
        ('"!"', "in quotation marks"),
        ('keep "Mara" and "dragon"', "“dragon” does not stand"),
        ('"lant"', "“lant” does not stand"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_comes_back(instruction, sentence):
    with pytest.raises(BadInput, match=sentence) as refused:
        kept_words(instruction, PASSAGE)
    assert refused.value.text == instruction


def test_too_many_or_too_long_words_are_refused_with_the_limit():
    words = [chr(ord("a") + number) * 3 for number in range(MAX_KEPT + 1)]
    quoted = f'"{" ".join(words)}"'
    with pytest.raises(BadInput, match=f"names {MAX_KEPT + 1} words, and at most {MAX_KEPT}"):
        kept_words(quoted, " ".join(words))
    assert len(kept_words(f'"{" ".join(words[:-1])}"', " ".join(words))) == MAX_KEPT
    with pytest.raises(BadInput, match="at most 40 characters"):
        kept_words(f'"{"x" * 41}"', "x" * 41)
