"""How different the candidates of one ballot are from each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from models.evaluate.words import grams, words_of

ALIKE_CHRF = 50.0
"""From this chrF on two candidates count as alike. Measured on TinyStories' passages of fifty words (medians): a copy
with four of ten words exchanged has 53, one with five of ten 48; two passages of one story 32, of two stories 23."""


def distinct(texts: Sequence[str], size: int) -> float | None:
    """Different n-grams over all n-grams of the texts together (Li et al. 2016, https://aclanthology.org/N16-1014).

    None where no text has `size` words. Falls with the length of texts by itself.
    """
    found = [gram for text in texts for gram in grams(words_of(text), size)]
    return len(set(found)) / len(found) if found else None


def self_bleu(texts: Sequence[str]) -> float | None:
    """The mean BLEU (0 … 100) of each text with the others as references; None for a single text.

    Zhu et al. 2018 (https://doi.org/10.1145/3209978.3210080); sentence BLEU up to 4-grams by sacrebleu.
    """
    if len(texts) < 2:
        return None
    scores = [
        _sentence_bleu().sentence_score(text, [*texts[:i], *texts[i + 1 :]]).score for i, text in enumerate(texts)
    ]
    return float(sum(scores) / len(scores))


def likenesses(texts: Sequence[str]) -> list[float]:
    """chrF (Popović 2015, https://aclanthology.org/W15-3049; 0 … 100) of each pair, the mean of both directions."""
    return [(_chrf(a, b) + _chrf(b, a)) / 2 for a, b in combinations(texts, 2)]


def share_apart(texts: Sequence[str], limit: float = ALIKE_CHRF) -> float | None:
    """The share of texts that are like no other one; None for a single text."""
    if len(texts) < 2:
        return None
    alike: set[int] = set()
    for pair, likeness in zip(combinations(range(len(texts)), 2), likenesses(texts), strict=True):
        if likeness >= limit:
            alike.update(pair)
    return 1 - len(alike) / len(texts)


def signature() -> str:
    """sacrebleu's own words on how self-BLEU is counted."""
    metric = BLEU(effective_order=True)
    metric.sentence_score("a", ["a", "b"])
    return str(metric.get_signature())


def _chrf(hypothesis: str, reference: str) -> float:
    return float(_chrf_metric().sentence_score(hypothesis, [reference]).score)


@cache
def _sentence_bleu() -> BLEU:
    return BLEU(effective_order=True)


@cache
def _chrf_metric() -> CHRF:
    return CHRF()
