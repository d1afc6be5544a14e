"""Model text: whole sentences, no markers, closed quotes; the same when it is tidied again."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.story.hygiene import tidy
from bot.story.prompt import PromptFormat
from bot.story.sentences import count_words, sentence_ends

TALE = ("<|premise|>", "<|story|>", "<|title|>", "<|hint|>", "<|text|>", "<|end|>")


def tidied(text: str, max_words: int = 120, markers: tuple[str, ...] = TALE) -> str | None:
    return tidy(text, markers, max_words=max_words)


class TestWholeSentences:
    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("The fox ran. She saw a hen and", "The fox ran."),
            ("The fox ran. She met Mr.", "The fox ran."),
            ("The fox ran. She met Mr. Bear", "The fox ran."),
            ("She met Mr. Bear. He", "She met Mr. Bear."),
            ('The fox ran. "Stop!" cried the', "The fox ran."),
            ('"Stop!" cried the hen. "Where are you', '"Stop!" cried the hen.'),
            ("“Stop!” cried the hen. “Where are you", "“Stop!” cried the hen."),
            ("He had three things: a key, a map. 1. The", "He had three things: a key, a map."),
            ("He waited... and then", None),
            ("once upon a time there was a king", None),
            ("", None),
            ("  \n ", None),
            ("...", None),
            ("狐狸跑了。猫睡", "狐狸跑了。"),
            ("“But I—”\n\nThe door opened and", "“But I—”"),
        ],
    )
    def test_a_text_ends_with_its_last_whole_sentence(self, text, kept):
        assert tidied(text) == kept

    def test_paragraphs_stay_and_blank_lines_collapse(self):
        assert (
            tidied(' The fox ran. \n\n\n "Stop!"\n \nShe stopped.\tThen ') == 'The fox ran.\n\n"Stop!"\n\nShe stopped.'
        )

    def test_the_limit_in_words_holds_at_a_sentence(self):
        assert tidied("One two three. Four five. Six.", max_words=5) == "One two three. Four five."
        assert tidied("One two three. Four five. Six.", max_words=4) == "One two three."
        assert tidied("One two three. Four five. Six.", max_words=2) is None

    def test_the_rest_of_a_sentence_that_the_prompt_ended_in_is_dropped(self):
        assert tidied(", . The fox ran.") == "The fox ran."
        assert tidied("... and so the fox ran.") == "... and so the fox ran."


class TestMarkers:
    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("The fox ran.<|end|>", "The fox ran."),
            ("The fox ran.<|end|><|hint|>gold, hill<|text|>She slept.<|end|>", "The fox ran."),
            ("<|text|>The fox ran.<|end|>She slept.", "The fox ran."),
            ("The fox ran.<|hint|>gold. More.", "The fox ran."),
            ("The fox ran.<|en", "The fox ran."),
            ("The fox ran.<|", "The fox ran."),
            ("The fox ran.<|endoftext|>Buy now.", "The fox ran."),
            ("The fox ran.</s>", "The fox ran."),
            ("<s>[INST] The fox ran. [/INST]", "The fox ran."),
            ("The <|unk|> fox ran.", "The fox ran."),
            ("The fox <|e<|end|>nd|> ran. She slept.", None),
            ("[Author's note: make it sad.] The fox ran.", "The fox ran."),
            ("The fox ran. [Next: she finds gold.", "The fox ran."),
            ("The fox [a [b] c] ran.", "The fox ran."),
            ("The fox ran.] She slept.", "The fox ran. She slept."),
        ],
    )
    def test_no_marker_or_note_is_left_and_what_follows_the_end_is_cut(self, text, kept):
        assert tidied(text) == kept

    def test_the_plain_formats_note_ends_the_passage(self):
        markers = PromptFormat.plain().markers
        assert tidied("The fox ran.\n[Next: gold]\n\nShe found gold.", markers=markers) == "The fox ran."


class TestQuotes:
    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ('"I will go. I will not come', '"I will go."'),
            ("“I will go. I will not come", "“I will go.”"),
            ("“She said ‘Go.’ Then she", "“She said ‘Go.’”"),
            ("「行こう。いや", "「行こう。」"),
            ("„Ich gehe. Und dann", "„Ich gehe.“"),
            ('I will go." He left.', "I will go. He left."),
            ('"I will go.\n\nHe left. She', '"I will go."\n\nHe left.'),
            ('"I will go.\n\n"I will sing." He left.', '"I will go.\n\n"I will sing." He left.'),
            ("“I will go.\n\n“I will sing.” He left.", "“I will go.\n\n“I will sing.” He left."),
            ('"A," he said, "and B." They went', '"A," he said, "and B."'),
            ("'Tis the fox's den, and the dogs' too.", "'Tis the fox's den, and the dogs' too."),
        ],
    )
    def test_what_the_cut_left_open_is_closed(self, text, kept):
        assert tidied(text) == kept


def test_invisible_and_broken_characters_go():
    assert tidied("The f\u200box\u202e ran\ufffd.\r\n\r\nShe\x00 slept.") == "The fox ran.\n\nShe slept."


markers = "<|end|> <| |> < | end </s> [INST] [Next: [ ] </ <eos>".split()
prose = "Mr. J. He ran so 3.5 1. “ ” \" ' . ! ... … — - , ( ) * « » „ 。 「 」 é".split()
pieces = st.sampled_from(
    [*markers, *prose, " ", "\n", "\n\n", "\u0301", "\u200b", "\ufe0f", "\ufffd", "👩\u200d👧", "🏽"]
)
model_texts = st.lists(pieces, max_size=30).map("".join) | st.text(max_size=60)


@given(model_texts, st.integers(1, 20))
def test_whatever_the_model_wrote_the_result_is_whole_clean_and_stable(text, max_words):
    result = tidied(text, max_words)
    if result is None:
        return
    assert sentence_ends(result)[-1:] == [len(result)]
    assert count_words(result) <= max_words
    assert "<|" not in result
    assert "|>" not in result
    assert not any(marker in result for marker in TALE)
    assert result == result.strip()
    assert "\n\n\n" not in result
    assert tidied(result, max_words) == result


@given(model_texts)
def test_the_cut_splits_no_grapheme(text):
    source = unicodedata.normalize("NFC", text)
    result = tidied(source)
    at = source.find(result) if result else -1
    following = source[at + len(result) :][:1] if result and at >= 0 else ""
    assert not unicodedata.category(following or "x").startswith("M")
    assert following not in ("\u200d", "🏽")


def test_marks_on_the_full_stop_stay_with_it():
    assert tidied("狐狸跑了。\ufe00猫") == "狐狸跑了。\ufe00"
