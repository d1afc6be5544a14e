"""Sentence borders in real English prose, and in what models write instead of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.story.sentences import count_words, sentence_ends, split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        # titles and initials
        ["Mr. Fox met Mrs. Hen and Dr. Owl.", "They bowed."],
        ["The letter was from J. R. R. Tolkien.", "It was short."],
        ["St. Nicholas lived near Mt. Ararat."],
        ["He came at 5 p.m. and slept.", "She came at 6 a.m.", "Nobody else came."],
        ["They sailed to the U.S. Navy yard.", "It was cold."],
        ["It was I.", "He had gone."],
        ["See No. 5.", "It is blue."],
        ["“No.”", "He shook his head."],
        ["No.", "He would not."],
        ["They had bread, cheese, etc. in a basket.", "It was good."],
        # numbers and lists
        ["It weighed 3.5 pounds.", "He sighed."],
        ["1. Bread for the bear.", "2. Milk for the cat."],
        ["It was in 1920.", "She was born then."],
        # ellipses
        ["He waited... and waited.", "Nobody came."],
        ["He waited…", "Nobody came."],
        ["“Well… yes,” she said.", "He smiled."],
        # speech
        ['"Go away!" said the fox.', "He ran."],
        ['"Go away!"', "The fox ran.", '"Wait!"'],
        ["“Are you sure?” asked Mr. Hare.", "“I am,” she said."],
        ["“I am.”", "He left."],
        ["'Come in,' said the witch.", "'I will.'", "He went in."],
        ["He said, “She told me ‘No.’”", "Then he left."],
        ["(He was tired.)", "He slept."],
        ["*He ran.*", "She did not."],
        ["“But I—”", "The door flew open."],
        ['"But I--"', "He stopped."],
        ["« Non. »", "Il partit."],
        # dashes and exclamations
        ["He ran — fast — and fell.", "It hurt?!", "Yes!!"],
    ],
)
def test_prose_is_split_where_a_reader_would(sentences):
    assert split_sentences(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "text",
    ["He met Mr.", "She was born in the U.S.", "He met J.", "and then he", "“Come,” he", "1.", "…", "***", "a, b; c:"],
)
def test_these_end_no_sentence(text):
    assert sentence_ends(text) == []


def test_chinese_and_japanese_need_no_blanks():
    assert split_sentences("狐狸跑了。猫睡着了！「来吧。」他说。") == [
        "狐狸跑了。",
        "猫睡着了！",
        "「来吧。」",
        "他说。",
    ]


def test_a_paragraph_ends_a_sentence_even_before_a_small_letter():
    assert split_sentences("“Who is there?” nobody asked.") == ["“Who is there?” nobody asked."]
    assert split_sentences("“Who is there?”\n\nnobody answered.") == ["“Who is there?”", "nobody answered."]


def test_a_rest_without_an_end_comes_last():
    assert split_sentences("He ran. She sat down and") == ["He ran.", "She sat down and"]


def test_an_accent_after_the_full_stop_belongs_to_it():
    text = "狐狸跑了。\ufe00猫"
    assert [text[:end] for end in sentence_ends(text)] == ["狐狸跑了。\ufe00"]


@pytest.mark.parametrize(("text", "words"), [("", 0), ("one", 1), (" one  two\nthree ", 3), ("狐狸 ran", 3)])
def test_words_are_counted_between_blanks(text, words):
    assert count_words(text) == words


prose = st.text(st.sampled_from("abIMr .!?…\"'”“)—-\n1。é\u0301"), max_size=80)


@given(prose)
def test_ends_ascend_within_the_text_and_a_split_loses_nothing_but_blanks(text):
    ends = sentence_ends(text)
    assert ends == sorted(set(ends))
    assert all(0 < end <= len(text) for end in ends)
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@given(prose)
def test_an_end_stays_one_when_everything_after_it_is_cut_off(text):
    ends = sentence_ends(text)
    for index, end in enumerate(ends):
        assert sentence_ends(text[:end]) == ends[: index + 1]
