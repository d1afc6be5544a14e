"""How well a passage fits between what stands before and after it, by a masked language model.

The pseudo-log-likelihood (Salazar et al. 2020, https://arxiv.org/abs/1910.14659) masks each piece of the passage in
turn and adds up the log probabilities of what stood there. A word of several pieces comes out too likely, since each
piece is given away by the others; so Kauf and Ivanova (2023, https://arxiv.org/abs/2305.10588) mask those of the same
word that follow as well (PLL-word-l2r).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch

from models.engine.masked.checkpoint import MaskedCheckpoint
from models.engine.masked.forward import read_masked
from models.engine.masked.reader import Reading
from models.engine.masked.window import fit, span_of

BATCH_TOKENS = 4096


def pseudo_log_likelihood(
    checkpoint: MaskedCheckpoint, before: str, middle: str, after: str, *, is_word_l2r: bool = False
) -> tuple[float, int]:
    """The pseudo-log-likelihood of `middle` in nats (at most 0) and its length in UTF-8 bytes.

    Bits per byte are ``-nats / ln 2 / bytes``. With `is_word_l2r` the later pieces of a word are masked with each of
    its pieces; the tokenizer's own pre-tokenizer says what a word is. `before` and `after` are cut to the window.
    Characters that the vocabulary lacks count as its unknown token. Raises `TooLong` for a middle beyond the window.
    """
    reading = checkpoint.reader.read(before + middle + after)
    first, last = span_of(reading.offsets, len(before), len(before) + len(middle))
    num_before, num_after = fit(first, last - first, len(reading.ids) - last, checkpoint.text_tokens)
    start = first - num_before
    reader = checkpoint.reader
    ids = [*reader.before, *reading.ids[start : last + num_after], *reader.after]
    shift = len(reader.before) - start
    masked = (
        _masked(ids, [place + shift for place in places], checkpoint.mask_id)
        for places in _places(reading, first, last, is_word_l2r=is_word_l2r)
    )
    total = 0.0
    size = max(1, BATCH_TOKENS // len(ids))
    while batch := list(islice(masked, size)):
        scores = read_masked(checkpoint, [text for text, _ in batch], [[place] for _, place in batch])
        truth = torch.tensor([[ids[place]] for _, place in batch])
        total += float(torch.log_softmax(torch.cat(scores).double(), -1).gather(1, truth).sum())
    return total, len(middle.encode())


def _places(reading: Reading, first: int, last: int, *, is_word_l2r: bool) -> Iterator[list[int]]:
    """For each piece of [first, last) what is masked to ask for it, itself first."""
    for place in range(first, last):
        later = range(place + 1, last) if is_word_l2r else ()
        word = reading.words[place]
        yield [place, *(i for i in later if word is not None and reading.words[i] == word)]


def _masked(ids: list[int], places: list[int], mask_id: int) -> tuple[list[int], int]:
    """A copy of `ids` with masks at `places`, and the first of these."""
    copy = list(ids)
    for place in places:
        copy[place] = mask_id
    return copy, places[0]
