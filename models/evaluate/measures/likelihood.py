"""Bits per byte and perplexity of held-out texts; see `bits` for the sliding window.

By document: each story is scored from its own beginning, as the model was taught to begin one. By file: a whole file
in one go, with the line between stories replaced by a newline, which also lets stories see their neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from models.evaluate.bits import TextScore
from models.evaluate.numbers import Bootstrap, Number
from models.evaluate.progress import progress
from models.evaluate.section import Better, Column, Row, Section
from models.evaluate.subject import NotAvailable, Subject
from models.train.sources import SEPARATOR, Story

DOCUMENTS, FILE = "documents", "file"
MODES = (DOCUMENTS, FILE)
COLUMNS = (
    Column("bits_per_byte", "bits per byte", Better.LOWER, is_plotted=True),
    Column("document_mean", "mean of the documents", Better.LOWER),
    Column("perplexity", "perplexity per token", Better.LOWER, 2),
    Column("tokens_per_byte", "tokens per byte", Better.NEITHER),
)
ABOUT = (
    "Bits per byte: the log2-likelihood of the text over its bytes, which compares over tokenizers; perplexity is per "
    "token of the model's own tokenizer and does not. Each window moves on by its stride, so that every token but "
    "those of the first window is predicted from at least so much context. By document, intervals are drawn over "
    "documents; by file over windows, and only say how even the text is."
)


def file_text(path: Path, max_chars: int | None) -> str:
    """A whole file as it is scored. Raises `OSError` and `UnicodeDecodeError`."""
    return path.read_text(encoding="utf-8").replace(SEPARATOR, "\n")[:max_chars]


def score_files(subject: Subject, paths: Sequence[Path], max_chars: int | None, bootstrap: Bootstrap) -> list[Row]:
    """A row for each file and one for their mean."""
    rows, found = [], []
    with progress(f"{subject.label}: files", len(paths)) as tick:
        for path in paths:
            group = f"{path.name}, file"
            try:
                score = subject.file_score(file_text(path, max_chars))
            except NotAvailable as error:
                rows.append(Row(subject.label, group, note=f"not available: {error}"))
            else:
                found.append(score)
                rows.append(_file_row(subject.label, group, score, bootstrap))
            tick()
    if len(found) == len(paths) > 1:
        mean = sum(score.bits_per_byte for score in found) / len(found)
        numbers = {"bits_per_byte": Number(mean, None, None, len(found))}
        rows.append(Row(subject.label, "mean of the files", numbers, note=_settings_note(found[0])))
    return rows


def score_documents(subject: Subject, name: str, documents: Sequence[Story], bootstrap: Bootstrap) -> Row:
    """A row for the documents of one file."""
    group = f"{name}, {len(documents)} documents"
    if not documents:
        return Row(subject.label, group, note="not available: no story of at least 200 characters")
    scores = []
    try:
        with progress(f"{subject.label}: {name}", len(documents)) as tick:
            for story in documents:
                scores.append(subject.document_score(story.text))
                tick()
    except NotAvailable as error:
        return Row(subject.label, group, note=f"not available: {error}")
    details = {"bits_per_byte": [round(score.bits_per_byte, 4) for score in scores]}
    numbers = {
        **_pooled([(s.nats, s.num_tokens, s.num_bytes) for s in scores], bootstrap),
        "document_mean": bootstrap.mean([score.bits_per_byte for score in scores]),
    }
    return Row(subject.label, group, numbers, _settings_note(scores[0]), details)


def likelihood_section(
    rows: Sequence[Row], modes: Sequence[str], max_chars: int | None, bootstrap: Bootstrap
) -> Section:
    """From the rows of all subjects."""
    return Section(
        key="bits",
        title="Bits per byte",
        about=ABOUT,
        settings={
            "modes": list(modes),
            "max_chars": max_chars,
            "documents": "stories of at least 200 characters; one begins with the model's own start of a story, or the "
            "token that begins texts, which is given and not scored",
            "bootstrap": bootstrap.about,
        },
        unit="documents or windows",
        columns=COLUMNS,
        rows=tuple(rows),
    )


def _file_row(label: str, group: str, score: TextScore, bootstrap: Bootstrap) -> Row:
    numbers = _pooled([(b.nats, b.num_tokens, b.num_bytes) for b in score.blocks], bootstrap)
    if not numbers:  # a subject without windows
        numbers = _pooled([(score.nats, score.num_tokens, score.num_bytes)], bootstrap)
    return Row(label, group, numbers, _settings_note(score), {"score": score.to_json()})


def _pooled(parts: Sequence[tuple[float, float, float]], bootstrap: Bootstrap) -> dict[str, Number | None]:
    if not parts:
        return {}
    nats, tokens, sizes = zip(*parts, strict=True)
    per_token = bootstrap.ratio(nats, tokens)
    return {
        "bits_per_byte": bootstrap.ratio([n / math.log(2) for n in nats], sizes),
        "perplexity": None if per_token is None else _mapped(per_token, math.exp),
        "tokens_per_byte": bootstrap.ratio(tokens, sizes),
    }


def _mapped(number: Number, change: Callable[[float], float]) -> Number:
    """Through a rising function, which moves an interval's ends with it."""
    low, high = (None if end is None else change(end) for end in (number.low, number.high))
    return Number(change(number.value), low, high, number.n)


def _settings_note(score: TextScore) -> str:
    return f"window {score.window}, stride {score.stride}"
