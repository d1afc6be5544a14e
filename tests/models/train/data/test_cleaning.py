from __future__ import annotations

from pathlib import Path

import pytest

from models.engine.story_format import StoryFormat
from models.train.data.cleaning.boilerplate import EdgeCounter, line_step, repeated_step
from models.train.data.cleaning.chain import Tally, clean_document, text_steps
from models.train.data.cleaning.encoding import encoding_step, mend
from models.train.data.cleaning.markers import drop_markers, marker_step
from models.train.data.cleaning.normal_form import normal_form, normal_form_step
from models.train.data.cleaning.selection import language_step, length_step, load_words, middle_of, word_step
from models.train.data.document import Document
from models.train.data.errors import SettingsError
from models.train.data.settings import (
    BoilerplateSettings,
    CleaningSettings,
    EncodingSettings,
    LanguageSettings,
    LengthSettings,
    NormalFormSettings,
)
from models.train.sources import Story
from tests.models.train.data.corpus import tell


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("“No,” she said — donâ€™t".encode().decode(), "“No,” she said — don’t"),
        ("“Yes,” café".encode().decode("cp1252", errors="ignore"), "“Yes,” café"),
        ("cafÃ©", "café"),
        ("don't touch it!â€ Annie jumped", "don't touch it!” Annie jumped"),
        ("too?â€.", "too?”."),
        ("Let's go, mummy!â€", "Let's go, mummy!”"),
        ("said, â€no problem", "said, “no problem"),
        ('satisfaction â€" her job', "satisfaction — her job"),
        ("donâ€'t", "don’t"),
        ("waitâ€...", "wait…"),
        ("one &amp; two", "one & two"),
        ("“Ångström – naïve” Ãa", "“Ångström – naïve” Ãa"),
    ],
)
def test_mojibake_is_mended_where_it_can_be(broken: str, mended: str) -> None:
    assert mend(broken) == mended


@pytest.mark.parametrize("text", ["The f\ufffdx ran.", "The naâ€x ran.", "Ten Ã¼Ãœ\ufffd"])
def test_a_story_that_cannot_be_mended_is_dropped_unless_that_is_off(text: str) -> None:
    assert encoding_step(EncodingSettings()).apply(Story(text)) is None
    assert encoding_step(EncodingSettings(drop_broken=False)).apply(Story(text)) is not None


@pytest.mark.parametrize("text", ["São Paulo, Ângela, À la carte", "Zürich — “Öl” Łódź", "À bientôt"])
def test_accents_are_no_debris(text: str) -> None:
    assert encoding_step(EncodingSettings()).apply(Story(text)) == Story(text)


def test_titles_and_premises_are_mended_too() -> None:
    story = encoding_step(EncodingSettings()).apply(Story("Once.", "CafÃ©", "donâ€™t", ("cafÃ©",)))
    assert story == Story("Once.", "Café", "don’t", ("café",))


def test_text_has_one_normal_form() -> None:
    assert (
        normal_form("Cafe\u0301\u00a0 au\tlait \r\n\u200bnext\u2028line\x07\n\n\n\n end ")
        == "Café au lait\nnext\nline\n\nend"
    )
    assert normal_form("क्\u200dष") == "क्\u200dष", "joiners belong to words"


def test_quotes_are_folded_only_where_that_is_asked() -> None:
    story = Story("“Yes” — it’s…")
    assert normal_form_step(NormalFormSettings()).apply(story) == story
    assert normal_form_step(NormalFormSettings(plain_quotes=True)).apply(story) == Story('"Yes" -- it\'s...')


@pytest.mark.parametrize(
    "marker", [*StoryFormat().special_tokens, "<|endoftext|>", "</s>", "[MASK]", "[/INST]", "<pad>"]
)
def test_what_looks_like_a_marker_goes(marker: str) -> None:
    assert drop_markers(f"One {marker} two.") == "One two."
    assert marker_step().apply(Story("x", f"{marker}Fox")) == Story("x", "Fox")


def test_no_marker_comes_together_from_the_halves_of_another() -> None:
    assert drop_markers("One <|en<|pad|>d|> two") == "One two"
    assert "[MASK]" not in drop_markers("[MA<s>SK]")


def test_addresses_and_page_numbers_go_and_sentences_stay() -> None:
    long = "The fox " + "ran on and on " * 8
    text = f"Read more at www.example.org today\nPage 12\n- 7 -\nIn 1812 there was a fox.\n{long}http://a.b/c home."
    cleaned = line_step(BoilerplateSettings()).apply(Story(text))
    assert cleaned == Story(f"In 1812 there was a fox.\n{long}home.")
    assert line_step(BoilerplateSettings(urls=False, page_numbers=False)).apply(Story(text)) == Story(text)


