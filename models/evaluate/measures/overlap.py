"""How much of the true continuation's wording a candidate has: BLEU (Papineni et al. 2002) and ROUGE (Lin 2004).

A story may go on in many ways, so these are low for any model, and only good for comparing models.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from rouge_score import rouge_scorer
from sacrebleu.metrics.bleu import BLEU

from models.evaluate.numbers import Bootstrap, Floats, Number

ROUGE_KINDS = ("rouge1", "rouge2", "rougeL")
ROUGE_RULE = "rouge-score, F1, Porter stemmer on"


def bleu_signature() -> str:
    """sacrebleu's own words on how BLEU is counted; known once something was scored."""
    metric = BLEU()
    metric.corpus_score(["a"], [["a"]])
    return str(metric.get_signature())


def bleu_counts(candidates: Sequence[str], reference: str) -> Floats:
    """What corpus BLEU sums up: matching n-grams and all n-grams for n = 1 … 4, words written, words of the reference.

    Every candidate is held against the one reference.
    """
    score = BLEU().corpus_score(list(candidates), [[reference] * len(candidates)])
    return np.array([*score.counts, *score.totals, score.sys_len, score.ref_len], dtype=np.float64)


def bleu_of_sums(sums: Floats) -> float:
    """Corpus BLEU (0 … 100) of summed counts, smoothed as sacrebleu does by default."""
    correct, total = [int(x) for x in sums[:4]], [int(x) for x in sums[4:8]]
    return float(BLEU.compute_bleu(correct, total, int(sums[8]), int(sums[9]), smooth_method="exp").score)


def corpus_bleu(counts: Sequence[Floats], bootstrap: Bootstrap) -> Number:
    """Over prompts, whose counts are drawn."""
    return bootstrap.statistic(np.array(counts), bleu_of_sums)


def rouge(candidate: str, reference: str) -> dict[str, float]:
    """F1 of each kind, 0 … 1."""
    scores = _scorer().score(reference, candidate)
    return {kind: float(scores[kind].fmeasure) for kind in ROUGE_KINDS}


@cache
def _scorer() -> rouge_scorer.RougeScorer:
    return rouge_scorer.RougeScorer(list(ROUGE_KINDS), use_stemmer=True)
