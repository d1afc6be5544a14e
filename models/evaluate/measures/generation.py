"""Candidates for held-out stories, held against the true continuation, against each other and against themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from models.evaluate.cases import Case, CaseOptions
from models.evaluate.measures import diversity, overlap
from models.evaluate.measures.repetition import SIZE, repeated_share
from models.evaluate.numbers import Bootstrap, Floats, Number
from models.evaluate.section import Better, Column, Row, Sample, Section
from models.evaluate.subject import Candidate, NotAvailable
from models.evaluate.words import SENTENCE_RULE, WORD_RULE, count_words, ends_whole
from models.evaluate.writing import Answers, WritingOptions

Arm = list[Answers] | NotAvailable
"""A subject's answers to all cases, or why there are none."""
Shares = Sequence[float | None]

COLUMNS = (
    Column("bleu", "BLEU", Better.HIGHER, 2, is_plotted=True),
    Column("rouge1", "ROUGE-1", Better.HIGHER),
    Column("rouge2", "ROUGE-2", Better.HIGHER),
    Column("rougeL", "ROUGE-L", Better.HIGHER, is_plotted=True),
    Column("distinct1", "distinct-1", Better.HIGHER),
    Column("distinct2", "distinct-2", Better.HIGHER, is_plotted=True),
    Column("distinct3", "distinct-3", Better.HIGHER),
    Column("self_bleu", "self-BLEU", Better.LOWER, 2, is_plotted=True),
    Column("repetition", "repeated 4-grams", Better.LOWER, is_share=True, is_plotted=True),
    Column("whole", "ends whole by itself", Better.HIGHER, is_share=True, is_plotted=True),
    Column("words", "words", Better.NEITHER, 1),
    Column("words_p10", "10th percentile", Better.NEITHER, 0),
    Column("words_p90", "90th percentile", Better.NEITHER, 0),
    Column("apart", "told apart", Better.HIGHER, is_share=True),
    Column("all_apart", "all told apart", Better.HIGHER, is_share=True),
)
ABOUT = (
    "Each prompt is the beginning of a held-out story, cut at the end of a passage; the candidates are held against "
    "the passage that truly follows. BLEU and ROUGE are low for every story, since it may go on in many ways. "
    "distinct-n, self-BLEU and what is told apart are taken among the candidates of one prompt."
)
TRUTH = "the stories themselves"
NUM_SAMPLES = 3


def generation_section(
    cases: Sequence[Case],
    arms: Mapping[str, Arm],
    case_options: CaseOptions,
    options: WritingOptions,
    bootstrap: Bootstrap,
) -> Section:
    """`arms` by the labels of their subjects."""
    rows = [_row(label, cases, arm, bootstrap) for label, arm in arms.items()]
    return Section(
        key="generation",
        title="Writing on",
        about=ABOUT,
        settings={
            "cases": case_options.to_json(),
            "writing": options.to_json(),
            "bleu": overlap.bleu_signature(),
            "rouge": overlap.ROUGE_RULE,
            "self_bleu": diversity.signature(),
            "told_apart": f"chrF with every other candidate below {diversity.ALIKE_CHRF:g}",
            "repetition": f"share of {SIZE}-grams that stood in the candidate before",
            "words": WORD_RULE,
            "whole": f"the model ended it, and {SENTENCE_RULE}",
            "bootstrap": bootstrap.about,
        },
        unit="prompts",
        columns=COLUMNS,
        rows=(*rows, _truth(cases, bootstrap)),
        samples=samples_of(cases, arms),
    )


