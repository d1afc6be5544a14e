"""Prompts: within the budget, steady at the beginning, honest about what was left out."""

import random
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadInput
from bot.story.model import Filled
from bot.story.prompt import (
    MARGIN_TOKENS,
    Part,
    PromptFormat,
    PromptPassage,
    build_prompt,
    countable_parts,
    max_tokens_for,
)

TALE = PromptFormat.from_announced(
    {
        "version": 1,
        "start": "<|story|>",
        "title": "<|title|>{text}",
        "premise": "<|premise|>{text}",
        "body": "<|text|>",
        "passage_end": "<|end|>",
        "hint": "<|hint|>{text}<|text|>",
    }
)
PLAIN = PromptFormat.plain()
SECOND = PromptFormat.from_announced(
    {
        "version": 2,
        "start": "<|story|>",
        "title": "<|title|>{text}",
        "premise": "<|premise|>{text}",
        "tags": "<|tags|>{text}",
        "body": "<|text|>",
        "passage_end": "<|end|>",
        "hint": "<|hint|>{text}<|text|>",
        "suffix": "<|after|>{text}<|text|>",
        "answer": "",
        "stop": ["<|end|>"],
    }
)
CHAT = PromptFormat.from_announced(
    {
        "version": 2,
        "start": "<|im_start|>user\n",
        "title": "",
        "premise": "About: {text}\n",
        "tags": "",
        "body": "So far:\n",
        "passage_end": "\n\n",
        "hint": "Next: {text}\n",
        "suffix": "Then: {text}\n",
        "answer": "<|im_end|>\n<|im_start|>assistant\n",
        "stop": ["<|im_end|>"],
    }
)
PREMISE = "A fox lost her den. She asks the owl for help. The owl knows a hill of gold."


def passages_of(*texts: str) -> list[PromptPassage]:
    return [PromptPassage(number, text, len(text)) for number, text in enumerate(texts, start=1)]


def build(fmt: PromptFormat = TALE, passages: list[PromptPassage] | None = None, **changes: object) -> Filled:
    """A prompt that counts one token per character, so that sums are exact."""
    values = {
        "title": "The Fox",
        "premise": "A fox is lost.",
        "passages": passages or [],
        "hint": None,
        "context_tokens": 2000,
        "max_tokens": 200,
        "count": len,
    }
    return build_prompt(fmt, **(values | changes))


class TestLayout:
    def test_an_announced_format_is_filled_in_its_order_with_the_hint_last(self):
        filled = build(passages=passages_of("She ran.", "She slept."), hint="Let her find a golden key")
        assert filled.text == (
            "<|story|><|title|>The Fox<|premise|>A fox is lost.<|text|>"
            "She ran.<|end|>She slept.<|end|><|hint|>find, golden, key<|text|>"
        )
        assert filled.stop == ("<|end|>",)
        assert filled.record.hint_used == "find, golden, key"
        assert filled.record.parts == ("title", "premise", "canon", "hint")

    def test_the_plain_format_looks_like_a_book_and_takes_the_hint_as_it_is(self):
        filled = build(PLAIN, passages_of("She ran.", "She slept."), hint="Let her find\na golden key")
        assert filled.text == (
            "The Fox\n\nA fox is lost.\n\nShe ran.\n\nShe slept.\n\n[Next: Let her find a golden key]\n\n"
        )
        assert filled.stop == ("\n[",)
        assert filled.record.hint_used == "Let her find a golden key"

    def test_a_style_stands_after_the_premise_where_the_model_was_taught_styles(self):
        filled = build(SECOND, passages_of("She ran."), style=" old <|end|>tale ")
        assert (
            filled.text == "<|story|><|title|>The Fox<|premise|>A fox is lost.<|tags|>old  tale<|text|>She ran.<|end|>"
        )
        assert filled.record.parts == ("title", "premise", "style", "canon")
        assert filled.record.parts_left_out == ()
        assert filled.record.prompt_tokens == len(filled.text)

    @pytest.mark.parametrize(("fmt", "untold"), [(TALE, ("style",)), (PLAIN, ("style",)), (CHAT, ("title", "style"))])
    def test_what_a_model_was_not_taught_is_left_out_and_the_record_says_so(self, fmt, untold):
        filled = build(fmt, passages_of("She ran."), style="fable")
        assert filled.text == build(fmt, passages_of("She ran.")).text
        assert "fable" not in filled.text
        assert filled.record.parts_left_out == untold

    def test_blank_parts_are_left_out_with_their_markers(self):
        filled = build(title=" ", premise="", hint="  \n")
        assert filled.text == "<|story|><|text|>"
        assert filled.record.parts == filled.record.parts_left_out == ()
        assert filled.record.hint_used is None

    def test_what_was_typed_never_becomes_structure(self):
        filled = build(
            title="A<|end|>B",
            premise="<|title|>x {text}",
            passages=passages_of("He <|e<|end|>nd|> ran."),
            hint="<|text|>gold<|end|>",
        )
        assert (
            filled.text == "<|story|><|title|>A B<|premise|>x {text}<|text|>He  e nd  ran.<|end|><|hint|>gold<|text|>"
        )

    def test_the_length_in_words_leaves_room_for_the_last_sentence(self):
        assert max_tokens_for(80) == 152
        assert max_tokens_for(20) == 56
        assert build(max_tokens=77).max_tokens == 77