def test_paragraphs_at_the_edges_of_many_stories_go() -> None:
    settings = BoilerplateSettings(edge_paragraphs=1, min_stories=3, min_share=0.5)
    stories = [Story(f"Welcome to  TALES!\n\n{tell(n)}\n\nThe owl slept.\n\nThe end.") for n in range(3)]
    stories.append(Story(f"{tell(4)}\n\nThe end."))
    counter = EdgeCounter(settings)
    for story in stories:
        counter.count(story)
    step = repeated_step(settings, counter.repeated())
    assert step.apply(stories[0]) == Story(f"{tell(0)}\n\nThe owl slept.")
    inside = Story(f"{tell(5)}\n\nThe end.\n\n{tell(6)}")
    assert step.apply(inside) == inside


def test_a_share_of_the_stories_can_be_wanted_as_well() -> None:
    counter = EdgeCounter(BoilerplateSettings(min_stories=2, min_share=0.5))
    for n in range(10):
        counter.count(Story(f"{tell(n)}\n\n{'The end.' if n < 4 else tell(n + 50)}"))
    assert counter.repeated() == frozenset()


def test_a_story_counts_a_paragraph_once() -> None:
    counter = EdgeCounter(BoilerplateSettings(min_stories=2, min_share=0))
    counter.count(Story("Stars.\n\nStars."))
    assert counter.repeated() == frozenset()


@pytest.mark.parametrize(("words", "kept"), [(2, False), (3, True), (5, True), (6, False)])
def test_both_bounds_of_length_are_included(words: int, kept: bool) -> None:
    story = Story("fox " * words)
    assert (length_step(LengthSettings(min_words=3, max_words=5)).apply(story) == story) is kept


ENGLISH = "Once upon a time a little fox lived on a hill and wondered about the moon."
GERMAN = "Es war einmal ein kleiner Fuchs, der lebte auf einem Hügel und dachte an den Mond."


def test_stories_in_other_languages_are_dropped() -> None:
    english = language_step(LanguageSettings(keep=["en"]))
    both = language_step(LanguageSettings(keep=["en", "de"]))
    assert [english.apply(Story(text)) is not None for text in (ENGLISH, GERMAN)] == [True, False]
    assert [both.apply(Story(text)) is not None for text in (ENGLISH, GERMAN)] == [True, True]


def test_a_language_is_judged_by_the_middle() -> None:
    text = f"{GERMAN}\n\n{ENGLISH * 40}\n\n{GERMAN}"
    assert language_step(LanguageSettings(keep=["en"], min_confidence=0.9, sample_chars=400)).apply(Story(text))
    assert middle_of("abcdefgh", 4) == "cdef"
    assert middle_of("abc", 10) == "abc"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(SettingsError, match="'xx' is no ISO 639-1 code"):
        language_step(LanguageSettings(keep=["xx"]))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The FOX ran.", False),
        ("The fox's den", False),
        ("a fox-hunt", False),
        ("The foxglove bloomed.", True),
        ("a bad   OLD wolf", False),
        ("a bad young wolf, old", True),
    ],
)
def test_words_are_found_whole(text: str, kept: bool) -> None:
    step = word_step(["fox", "bad old wolf"])
    assert (step.apply(Story(text)) is not None) is kept
    assert (step.apply(Story("x", title=text)) is not None) is kept
    assert (step.apply(Story("x", premise=text)) is not None) is kept


def test_a_word_list_has_comments_and_must_have_words(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# a comment\nfox\n\n bad old wolf \n")
    assert load_words(path) == ["fox", "bad old wolf"]
    path.write_text("# nothing\n")
    with pytest.raises(SettingsError, match="no word in"):
        load_words(path)
    with pytest.raises(SettingsError, match=r"cannot read .*none\.txt"):
        load_words(tmp_path / "none.txt")


def test_every_step_counts_what_it_does() -> None:
    tally, steps = Tally(), text_steps(CleaningSettings())
    for text in ("It was donâ€™t.", "Fine.", "Bad \ufffd text here.", "www.example.org"):
        clean_document(Document(Story(text), "s", "g", "x"), steps, tally)
    counts = {name: (c.came, c.changed, c.dropped, c.words_lost) for name, c in tally.steps["s"].items()}
    assert counts == {
        "encoding": (4, 1, 1, 4),
        "normal_form": (3, 0, 0, 0),
        "markers": (3, 0, 0, 0),
        "boilerplate_lines": (3, 0, 1, 1),
    }


def test_every_step_can_be_switched_off() -> None:
    off = {"enabled": False}
    settings = CleaningSettings.model_validate(
        {"encoding": off, "normal_form": off, "markers": off, "boilerplate": {"urls": False, "page_numbers": False}}
    )
    assert text_steps(settings) == []
