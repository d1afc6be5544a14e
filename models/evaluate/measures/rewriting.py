"""Light rewrites through a worker: how much of a passage stays when some of its wording is drawn anew.

The worker's `middle` field names the passage, `prompt` and `suffix` what stands around it, `mask_share` how much of it
may change.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from rapidfuzz.distance import Levenshtein

from models.evaluate.cases import Case, CaseOptions
from models.evaluate.masked import JOINT
from models.evaluate.measures.infilling import left_out
from models.evaluate.numbers import Bootstrap
from models.evaluate.progress import progress
from models.evaluate.remote import RemoteSubject
from models.evaluate.section import Better, Column, Row, Section
from models.evaluate.subject import NotAvailable, Subject
from models.evaluate.words import WORD_RULE, words_of
from models.evaluate.writing import SEED_STEP, WritingOptions

MASK_SHARES = (0.15, 0.3, 0.5)
COLUMNS = (
    Column("edited", "words edited", Better.NEITHER, is_share=True, is_plotted=True),
    Column("kept", "words kept in place", Better.NEITHER, is_share=True, is_plotted=True),
    Column("changed", "passages changed at all", Better.HIGHER, is_share=True),
)
ABOUT = (
    "The true passage is sent as `middle`, with what stands around it, for a light rewrite. Words edited: the "
    "Levenshtein distance in words over the longer text's words. Words kept: words of the passage that stand in the "
    "rewrite in their order, over its words."
)


def edited_share(old: str, new: str) -> float:
    """Levenshtein distance in words over the words of the longer one."""
    return float(Levenshtein.normalized_distance(words_of(old), words_of(new)))


def kept_share(old: str, new: str) -> float:
    """Words of `old` in matching blocks of both, over all of its words."""
    before, after = words_of(old), words_of(new)
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(before) if before else 1.0


def rewriting_rows(subject: Subject, cases: Sequence[Case], options: WritingOptions, bootstrap: Bootstrap) -> list[Row]:
    """A row for each share, or one that says why there is none."""
    if not isinstance(subject, RemoteSubject):
        return [Row(subject.label, "", note="not available: light rewrites are asked of a worker, by its URL")]
    rows: list[Row] = []
    for share in MASK_SHARES:
        group = f"mask_share {share:g}"
        try:
            pairs, note = _rewrites(subject, cases, options, share)
        except NotAvailable as error:
            return [*rows, Row(subject.label, group, note=f"not available: {error}")]
        numbers = {
            "edited": bootstrap.mean([edited_share(old, new) for old, new in pairs]),
            "kept": bootstrap.mean([kept_share(old, new) for old, new in pairs]),
            "changed": bootstrap.mean([float(old != new) for old, new in pairs]),
        }
        rows.append(Row(subject.label, group, numbers, note))
    return rows


def rewriting_section(
    rows: Sequence[Row], case_options: CaseOptions, options: WritingOptions, bootstrap: Bootstrap
) -> Section:
    """From the rows of all subjects."""
    return Section(
        key="rewriting",
        title="Light rewrites",
        about=ABOUT,
        settings={
            "cases": case_options.to_json(),
            "mask_shares": list(MASK_SHARES),
            "seed": options.seed,
            "words": WORD_RULE,
            "bootstrap": bootstrap.about,
        },
        unit="prompts",
        columns=COLUMNS,
        rows=tuple(rows),
    )


def _rewrites(
    subject: RemoteSubject, cases: Sequence[Case], options: WritingOptions, share: float
) -> tuple[list[tuple[str, str]], str]:
    """Passages with their rewrites; and a note on those that the worker refused, which may have no word to change."""
    pairs: list[tuple[str, str]] = []
    refusals: list[NotAvailable] = []
    with progress(f"{subject.label}: rewriting", len(cases)) as tick:
        for i, case in enumerate(cases):
            body = {
                "prompt": JOINT.join(case.before) + JOINT,
                "suffix": JOINT + case.after if case.after else "",
                "middle": case.passage,
                "mask_share": share,
                "seed": options.seed + SEED_STEP * i,
            }
            try:
                pairs.append((case.passage, str(subject.server.complete(body)["choices"][0]["text"]).strip()))
            except NotAvailable as error:
                refusals.append(error)
            tick()
    if not pairs:
        raise refusals[0]
    return pairs, left_out(refusals, len(cases))
