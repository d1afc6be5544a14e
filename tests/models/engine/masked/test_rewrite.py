"""What is written: by a model that is known to say after each word which comes next, and by random ones."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from models.engine.events import FinishReason
from models.engine.masked.checkpoint import MaskedCheckpoint
from models.engine.masked.engine import MaskedEngine
from models.engine.masked.orders import Order
from models.engine.masked.plan import plan_fill, plan_rewrite
from models.engine.masked.request import MaskedRequest
from models.engine.params import SamplingParams, row_seed
from tests.models import masked
from tests.models.masked import AFTER, BEFORE, MIDDLE, WORDS
from tests.models.tiny import drain, finished, texts

GREEDY = SamplingParams(temperature=0)
ORDERS = pytest.mark.parametrize("order", Order)


def write(checkpoint: MaskedCheckpoint, request: MaskedRequest) -> dict[int, str]:
    return texts(drain(MaskedEngine(checkpoint), request), request.id)


def rewrite(
    checkpoint: MaskedCheckpoint, middle: str, before: str = "", after: str = "", seed: int = 3, **options: object
) -> str:
    keep = options.pop("keep", ())
    plan = plan_rewrite(checkpoint, before, middle, after, keep=keep)  # type: ignore[arg-type]
    return write(checkpoint, MaskedRequest("r", plan, seed, **options))[0]  # type: ignore[arg-type]


def fill(checkpoint: MaskedCheckpoint, before: str, after: str, length: int, seed: int = 3, **options: object) -> str:
    return write(checkpoint, MaskedRequest("r", plan_fill(checkpoint, before, after, length), seed, **options))[0]  # type: ignore[arg-type]


@ORDERS
def test_a_word_is_replaced_by_what_its_neighbour_asks_for(order: Order) -> None:
    checkpoint = masked.next_word({"red": "dragon"})
    keep = [word for word in WORDS if word != "cat"]
    written = rewrite(checkpoint, "the  red cat\tsat!", keep=keep, order=order, sampling=GREEDY)
    assert written == "the  red dragon\tsat!"


@ORDERS
def test_the_text_before_and_after_is_read(order: Order) -> None:
    checkpoint = masked.next_word({"red": "dragon", "queen": "ran"})
    assert rewrite(checkpoint, "cat", before="the red ", after=" sat", order=order, sampling=GREEDY) == "dragon"
    assert rewrite(checkpoint, "sat", before="the queen ", order=order, sampling=GREEDY) == "ran"


@ORDERS
def test_a_gap_is_written_from_its_left_end_to_its_right(order: Order) -> None:
    chain = {"the": "old", "old": "dragon", "dragon": "sat", "sat": "on"}
    checkpoint = masked.next_word(chain)
    assert fill(checkpoint, "The", "the hill.", 4, order=order, passes=8, sampling=GREEDY) == " old dragon sat on "


def test_mask_predict_writes_again_what_it_was_least_sure_of() -> None:
    checkpoint = masked.next_word({"the": "old", "old": "dragon"}, unsure="so")
    written = [fill(checkpoint, "the", "", 2, passes=passes, sampling=GREEDY) for passes in (1, 2)]
    assert written == [" old so", " old dragon"], "the second word is known once the first one stands"


def test_each_order_reads_as_often_as_it_says() -> None:
    checkpoint = masked.next_word({})
    for order, readings in ((Order.PARALLEL, 4), (Order.LEFT_TO_RIGHT, 12)):
        engine = MaskedEngine(checkpoint)
        drain(engine, MaskedRequest("r", plan_fill(checkpoint, "", "", 3), 1, passes=4, order=order))
        assert engine.num_steps == (3 if order is Order.PARALLEL else readings)  # three words: 3, 2, 1, and none


def test_a_word_that_cannot_be_said_otherwise_stays_and_any_other_changes() -> None:
    checkpoint = masked.next_word({"red": "dragon"})
    keep = [word for word in WORDS if word not in ("dragon", "sat")]
    for seed in range(8):
        assert rewrite(checkpoint, "the red dragon", keep=keep, seed=seed) == "the red dragon"
        assert rewrite(checkpoint, "the red cat", keep=["the", "red"], seed=seed, share=0.9) == "the red dragon"
        assert rewrite(checkpoint, "the cat sat", keep=keep, seed=seed) != "the cat sat"


def test_a_word_may_stay_where_it_is_ten_times_likelier_than_any_other() -> None:
    keep = [word for word in WORDS if word != "cat"]
    stays = {
        by: rewrite(masked.next_word({}, unsure="cat", by=by), "the cat", keep=keep, sampling=GREEDY) == "the cat"
        for by in (0.1, 2.2, 2.4, 5.0)  # the logarithm of 10 is 2.303
    }
    assert stays == {0.1: False, 2.2: False, 2.4: True, 5.0: True}


def test_about_the_share_of_words_changes(bert: MaskedCheckpoint) -> None:
    plan = plan_rewrite(bert, BEFORE, MIDDLE, AFTER)
    for share, number in ((0.05, 1), (0.25, 4), (0.5, 8), (0.9, 15)):
        request = MaskedRequest("r", plan, 3, n=4, share=share, passes=2)
        events = drain(MaskedEngine(bert), request)
        assert {row.num_tokens for row in finished(events).values()} == {number}
        assert len(set(texts(events).values())) > 1, "each row chooses its own words"


def test_capitals_stay_where_they_were() -> None:
    checkpoint = masked.next_word({".": "it"})
    text = "the cat sat. The cat sat"
    plan = plan_rewrite(checkpoint, "", text, "")
    only = replace(plan, slots=tuple(slot for slot in plan.slots if text[slot.begin : slot.end] == "The"))
    assert write(checkpoint, MaskedRequest("r", only, 1, sampling=GREEDY))[0] == "the cat sat. It cat sat"


def test_the_pronoun_i_is_a_capital_and_sentences_begin_with_one() -> None:
    checkpoint = masked.next_word({"cat": ".", ".": "then", "then": "i", "i": "sat"})
    written = fill(checkpoint, "The cat", "", 4, order=Order.LEFT_TO_RIGHT, sampling=GREEDY)
    assert written == ". Then I sat"


def test_a_small_word_never_becomes_a_capital_one(roberta: MaskedCheckpoint) -> None:
    for seed in range(6):
        written = rewrite(roberta, "the cat sat on the hill and slept", seed=seed, share=0.9)
        assert written == written.lower()


@pytest.mark.parametrize(
    ("before", "after", "written"),
    [
        ("the cat", "sat", " {} "),
        ("the cat ", " sat", "{}"),
        ("the cat ", ".", "{}"),
        ("the cat “", "” sat", "{}"),
        ("", "", "{}"),
        ("the\n", "\nsat", "{}"),
    ],
)
def test_spaces_stand_where_they_belong(before: str, after: str, written: str, checkpoint: MaskedCheckpoint) -> None:
    for seed in range(6):
        found = fill(checkpoint, before, after, 1, seed=seed)
        if found.strip() not in set(".,;:!?"):
            assert found == written.format(found.strip())
            assert re.fullmatch(r"\w+", found.strip())


def test_marks_follow_words_only(checkpoint: MaskedCheckpoint) -> None:
    for order in Order:
        plan = plan_fill(checkpoint, "", ". The cat", 6)
        for text in write(checkpoint, MaskedRequest("r", plan, 5, n=8, order=order, passes=3)).values():
            assert re.fullmatch(r"\w+( \w+|[.,;:!?](?=\s))*", text), text


def test_a_mark_is_not_written_behind_a_space_nor_before_another() -> None:
    checkpoint = masked.next_word({"cat": "."})
    assert fill(checkpoint, "the cat", "", 1, sampling=GREEDY) == "."
    for before, after in (("the cat ", ""), ("the cat", "!"), ("the cat", " …")):
        assert fill(checkpoint, before, after, 1, sampling=GREEDY).strip().isalpha(), (before, after)


def test_no_word_stands_beside_itself(checkpoint: MaskedCheckpoint) -> None:
    for order in Order:
        plan = plan_fill(checkpoint, "the cat", "cat sat", 8)
        for text in write(checkpoint, MaskedRequest("r", plan, 5, n=8, order=order, passes=3)).values():
            said = re.findall(r"\w+|[.,;:!?]", f"the cat {text} cat sat".lower())
            assert all(a != b for a, b in pairwise(said)), said


words = st.sampled_from(
    [*WORDS, "Anna", "London", "crocodile", "don't", "naïve", "7", "2nd", "Café", "[MASK]", "<mask>"]
)
gaps = st.sampled_from([" ", "  ", ", ", ". ", "\n\n", " — ", " “", "” ", "…", "\t", "! ", "-", "'"])
passages = st.lists(st.tuples(words, gaps), min_size=1, max_size=4).map(lambda pairs: "".join(a + b for a, b in pairs))
# Without shrinking, which takes minutes on a slow machine; the passages are short as they are.
slow = settings(
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@settings(slow, max_examples=25)
@given(
    before=passages,
    middle=passages,
    after=passages,
    keep=st.lists(words, max_size=3),
    share=st.sampled_from([0.05, 0.5, 0.9]),
    order=st.sampled_from(Order),
    seed=st.integers(0, 2**63 - 1),
)
def test_everything_but_the_replaced_words_is_the_same_byte_for_byte(
    before: str,
    middle: str,
    after: str,
    keep: list[str],
    share: float,
    order: Order,
    seed: int,
    loaded: dict[str, MaskedCheckpoint],
) -> None:
    for kind in ("bert", "roberta"):
        checkpoint = loaded[kind]
        plan = plan_rewrite(checkpoint, before, middle, after, keep=keep)
        for written in write(
            checkpoint, MaskedRequest("r", plan, seed, n=2, share=share, order=order, passes=2)
        ).values():
            # What may change, as a pattern; everything between is literal.
            parts, done = [], 0
            for slot in plan.slots:
                parts += [re.escape(middle[done : slot.begin]), r"[^\W\d_]+(?:['’\-][^\W\d_]+)*"]
                done = slot.end
            assert re.fullmatch("".join(parts) + re.escape(middle[done:]), written), (middle, written)
            for each in keep:
                pattern = rf"(?<!\w){re.escape(each)}(?!\w)"
                kept = Counter(found.group() for found in re.finditer(pattern, middle, re.IGNORECASE))
                assert not kept - Counter(found.group() for found in re.finditer(pattern, written, re.IGNORECASE))


@settings(slow, max_examples=8)
@given(
    seed=st.integers(0, 2**63 - 1), others=st.lists(st.integers(0, 2**63 - 1), max_size=3), order=st.sampled_from(Order)
)
def test_a_seed_gives_the_same_text_whatever_runs_beside_it(
    seed: int, others: list[int], order: Order, loaded: dict[str, MaskedCheckpoint]
) -> None:
    for kind in ("bert", "modernbert"):
        checkpoint = loaded[kind]
        plan = plan_rewrite(checkpoint, BEFORE, MIDDLE, AFTER)
        request = MaskedRequest("r", plan, seed, n=2, order=order, passes=3)
        alone = write(checkpoint, request)
        beside = [
            MaskedRequest(f"o{i}", plan_fill(checkpoint, BEFORE, "", 2 + i), other, n=2)
            for i, other in enumerate(others)
        ]
        assert texts(drain(MaskedEngine(checkpoint), *beside, request)) == alone
        single = replace(request, seed=row_seed(seed, 1), n=1)
        assert write(checkpoint, single)[0] == alone[1], "a row's own seed runs it again"


def test_other_seeds_give_other_texts(checkpoint: MaskedCheckpoint) -> None:
    assert len({rewrite(checkpoint, MIDDLE, BEFORE, AFTER, seed=seed, share=0.5) for seed in range(5)}) == 5


def test_temperature_and_truncation_count(bert: MaskedCheckpoint) -> None:
    def ask(**sampling: float) -> set[str]:
        made = SamplingParams(**sampling)  # type: ignore[arg-type]
        return {fill(bert, BEFORE, AFTER, 6, seed=seed, passes=1, sampling=made) for seed in range(6)}

    (greedy,) = ask(temperature=0)
    assert len(ask()) == len(ask(temperature=2)) == 6
    for sampling in ({"top_k": 1}, {"top_p": 1e-6}, {"min_p": 1.0}, {"temperature": 1e-4}):
        assert ask(**sampling) == {greedy}


# Banned phrases


def test_a_banned_word_is_never_drawn_and_the_next_best_is() -> None:
    checkpoint = masked.next_word({"red": "dragon"})
    options = {"keep": ["the", "red"], "sampling": GREEDY}
    assert rewrite(checkpoint, "the red cat", **options) == "the red dragon"
    other = rewrite(checkpoint, "the red cat", banned_phrases=("DRAGON",), **options)
    assert re.fullmatch("the red (?!dragon|cat)[a-z]+", other)
    assert rewrite(
        checkpoint, "the red cat", banned_phrases=("DRAGON",), banned_phrases_case_sensitive=True, **options
    ) == ("the red dragon")


def test_a_phrase_over_the_ends_of_what_is_written_is_found(bert: MaskedCheckpoint) -> None:
    checkpoint = masked.next_word({"red": "dragon", "dragon": "sat"})
    for banned in ("red dragon", "ed d", "dragon ran", "n ran"):
        written = rewrite(checkpoint, "cat", "the red ", " ran", banned_phrases=(banned,), sampling=GREEDY)
        assert written not in ("dragon", "cat")
    for banned in ("red dragonfly", "the dragon", "ran"):
        assert rewrite(checkpoint, "cat", "the red ", " ran", banned_phrases=(banned,), sampling=GREEDY) == "dragon"


@settings(slow, max_examples=15)
@given(
    banned=st.lists(st.text("aeinorst .", min_size=2, max_size=3), min_size=1, max_size=4),
    order=st.sampled_from(Order),
    seed=st.integers(0, 2**32),
)
def test_no_gap_ever_holds_a_banned_phrase(
    banned: list[str], order: Order, seed: int, loaded: dict[str, MaskedCheckpoint]
) -> None:
    for kind in ("bert", "roberta"):
        plan = plan_fill(loaded[kind], "the cat", "sat", 5)
        request = MaskedRequest("r", plan, seed, n=2, order=order, passes=3, banned_phrases=tuple(banned))
        events = drain(MaskedEngine(loaded[kind]), request)
        for index, row in finished(events).items():
            text = texts(events)[index]
            if row.reason is FinishReason.BANNED_PHRASE:
                assert text == ""
                continue
            before, after = "the cat".lower(), "sat"
            whole = before + text.lower() + after
            for phrase in banned:
                place = whole.find(phrase)
                while place >= 0:
                    assert place + len(phrase) <= len(before) or place >= len(before) + len(text), (phrase, whole)
                    place = whole.find(phrase, place + 1)


def test_a_row_that_finds_no_way_past_a_phrase_says_so_and_has_no_text(bert: MaskedCheckpoint) -> None:
    plan = plan_fill(bert, "the cat", "", 3)
    letters = tuple("aeiouyth")
    events = drain(MaskedEngine(bert), MaskedRequest("r", plan, 3, n=2, banned_phrases=letters))
    assert {row.reason for row in finished(events).values()} == {FinishReason.BANNED_PHRASE}
    assert texts(events) == {0: "", 1: ""}
