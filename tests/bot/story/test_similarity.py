"""Repetition: loops are told from refrains, copies from new text."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.story.similarity import (
    Reason,
    loops,
    pick_distinct,
    pick_reworded,
    plain_words,
    repeats_canon,
    similarity,
    tells_ahead,
    too_similar,
)

FOX = (
    'The little fox ran down the hill until she came to the river. "How shall I cross?" she asked. '
    "An old turtle put up his head and said that he would carry her for a song."
)
OWL = (
    "High in the oak the owl had heard everything. She spread her wings and flew over the dark wood, "
    "for she knew where the golden key lay and who had hidden it there."
)
BEAR = (
    "Meanwhile the bear had finished all the honey. He licked his paws, looked at the empty pot, and "
    "began to wonder what Mrs. Bear would say when she came home."
)


class TestSimilarity:
    def test_case_punctuation_and_quotes_do_not_make_a_text_new(self):
        shouted = FOX.upper().replace('"', "”").replace(".", "!")
        assert similarity(FOX, shouted) == 1.0
        assert plain_words("Don’t “stop”!") == plain_words("don't stop") == ("dont", "stop")

    def test_different_continuations_of_one_story_are_not_similar(self):
        assert similarity(FOX, OWL) < 0.3
        assert not too_similar(BEAR, [FOX, OWL])

    def test_a_few_changed_words_are_a_near_duplicate(self):
        assert too_similar(FOX.replace("turtle", "frog").replace("hill", "road").replace("song", "kiss"), [OWL, FOX])

    def test_a_text_and_its_own_beginning_are_near_duplicates(self):
        assert too_similar(FOX, [FOX + " " + OWL])
        assert too_similar(FOX + " " + OWL, [FOX])

    def test_the_same_sentences_in_another_order_are_a_near_duplicate(self):
        first, second, third = FOX.split(". ")[0] + ".", '"How shall I cross?" she asked.', FOX.split("asked. ")[1]
        assert too_similar(" ".join((third, first, second)), [FOX])

    def test_the_threshold_decides(self):
        changed = FOX.replace("turtle", "frog").replace("river", "sea").replace("hill", "road")
        assert too_similar(changed, [FOX], threshold=0.5)
        assert not too_similar(changed, [FOX], threshold=0.99)

    def test_texts_without_words_are_like_each_other_only(self):
        assert similarity("…", "!") == 1.0
        assert similarity("…", FOX) == 0.0

    @given(st.text("ab c", max_size=40), st.text("ab c", max_size=40))
    def test_it_is_symmetric_between_0_and_1_and_1_for_the_same(self, one, other):
        assert similarity(one, other) == similarity(other, one)
        assert 0.0 <= similarity(one, other) <= 1.0
        assert similarity(one, one) == 1.0


class TestLoops:
    @pytest.mark.parametrize(
        "text",
        [
            "The fox was very happy. The fox was very happy. She ran home.",
            "The fox was very happy. She ran home. “The fox was VERY happy!”",
            "She saw a tree and a hill and a tree and a hill and a tree and a hill and a tree.",
            "He said no no no no no no no and went.",
            "She went to the old mill by the river and went to the old mill by the river and slept.",
        ],
    )
    def test_a_stuck_model_is_seen(self, text):
        assert loops(text)

    @pytest.mark.parametrize(
        "text",
        [
            FOX,
            OWL,
            "He walked and walked and walked until he came to the sea.",
            "“No, no, no!” cried the hen. “No!” cried the duck. “No!” cried the cat.",
            "“Run, run!” He ran. She ran. He ran. “Run!”",
            "“Little pig, little pig, let me come in.” “Not by the hair on my chinny chin chin.”",
            "",
        ],
    )
    def test_refrains_of_good_prose_are_none(self, text):
        assert not loops(text)

    @given(st.lists(st.sampled_from("fox hen owl key sea oak".split()), min_size=6, max_size=12), st.integers(2, 4))
    def test_any_run_of_six_words_or_more_said_twice_in_a_row_is_one(self, words, times):
        assert loops(" ".join(words * times))

    def test_words_that_never_come_back_are_none(self):
        rng = random.Random(1)
        assert not loops(" ".join("".join(rng.choices("bcdfgaeiou", k=8)) for _ in range(200)))


class TestCanon:
    def test_a_text_that_tells_canon_again_is_seen(self):
        assert repeats_canon(FOX, [OWL, FOX, BEAR])
        assert repeats_canon(FOX.split(" An old")[0] + " Then she slept.", [FOX])

    def test_a_text_that_begins_with_canons_last_sentence_is_seen(self):
        said = "An old turtle put up his head and said that he would carry her for a song."
        assert repeats_canon(f"“{said}” {BEAR} {OWL}", [FOX])

    def test_new_text_is_new_and_so_is_everything_before_there_is_canon(self):
        assert not repeats_canon(BEAR, [FOX, OWL])
        assert not repeats_canon(FOX, [])
        assert not repeats_canon("", [FOX])

    def test_a_name_and_a_short_refrain_may_come_back(self):
        assert not repeats_canon("The little fox ran. " + BEAR, [FOX])


class TestPick:
    def test_the_first_k_distinct_drafts_are_kept_and_each_other_has_its_reason(self):
        loop = "The fox was very happy. The fox was very happy."
        picked = pick_distinct(
            [FOX, loop, FOX + " She sang.", OWL, "Bees hummed in the clover all day.", BEAR], [BEAR], 2
        )
        assert picked.kept == (0, 3)
        assert picked.dropped == {
            1: Reason.LOOPS,
            2: Reason.TOO_SIMILAR,
            4: Reason.SPARE,
            5: Reason.REPEATS_CANON,
        }

    def test_texts_that_stand_on_the_ballot_already_count(self):
        picked = pick_distinct([FOX, OWL], [], 3, beside=[FOX.replace("hill", "road")])
        assert (picked.kept, picked.dropped) == ((1,), {0: Reason.TOO_SIMILAR})

    def test_fewer_than_k_is_fine(self):
        assert pick_distinct([], [], 3).kept == ()
        assert pick_distinct([FOX], [], 3).kept == (0,)

    @given(st.lists(st.sampled_from([FOX, OWL, BEAR, FOX + " " + OWL, "…"]), max_size=6), st.integers(0, 4))
    def test_every_draft_is_kept_or_has_a_reason_and_the_kept_differ(self, drafts, k):
        picked = pick_distinct(drafts, [], k)
        assert sorted([*picked.kept, *picked.dropped]) == list(range(len(drafts)))
        assert len(picked.kept) <= k
        kept = [drafts[index] for index in picked.kept]
        assert not any(too_similar(text, kept[:index]) for index, text in enumerate(kept))


class TestAhead:
    def test_what_tells_the_next_passages_already_is_not_new(self):
        assert tells_ahead(f"So it was. {OWL}", [BEAR, OWL])
        assert not tells_ahead(FOX, [OWL, BEAR])
        assert not tells_ahead(FOX, [])

    def test_what_ends_with_the_sentence_that_comes_next_says_it_twice(self):
        assert tells_ahead(FOX + " Meanwhile the bear had finished all the honey!", [BEAR])
        assert not tells_ahead("Meanwhile the bear had finished all the honey. " + FOX, [BEAR])

    def test_a_draft_that_tells_ahead_is_dropped_with_that_reason(self):
        picked = pick_distinct([OWL, FOX], [BEAR], 2, following=[OWL])
        assert (picked.kept, picked.dropped) == ((1,), {0: Reason.TELLS_AHEAD})


class TestReworded:
    def test_each_has_other_words_than_the_old_text_and_than_the_others(self):
        other, third = FOX.replace("turtle", "frog"), FOX.replace("hill", "road")
        drafts = [FOX.upper(), other, other + "!", third, FOX.replace("song", "kiss")]
        picked = pick_reworded(drafts, FOX, 2)
        assert picked.kept == (1, 3)
        assert picked.dropped == {0: Reason.UNCHANGED, 2: Reason.TOO_SIMILAR, 4: Reason.SPARE}

    def test_those_that_were_kept_before_count(self):
        other = FOX.replace("turtle", "frog")
        assert pick_reworded([other], FOX, 1, beside=[other]).dropped == {0: Reason.TOO_SIMILAR}