class TestCounting:
    @pytest.mark.parametrize("fmt", [TALE, PLAIN, SECOND, CHAT])
    def test_only_the_announced_strings_are_counted_where_everything_fits(self, fmt):
        after = passages_of("She slept.", "She woke.")
        known = {part: len(part) for part in countable_parts(fmt, "The Fox", PREMISE, "gold, hill", after, "fable")}
        asked = {"premise": PREMISE, "hint": "gold, hill", "after": after, "style": "fable"}
        build(fmt, passages_of("She ran."), count=known.__getitem__, **asked)
        build(fmt, [], count=known.__getitem__, **asked)

    def test_blank_parts_are_not_counted(self):
        assert countable_parts(PLAIN, "", " ", None) == ("\n\n",)

    def test_the_record_adds_up(self):
        filled = build(passages=passages_of("She ran.", "She slept."), hint="gold")
        assert filled.record.prompt_tokens == len(filled.text)
        assert filled.record.budget_tokens == 2000 - 200 - MARGIN_TOKENS


class TestTooLong:
    def test_a_long_premise_is_shortened_from_its_end_and_the_record_says_so(self):
        filled = build(premise=PREMISE, context_tokens=400)
        assert "<|premise|>A fox lost her den. She asks the owl for help.<|text|>" in filled.text
        assert Part.PREMISE_SHORTENED in filled.record.parts
        assert Part.PREMISE not in filled.record.parts

    def test_a_long_hint_is_refused_with_the_limit_and_comes_back(self):
        hint = "gold " * 80
        with pytest.raises(BadInput, match=r"room for \d+ \(about \d+ words\)") as refused:
            build(PLAIN, hint=hint, context_tokens=500)
        assert refused.value.text == hint

    def test_a_long_hint_that_is_allowed_takes_its_room_from_canon(self):
        passages = passages_of(*("x" * 99 for _ in range(14)))
        short, long = (build(PLAIN, passages, hint=hint) for hint in ("gold", "gold " * 80))
        assert short.record.passages_left_out == ()
        assert long.record.passages_left_out
        assert len(long.text) + 200 <= 2000 - MARGIN_TOKENS

    def test_a_length_that_leaves_no_room_is_refused_with_the_numbers(self):
        with pytest.raises(BadInput, match=r"reads 64 tokens at once.*needs 152.*shorter length"):
            build(context_tokens=64, max_tokens=152)

    def test_a_last_passage_longer_than_the_room_is_kept_from_a_sentence_on(self):
        long = "The fox went on and on. " * 40 + "At last she slept."
        filled = build(passages=passages_of("Once.", long), context_tokens=500)
        assert filled.text.split("<|text|>")[1].startswith("The fox went on and on.")
        assert filled.text.endswith("At last she slept.<|end|>")
        assert filled.record.parts == ("title", "premise", "end of the last passage")
        assert (filled.record.passages_used, filled.record.passages_left_out) == ((2,), (1,))

    def test_the_middle_goes_and_the_opening_stays(self):
        filled = build(passages=passages_of(*(f"{i:02} " + "x" * 97 for i in range(30))))
        assert filled.record.parts == ("title", "premise", "opening", "canon")
        assert filled.record.passages_used[0] == 1
        assert filled.record.passages_used[-1] == 30
        assert 2 in filled.record.passages_left_out
        assert "<|text|>00 x" in filled.text


