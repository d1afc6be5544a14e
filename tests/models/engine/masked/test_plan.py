"""What a request is about: the words that may change, and how much of the texts around is read."""

from __future__ import annotations

import pytest

from models.engine.masked.checkpoint import MaskedCheckpoint
from models.engine.masked.plan import Plan, plan_fill, plan_rewrite
from models.engine.masked.window import TooLong, fit
from tests.models import masked
from tests.models.masked import AFTER, BEFORE, MIDDLE


def free(checkpoint: MaskedCheckpoint, middle: str, before: str = "", after: str = "", **options: object) -> list[str]:
    plan = plan_rewrite(checkpoint, before, middle, after, **options)  # type: ignore[arg-type]
    return [middle[slot.begin : slot.end] for slot in plan.slots]


def pieces(checkpoint: MaskedCheckpoint, plan: Plan) -> list[str]:
    return [checkpoint.reader.backend.id_to_token(i) for i in plan.ids]


def test_slots_are_the_whole_words_and_their_places_in_the_ids(checkpoint: MaskedCheckpoint) -> None:
    plan = plan_rewrite(checkpoint, BEFORE, MIDDLE, AFTER)
    words = [MIDDLE[slot.begin : slot.end] for slot in plan.slots]
    assert words == "The old dragon sat on the hill and ran home with two The night was cold said".split()
    for slot, word in zip(plan.slots, words, strict=True):
        assert plan.ids[slot.place] == slot.original
        assert checkpoint.lexicon.words[plan.ids[slot.place]].casefold() == word.casefold()
    assert plan.ids[: len(checkpoint.reader.before)] == checkpoint.reader.before
    assert plan.num_read == len(plan.ids) - 2


def test_words_of_several_pieces_stay(checkpoint: MaskedCheckpoint) -> None:
    assert free(checkpoint, "the cats sat near crocodiles") == ["the", "sat", "near"]


def test_names_numbers_and_shouts_stay(bert: MaskedCheckpoint, roberta: MaskedCheckpoint) -> None:
    text = "it was King Red, 2nd of the 3 BIRD riders"
    for checkpoint in (bert, roberta):
        assert free(checkpoint, text) == ["it", "was", "of", "the"]
    assert free(bert, text, keep_names=False) == ["it", "was", "King", "Red", "of", "the"]


def test_whether_a_first_word_is_a_name_is_told_from_all_that_was_written(
    bert: MaskedCheckpoint, roberta: MaskedCheckpoint
) -> None:
    assert free(bert, "King sat.") == ["sat"]
    assert free(bert, "King sat.", before="Once a king slept. ") == ["King", "sat"]
    assert free(bert, "King sat.", before="Once a king met King. ") == ["sat"]
    assert free(bert, "The sat.") == ["sat"]
    assert free(roberta, "The sat.") == ["The", "sat"], "its vocabulary keeps cases, and has it in small letters"
    assert free(roberta, "Anna sat.") == ["sat"]


def test_what_the_writer_keeps_stays(checkpoint: MaskedCheckpoint) -> None:
    assert free(checkpoint, "the red dragon sat. the dragon slept", keep=["Red dragon", "sat. the"]) == [
        *("the", "dragon", "slept")
    ]


def test_a_word_that_begins_outside_of_the_middle_is_none_of_it(checkpoint: MaskedCheckpoint) -> None:
    assert free(checkpoint, "on sat in", before="drag", after="to the") == ["sat"]
    assert free(checkpoint, "on sat in", before="drag ", after=" to the") == ["on", "sat", "in"]


def test_a_special_token_that_is_written_out_is_text(checkpoint: MaskedCheckpoint) -> None:
    mask = checkpoint.reader.backend.id_to_token(checkpoint.mask_id)
    plan = plan_rewrite(checkpoint, "", f"the {mask} sat", "")
    assert checkpoint.mask_id not in plan.ids
    assert [plan.middle[slot.begin : slot.end] for slot in plan.slots if plan.middle] == ["the", "sat"]


