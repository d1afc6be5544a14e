"""Measures that count words: against values worked out by hand, and against the libraries called directly."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from rouge_score import rouge_scorer

from models.evaluate.measures import diversity, overlap
from models.evaluate.measures.hints import taken_up
from models.evaluate.measures.repetition import repeated_share
from models.evaluate.measures.rewriting import edited_share, kept_share
from models.evaluate.numbers import Bootstrap
from models.evaluate.words import ends_whole, grams, words_of

FOX = "The quick fox ran over the hill and slept."
CANDIDATES = ["The quick fox ran over a hill and slept.", "A fox slept.", "The owl counted all the stars."]


def test_words_are_lower_case_and_marks_are_words() -> None:
    assert words_of("Don’t go, Sir-John!") == ["don't", "go", ",", "sir-john", "!"]


def test_grams_are_none_where_there_are_fewer_words() -> None:
    assert grams(["a", "b", "c"], 2) == [("a", "b"), ("b", "c")]
    assert grams(["a"], 2) == []


@pytest.mark.parametrize("text", ["He slept.", "“Go!”", "Why? ", 'He said, "Yes."', "And then…"])
def test_a_sentence_mark_at_the_end_ends_whole(text: str) -> None:
    assert ends_whole(text)


@pytest.mark.parametrize("text", ["He slept", "“Go", "and the, ", ""])
def test_a_text_that_breaks_off_does_not_end_whole(text: str) -> None:
    assert not ends_whole(text)


def test_summed_bleu_counts_equal_corpus_bleu_of_sacrebleu() -> None:
    references = [FOX, FOX, "An owl counted the stars."]
    counts = [overlap.bleu_counts([c], r) for c, r in zip(CANDIDATES, references, strict=True)]
    expected = sacrebleu.corpus_bleu(CANDIDATES, [references]).score
    assert overlap.bleu_of_sums(np.sum(counts, axis=0)) == pytest.approx(expected)
    assert overlap.corpus_bleu(counts, Bootstrap(20)).value == pytest.approx(expected)


def test_bleu_by_hand() -> None:
    # 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 fours, and no brevity penalty.
    counts = overlap.bleu_counts(["a b c d x"], "a b c d e")
    assert counts.tolist() == [4, 3, 2, 1, 5, 4, 3, 2, 5, 5]
    assert overlap.bleu_of_sums(counts) == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_the_signature_says_what_bleu_was() -> None:
    assert "tok:13a" in overlap.bleu_signature()
    assert f"version:{sacrebleu.__version__}" in overlap.bleu_signature()


def test_rouge_is_the_library_s() -> None:
    expected = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True).score(FOX, CANDIDATES[0])
    assert overlap.rouge(CANDIDATES[0], FOX) == {kind: score.fmeasure for kind, score in expected.items()}


def test_rouge_by_hand() -> None:
    found = overlap.rouge("a b c d", "a c b d")
    assert found["rouge1"] == pytest.approx(1)
    assert found["rouge2"] == 0
    assert found["rougeL"] == pytest.approx(3 / 4)


def test_distinct_counts_different_grams_of_all_texts_together() -> None:
    texts = ["a b a b", "a b c"]
    assert diversity.distinct(texts, 1) == pytest.approx(3 / 7)
    assert diversity.distinct(texts, 2) == pytest.approx(3 / 5)  # ab ba ab | ab bc
    assert diversity.distinct(["a"], 2) is None


def test_self_bleu_is_the_mean_of_sentence_bleu_against_the_others() -> None:
    expected = [
        sacrebleu.sentence_bleu(text, [other for other in CANDIDATES if other is not text]).score for text in CANDIDATES
    ]
    assert diversity.self_bleu(CANDIDATES) == pytest.approx(sum(expected) / 3)
    assert diversity.self_bleu([FOX, FOX]) == pytest.approx(100)
    assert diversity.self_bleu([FOX]) is None


def test_a_near_copy_is_not_told_apart_and_another_text_is() -> None:
    assert diversity.share_apart([FOX, CANDIDATES[0], CANDIDATES[2]]) == pytest.approx(1 / 3)
    assert diversity.share_apart(CANDIDATES) == 1
    assert diversity.share_apart([FOX]) is None


def test_likeness_is_chrf_in_both_directions() -> None:
    both = [sacrebleu.sentence_chrf(a, [b]).score for a, b in ((FOX, CANDIDATES[1]), (CANDIDATES[1], FOX))]
    assert diversity.likenesses([FOX, CANDIDATES[1]]) == [pytest.approx(sum(both) / 2)]


def test_repeated_fours_by_hand() -> None:
    # abcd bcda cdab dabc abcd: the last of five stood there before.
    assert repeated_share("a b c d a b c d") == pytest.approx(1 / 5)
    assert repeated_share("a b c d e f") == 0
    assert repeated_share("a b c") is None


def test_a_hint_word_is_taken_up_by_its_stem() -> None:
    assert taken_up("The foxes were sleeping.", ["fox", "slept", "sleep", "hill"]) == [True, False, True, False]


def test_edits_and_kept_words_by_hand() -> None:
    assert edited_share("a b c d", "a x c d") == pytest.approx(1 / 4)
    assert edited_share("a b", "a b c d") == pytest.approx(1 / 2)
    assert kept_share("a b c d", "a x c d") == pytest.approx(3 / 4)
    assert kept_share("a b c d", "d c b a") == pytest.approx(1 / 4)
    assert edited_share(FOX, FOX) == 0
    assert kept_share(FOX, FOX) == 1