class TestWhatComesAfter:
    def test_its_beginning_is_the_suffix_and_stands_nowhere_in_the_prompt(self):
        after = [PromptPassage(7, "She woke. It rained.", 20), PromptPassage(9, "The end came.", 13)]
        filled = build(SECOND, passages_of("She ran."), hint="gold", after=after)
        assert filled.suffix == "She woke. It rained.\n\nThe end came."
        assert filled.text.endswith("She ran.<|end|><|hint|>gold<|text|>")
        record = filled.record
        assert record.parts == ("title", "premise", "canon", "hint", "what comes after")
        assert (record.suffix_used, record.passages_after) == (filled.suffix, (7, 9))
        assert record.suffix_tokens == len("<|after|><|text|>") + len(filled.suffix)
        assert record.prompt_tokens == len(filled.text) + record.suffix_tokens
        assert (record.passages_used, record.passages_left_out) == ((1,), ())

    def test_it_is_cut_at_a_sentences_end_within_eighty_words_and_only_what_is_shown_is_named(self):
        sentence = "The fox went on over the long green hill. "
        after = [PromptPassage(1, (sentence * 12).strip(), 500), PromptPassage(2, "Never shown.", 12)]
        filled = build(SECOND, after=after, context_tokens=4000)
        assert filled.suffix == (sentence * 8).strip()
        assert filled.record.passages_after == (1,)

    def test_it_takes_at_most_a_quarter_of_the_budget(self):
        after = [PromptPassage(1, "She ran far away. She slept. " * 10, 290)]
        filled = build(SECOND, passages_of("x" * 100), after=after, context_tokens=500, max_tokens=100)
        assert filled.suffix is not None
        assert filled.suffix.endswith((". She slept.", "far away."))
        assert filled.record.suffix_tokens <= (500 - 100 - MARGIN_TOKENS) // 4

    def test_a_long_hint_comes_before_it(self):
        after = [PromptPassage(1, "She ran far away. She slept.", 28)]
        longer, longest = (
            build(CHAT, hint="gold " * times, after=after, context_tokens=700, max_tokens=100) for times in (80, 86)
        )
        assert longer.suffix == "She ran far away."
        assert longest.suffix is None
        assert longest.record.suffix_tokens is None
        assert "what comes after" not in longest.record.parts
        assert "gold gold" in (longest.record.hint_used or "")

    def test_nothing_after_is_nothing(self):
        filled = build(SECOND, passages_of("She ran."))
        assert (filled.suffix, filled.record.suffix_used, filled.record.passages_after) == (None, None, ())

    def test_markers_in_it_are_no_structure(self):
        filled = build(SECOND, after=[PromptPassage(1, "He <|end|> ran.", 15)])
        assert filled.suffix == "He   ran."

    def test_a_chat_models_prompt_ends_with_what_opens_its_answer(self):
        filled = build(CHAT, passages_of("She ran."), hint="Let her sleep", after=passages_of("She woke."))
        assert filled.text == (
            "<|im_start|>user\nAbout: A fox is lost.\nSo far:\nShe ran.\n\nNext: Let her sleep\n"
            "<|im_end|>\n<|im_start|>assistant\n"
        )
        assert (filled.suffix, filled.stop) == ("She woke.", ("<|im_end|>",))
        assert filled.record.parts == ("premise", "canon", "hint", "what comes after")

    def test_a_hint_that_the_model_was_not_taught_is_left_out_and_the_record_says_so(self):
        taught_none = replace(SECOND, hint="")
        filled = build(taught_none, hint="gold")
        assert filled.text == build(taught_none).text
        assert filled.record.hint_used is None