def test_what_stands_around_is_cut_to_the_window_and_the_middle_never(checkpoint: MaskedCheckpoint) -> None:
    before, after = "a cat sat on a hill." + " a cat sat on a hill." * 30, " it was cold" * 30
    plan = plan_rewrite(checkpoint, before, " the old dragon", after)
    assert len(plan.ids) == checkpoint.context_tokens
    words = " ".join(checkpoint.lexicon.words.get(i, ".") for i in plan.ids)
    assert "hill . the old dragon it was cold" in words
    assert (plan.before, plan.after) == (before, after)
    for slot, word in zip(plan.slots, ("the", "old", "dragon"), strict=True):
        assert checkpoint.lexicon.words[plan.ids[slot.place]] == word


def test_a_very_long_text_around_is_looked_at_near_the_middle_only(bert: MaskedCheckpoint) -> None:
    far, near = "so Anna sat. " * 100_000, "The red dragon sat."
    plan = plan_rewrite(bert, far, near, far)
    assert plan.slots == plan_rewrite(bert, far[-2600:], near, far[:2600]).slots
    assert plan.before is far
    assert plan_fill(bert, far, far, 3).ids == plan_fill(bert, far[-2600:], far[:2600], 3).ids


def test_a_middle_beyond_the_window_is_refused_with_the_limit(checkpoint: MaskedCheckpoint) -> None:
    limit = checkpoint.text_tokens
    assert len(plan_rewrite(checkpoint, "", " cat" * limit, "").slots) == limit
    with pytest.raises(TooLong, match=f"it has {limit + 1} tokens, and this model reads at most {limit} at a time"):
        plan_rewrite(checkpoint, "the", " cat" * (limit + 1), "")


@pytest.mark.parametrize(
    ("sizes", "limit", "fitted"),
    [
        ((0, 4, 0), 10, (0, 0)),
        ((2, 4, 2), 10, (2, 2)),
        ((9, 4, 9), 10, (3, 3)),
        ((9, 4, 9), 11, (4, 3)),
        ((1, 4, 9), 10, (1, 5)),
        ((9, 4, 1), 10, (5, 1)),
        ((9, 10, 9), 10, (0, 0)),
    ],
)
def test_each_side_has_half_of_the_room_or_what_the_other_leaves(
    sizes: tuple[int, int, int], limit: int, fitted: tuple[int, int]
) -> None:
    assert fit(*sizes, limit) == fitted


def test_a_gap_is_masks_between_the_texts(checkpoint: MaskedCheckpoint) -> None:
    plan = plan_fill(checkpoint, "The cat ", "on the hill", 3)
    assert [plan.ids[slot.place] for slot in plan.slots] == [checkpoint.mask_id] * 3
    left, right = plan.ids[: plan.slots[0].place], plan.ids[plan.slots[-1].place + 1 :]
    assert [checkpoint.lexicon.words.get(i, "") for i in left][-1] == "cat"
    assert [checkpoint.lexicon.words.get(i, "") for i in right][:3] == ["on", "the", "hill"]
    assert plan.num_read == len(plan.ids) - 2 - 3


def test_a_gap_beyond_the_window_is_refused(checkpoint: MaskedCheckpoint) -> None:
    limit = checkpoint.text_tokens
    assert len(plan_fill(checkpoint, "the cat", "", limit).slots) == limit
    with pytest.raises(TooLong):
        plan_fill(checkpoint, "", "", limit + 1)


def test_the_first_word_of_a_line_is_spelled_without_a_space(roberta: MaskedCheckpoint) -> None:
    plan = plan_rewrite(roberta, "", "The cat\n\nthe king “the bird” sat", "")
    assert [slot.is_spaced for slot in plan.slots] == [False, True, False, True, False, True, True]
    for before, is_spaced in (("", False), ("the\n", False), ("the “", False), ('the "', False), ("the ", True)):
        assert plan_fill(roberta, before, "", 2).slots[0].is_spaced is is_spaced


def test_texts_are_read_by_many_threads_at_once(bert: MaskedCheckpoint) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        plans = list(pool.map(lambda _: plan_rewrite(bert, BEFORE, MIDDLE, AFTER), range(40)))
    assert set(plans) == {plans[0]}
    assert len(plans[0].ids) < masked.CONTEXT