def generation_numbers(cases: Sequence[Case], arm: Sequence[Answers], bootstrap: Bootstrap) -> dict[str, Number | None]:
    """Every column."""
    texts = [[candidate.text for candidate in answers] for answers in arm]
    counts = [overlap.bleu_counts(of, case.passage) for of, case in zip(texts, cases, strict=True)]
    numbers: dict[str, Number | None] = {"bleu": overlap.corpus_bleu(counts, bootstrap)}
    rouges = [[overlap.rouge(text, case.passage) for text in of] for of, case in zip(texts, cases, strict=True)]
    for kind in overlap.ROUGE_KINDS:
        numbers[kind] = bootstrap.mean([sum(found[kind] for found in of) / len(of) for of in rouges])
    for size in (1, 2, 3):
        numbers[f"distinct{size}"] = mean_of([diversity.distinct(of, size) for of in texts], bootstrap)
    numbers["self_bleu"] = mean_of([diversity.self_bleu(of) for of in texts], bootstrap)
    apart = [diversity.share_apart(of) for of in texts]
    numbers["apart"] = mean_of(apart, bootstrap)
    numbers["all_apart"] = mean_of([None if share is None else float(share == 1) for share in apart], bootstrap)
    return numbers | own_numbers(arm, bootstrap)


def own_numbers(arm: Sequence[Answers], bootstrap: Bootstrap) -> dict[str, Number | None]:
    """What each candidate says by itself."""
    words = [[count_words(candidate.text) for candidate in answers] for answers in arm]
    whole = [_mean([float(c.is_ended and ends_whole(c.text)) for c in answers]) for answers in arm]
    return {
        "repetition": mean_of([_mean([repeated_share(c.text) for c in answers]) for answers in arm], bootstrap),
        "whole": mean_of(whole, bootstrap),
        "words": mean_of([_mean(of) for of in words], bootstrap),
        "words_p10": _quantile(words, 0.1, bootstrap),
        "words_p90": _quantile(words, 0.9, bootstrap),
    }


def mean_of(shares: Shares, bootstrap: Bootstrap) -> Number | None:
    """Over those prompts that have a value."""
    return bootstrap.mean([share for share in shares if share is not None])


def samples_of(cases: Sequence[Case], arms: Mapping[str, Arm]) -> tuple[Sample, ...]:
    """The first prompts and every subject's first candidate: not chosen."""
    samples = []
    for i, case in enumerate(cases[:NUM_SAMPLES]):
        texts = [("told so far (its end)", case.before[-1]), ("truly follows", case.passage)]
        for label, arm in arms.items():
            if not isinstance(arm, NotAvailable):
                texts.append((f"{label}, seed {arm[i][0].seed}", arm[i][0].text))
        samples.append(Sample(case.id, tuple(texts)))
    return tuple(samples)


def _row(label: str, cases: Sequence[Case], arm: Arm, bootstrap: Bootstrap) -> Row:
    if isinstance(arm, NotAvailable):
        return Row(label, "", note=f"not available: {arm}")
    details = {"candidates": [[candidate.text for candidate in answers] for answers in arm]}
    return Row(label, "", generation_numbers(cases, arm, bootstrap), details=details)


def _truth(cases: Sequence[Case], bootstrap: Bootstrap) -> Row:
    """For orientation; a cut passage always ends whole."""
    arm = [(Candidate(case.passage, True, None, None),) for case in cases]
    numbers = own_numbers(arm, bootstrap)
    return Row(TRUTH, "", {key: numbers[key] for key in ("repetition", "words", "words_p10", "words_p90")})


def _mean(values: Shares) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _quantile(values: Sequence[Sequence[float]], share: float, bootstrap: Bootstrap) -> Number | None:
    """Of all candidates, prompts drawn."""
    return bootstrap.whole(len(values), _weighted_quantile(values, share)) if values else None


def _weighted_quantile(values: Sequence[Sequence[float]], share: float) -> Callable[[Floats], float]:
    flat = np.array([value for of in values for value in of])
    owner = np.repeat(np.arange(len(values)), [len(of) for of in values])
    order = np.argsort(flat, kind="stable")

    def of_weights(weights: Floats) -> float:
        reached = np.cumsum(weights[owner][order])
        return float(flat[order][np.searchsorted(reached, share * reached[-1])])

    return of_weights