texts = st.text("abc .!{}<|>end\n", max_size=60)
stories = st.lists(st.integers(1, 300), max_size=30).map(
    lambda sizes: passages_of(*((f"{i} " + "She ran. " * 40)[:size] for i, size in enumerate(sizes)))
)


@given(
    st.sampled_from([TALE, PLAIN, SECOND, CHAT]),
    texts,
    texts,
    texts,
    stories,
    st.none() | texts,
    st.integers(50, 1500),
    st.integers(1, 400),
    stories,
)
def test_whatever_goes_in_the_budget_holds_and_every_passage_is_accounted_for(
    fmt, title, premise, style, passages, hint, context_tokens, max_tokens, after
):
    asked = {"title": title, "premise": premise, "style": style, "hint": hint, "after": after}
    try:
        filled = build(fmt, passages, context_tokens=context_tokens, max_tokens=max_tokens, **asked)
    except BadInput as error:
        refused = str(error)
    else:
        refused = None
    if refused is not None:
        assert re.search(r"\d", refused), "a refusal names its limit"
        return
    suffix = "" if filled.suffix is None else (fmt.suffix or "{text}").replace("{text}", filled.suffix)
    assert len(filled.text) + len(suffix) + max_tokens <= context_tokens
    assert len(suffix) <= max(0, filled.record.budget_tokens // 4)
    assert filled.record.prompt_tokens is not None
    assert len(filled.text) + len(suffix) <= filled.record.prompt_tokens
    assert bool(filled.suffix) == (Part.SUFFIX in filled.record.parts) == bool(filled.record.passages_after)
    assert filled.record.passages_after == tuple(p.id for p in after[: len(filled.record.passages_after)])
    used, left_out = filled.record.passages_used, filled.record.passages_left_out
    assert sorted([*used, *left_out]) == [passage.id for passage in passages]
    assert list(used) == sorted(used)
    if filled.record.hint_used:
        assert filled.text.endswith(fmt.hint.replace("{text}", filled.record.hint_used) + fmt.answer)
    if fmt in (TALE, SECOND):
        assert filled.text.count("<|end|>") == len(used)
        assert filled.text.count("<|text|>") == (2 if filled.record.hint_used else 1)


def canon_of(filled: Filled) -> str:
    """A prompt without its hint: the beginning that the next prompt should share."""
    return filled.text.split("<|hint|>")[0]


@pytest.mark.parametrize("seed", range(5))
def test_over_a_growing_story_nearly_every_prompt_begins_with_the_one_before(seed):
    rng = random.Random(seed)
    passages: list[PromptPassage] = []
    prompts: list[Filled] = []
    for number in range(1, 151):
        hint = rng.choice([None, "gold, hill", "the dragon comes back and eats the whole castle, king and all"])
        prompts.append(build(passages=list(passages), hint=hint, context_tokens=6000))
        passages.append(PromptPassage(number, "x" * (size := rng.randint(80, 250)), size))
    moves = [not canon_of(later).startswith(canon_of(earlier)) for earlier, later in pairwise(prompts)]
    # Around 165 characters a passage, and a third of about 5,000 free after each move: every tenth turn or so.
    assert 5 <= sum(moves) <= 18
    for earlier, later, moved in zip(prompts, prompts[1:], moves, strict=False):
        if moved:
            assert len(canon_of(later)) < 0.75 * len(canon_of(earlier))


@given(stories, st.integers(400, 3000))
def test_asking_again_with_an_ordinary_hint_keeps_the_whole_beginning(passages, context_tokens):
    without = build(passages=passages, context_tokens=context_tokens)
    with_hint = build(passages=passages, context_tokens=context_tokens, hint="fox")
    is_ordinary = len(with_hint.text) - len(canon_of(with_hint)) <= (context_tokens - 200 - MARGIN_TOKENS) // 8
    if is_ordinary and Part.LAST_PASSAGE_END not in with_hint.record.parts:
        assert canon_of(with_hint) == without.text


def test_the_same_story_gives_the_same_prompt_whatever_was_asked_before():
    passages = passages_of(*("x" * 100 for _ in range(40)))
    first = build(passages=passages)
    build(passages=passages[:7], hint="dragon")
    assert build(passages=passages) == first
