"""Which labels are categories: by their names, by what the host says, and never by a guess."""

from __future__ import annotations

import pytest

from models.engine.moderation.labels import LabelError, is_neutral, read_labels


def test_every_label_is_a_category_under_its_own_name() -> None:
    labels = read_labels({0: "hate", 1: "sexual/minors"})
    assert (labels.names, labels.categories, labels.parts) == (
        labels.categories,
        ("hate", "sexual/minors"),
        ((0,), (1,)),
    )
    assert labels.left_out == ()


@pytest.mark.parametrize(
    "name", ["neutral", "OK", "not-hate", "nothate", "NON_HATE", "Non-Toxic", " safe ", "normal", "neither"]
)
def test_a_label_that_says_nothing_was_found_is_no_category(name: str) -> None:
    assert is_neutral(name)
    labels = read_labels({0: name, 1: "hate"})
    assert (labels.categories, labels.parts, labels.left_out) == (("hate",), ((1,),), (name,))


@pytest.mark.parametrize("name", ["hate", "toxic", "negative", "other", "hate_neutral_tone", "unsafe", "notable"])
def test_any_other_name_is_one(name: str) -> None:
    assert not is_neutral(name)
    assert read_labels({0: name}).categories == (name,)


@pytest.mark.parametrize("name", ["LABEL_0", "label0", "0", "class_1", "Category 2"])
def test_a_label_without_a_meaning_is_not_guessed_at(name: str) -> None:
    with pytest.raises(LabelError, match=rf"nothing says what its labels {name} mean; name each"):
        read_labels({0: name, 1: "hate"})
    assert read_labels({0: name, 1: "hate"}, {name: None}).categories == ("hate",)
    assert read_labels({0: name, 1: "hate"}, {name: "violence"}).categories == ("violence", "hate")


def test_what_the_host_says_wins_over_the_name() -> None:
    labels = read_labels({0: "neutral", 1: "hate", 2: "spam"}, {"neutral": "dull", "spam": None})
    assert (labels.categories, labels.left_out) == (("dull", "hate"), ("spam",))


def test_labels_of_one_name_are_one_category() -> None:
    labels = read_labels({0: "hate", 1: "ok", 2: "offensive"}, {"offensive": "hate"})
    assert (labels.categories, labels.parts) == (("hate",), ((0, 2),))


@pytest.mark.parametrize(
    ("names", "naming", "said"),
    [
        ({0: "hate"}, {"hat": "x"}, "it has no label hat; it has hate"),
        ({0: "hate"}, {"hate": " "}, "the label hate is given an empty name"),
        ({0: "hate"}, {"hate": None}, "none of its labels is a category: hate"),
        ({0: "neutral"}, {}, "none of its labels is a category: neutral"),
        ({0: "hate", 1: "hate"}, {}, "two of its labels have one name"),
    ],
)
def test_what_can_not_be_used_is_named(names: dict[int, str], naming: dict[str, str | None], said: str) -> None:
    with pytest.raises(LabelError, match=said):
        read_labels(names, naming)
