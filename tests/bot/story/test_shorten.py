"""Texts that are too long: whole sentences where possible, whole words otherwise, never more than the room."""

from hypothesis import given
from hypothesis import strategies as st

from bot.story.sentences import count_words
from bot.story.shorten import Counted, keep_beginning, keep_end, keep_words

TEXT = "The fox ran. He saw Mr. Bear. “Run!” he cried. They ran home."


def counted(text: str) -> Counted:
    return Counted(text, len(text))


def test_the_beginning_is_kept_by_whole_sentences():
    assert keep_beginning(counted(TEXT), 35, len).text == "The fox ran. He saw Mr. Bear."
    assert keep_beginning(counted(TEXT), 12, len).text == "The fox ran."


def test_the_end_is_kept_by_whole_sentences():
    assert keep_end(counted(TEXT), 35, len).text == "“Run!” he cried. They ran home."
    assert keep_end(counted(TEXT), 15, len).text == "They ran home."


def test_where_no_sentence_fits_whole_words_are_kept():
    assert keep_beginning(counted("a dragon who is afraid of the dark"), 12, len).text == "a dragon who"
    assert keep_end(counted("a dragon who is afraid of the dark"), 12, len).text == "of the dark"


def test_nothing_is_kept_where_not_even_a_word_fits():
    assert keep_beginning(counted("unbelievable"), 5, len) == Counted("", 0)
    assert keep_end(counted(TEXT), 0, len) == Counted("", 0)


def test_an_estimate_that_is_too_low_is_corrected_by_the_known_count_of_the_whole():
    dense = Counted(TEXT, 4 * len(TEXT))
    kept = keep_beginning(dense, 60, lambda text: 1)
    assert 4 * len(kept.text) <= 60


@given(st.text('ab. !"\n', max_size=80), st.integers(-3, 90), st.sampled_from([keep_beginning, keep_end]))
def test_what_is_kept_fits_and_stood_in_the_text(text, room, keep):
    kept = keep(counted(text), room, len)
    assert kept.tokens <= max(room, 0)
    assert len(kept.text) <= max(room, 0)
    assert text.startswith(kept.text.rstrip()) or text.endswith(kept.text) or kept.text in text


def test_of_words_whole_sentences_are_kept():
    assert keep_words(TEXT, 9) == "The fox ran. He saw Mr. Bear."
    assert keep_words(TEXT, 100) == TEXT
    assert keep_words("The fox ran over the hill", 3) == "The fox ran"


@given(st.text("ab. !\n“”", max_size=200), st.integers(1, 20))
def test_never_more_words_than_allowed_and_always_a_beginning(text, limit):
    kept = keep_words(text, limit)
    assert count_words(kept) <= limit
    assert text.strip().startswith(kept)
