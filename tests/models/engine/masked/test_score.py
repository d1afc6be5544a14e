"""The pseudo-log-likelihood against sums worked out one piece at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch

from models.engine.masked import score
from models.engine.masked.checkpoint import MaskedCheckpoint
from models.engine.masked.score import pseudo_log_likelihood
from models.engine.masked.window import TooLong
from tests.models import masked


def by_hand(checkpoint: MaskedCheckpoint, ids: Sequence[int], groups: Sequence[Sequence[int]]) -> float:
    """For each group: the log probability of what stands at its first place, with all of the group masked."""
    total = 0.0
    for group in groups:
        text = list(ids)
        for place in group:
            text[place] = checkpoint.mask_id
        with torch.no_grad():
            logits = checkpoint.model(input_ids=torch.tensor([text])).logits[0, group[0]]
        total += float(torch.log_softmax(logits.double(), -1)[ids[group[0]]])
    return total


def test_it_is_the_sum_over_the_pieces_of_the_middle(bert: MaskedCheckpoint) -> None:
    reader = bert.reader
    ids = [*reader.before, *reader.read("the old cats sat on a hill").ids, *reader.after]
    pieces = [reader.backend.id_to_token(i) for i in ids]
    assert pieces == ["[CLS]", "the", "old", "cat", "##s", "sat", "on", "a", "hill", "[SEP]"]
    nats, num_bytes = pseudo_log_likelihood(bert, "the old", " cats sat", " on a hill")
    assert num_bytes == 9
    assert nats == pytest.approx(by_hand(bert, ids, [[3], [4], [5]]), abs=1e-4)
    nats, _ = pseudo_log_likelihood(bert, "the old", " cats sat", " on a hill", is_word_l2r=True)
    assert nats == pytest.approx(by_hand(bert, ids, [[3, 4], [4], [5]]), abs=1e-4)


def test_it_is_the_same_for_every_kind_and_in_any_batches(
    checkpoint: MaskedCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = checkpoint.reader
    before, middle, after = "the old", " crocodile — sat", " on a hill"
    ids = [*reader.before, *reader.read(before + middle + after).ids, *reader.after]
    first = len(reader.before) + len(reader.read(before).ids)
    last = len(ids) - len(reader.after) - len(reader.read(after).ids)
    expected = by_hand(checkpoint, ids, [[place] for place in range(first, last)])
    for tokens in (1, 2 * len(ids), 10**6):
        monkeypatch.setattr(score, "BATCH_TOKENS", tokens)
        nats, num_bytes = pseudo_log_likelihood(checkpoint, before, middle, after)
        assert nats == pytest.approx(expected, abs=1e-3)
        assert num_bytes == len(middle.encode()) == 18


def test_what_the_neighbour_asks_for_is_likely_and_the_rest_is_not() -> None:
    checkpoint = masked.next_word({"red": "dragon"})
    likely, _ = pseudo_log_likelihood(checkpoint, "the red ", "dragon", " sat")
    unlikely, _ = pseudo_log_likelihood(checkpoint, "the red ", "cat", " sat")
    rest = math.log(math.exp(20) + checkpoint.vocab_size - 1)
    assert (likely, unlikely) == (pytest.approx(20 - rest), pytest.approx(-rest))


def test_texts_around_are_cut_to_the_window_and_a_longer_middle_is_refused(bert: MaskedCheckpoint) -> None:
    nats, _ = pseudo_log_likelihood(bert, "the cat. " * 100, "the cat sat", " on the hill" * 100)
    assert nats < 0
    with pytest.raises(TooLong):
        pseudo_log_likelihood(bert, "", " cat" * (bert.text_tokens + 1), "")


def test_nothing_costs_nothing(bert: MaskedCheckpoint) -> None:
    assert pseudo_log_likelihood(bert, "the cat", "", " sat") == (0.0, 0)
