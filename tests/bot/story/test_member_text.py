"""What members type: cleaned, measured, and given back whole where it is refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadInput
from bot.story.hygiene import clean_member_text


def clean(text: str, *, min_chars: int = 1, max_chars: int = 100) -> str:
    return clean_member_text(text, what="hint", min_chars=min_chars, max_chars=max_chars)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Let the fox win.  ", "Let the fox win."),
        ("e\u0301", "é"),
        ("a\u202eb\u200bc\x07d", "abcd"),
        ("a\r\nb\r\n\r\n\r\n\r\nc", "a\nb\n\nc"),
        ("<|end|>gold<|hint|>", "gold"),
        ("<|e<|end|>nd|> gold", "e nd  gold"),
        ("</s>gold[/INST]", "gold"),
        ("[a note] <3 @friend *bold*", "[a note] <3 @friend *bold*"),
    ],
)
def test_only_what_is_invisible_or_a_marker_goes(text, cleaned):
    assert clean(text) == cleaned


def test_a_6000_character_hint_is_refused_with_the_limit_and_comes_back():
    text = "x" * 6000
    with pytest.raises(BadInput, match="Your hint has 6000 characters, and at most 500 fit") as refused:
        clean(text, max_chars=500)
    assert refused.value.text == text


@pytest.mark.parametrize("text", ["", "  \n", "\u200b\u202e", "<|end|>"])
def test_a_text_of_nothing_visible_is_empty(text):
    with pytest.raises(BadInput, match=r"Your hint is empty\. It can have up to 100") as refused:
        clean(text)
    assert refused.value.text == text


def test_a_text_below_the_least_length_is_refused_with_that_length():
    with pytest.raises(BadInput, match="has 3 characters, and it needs at least 20"):
        clean("Hi!", min_chars=20)


def test_nothing_is_fine_where_nothing_is_asked_for():
    assert clean(" ", min_chars=0) == ""


def test_lengths_are_measured_after_cleaning():
    assert clean(" \u200b" * 500 + "gold" + " " * 500, max_chars=4) == "gold"


@given(st.text(st.sampled_from("<|>/s end[INST]a\u0301\u200b\u202e\r\n é"), max_size=60))
def test_cleaned_text_is_normal_and_clean_when_cleaned_again(text):
    cleaned = clean(text, min_chars=0)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert "<|" not in cleaned
    assert "|>" not in cleaned
    assert clean(cleaned, min_chars=0) == cleaned
