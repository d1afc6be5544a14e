"""Reading at a few places only gives what reading everywhere gives."""

from __future__ import annotations

import pytest
import torch

from models.engine.masked.checkpoint import MaskedCheckpoint
from models.engine.masked.forward import read_masked
from tests.models import masked


def test_scores_are_the_models_own_whatever_is_read_beside_them(checkpoint: MaskedCheckpoint) -> None:
    reader = checkpoint.reader
    texts = [[*reader.before, *reader.read(text).ids, *reader.after] for text in (masked.BEFORE, masked.MIDDLE, "a")]
    places = [[1, 4], [2, 3, len(texts[1]) - 2], [1]]
    for text, own in zip(texts, places, strict=True):
        for place in own:
            text[place] = checkpoint.mask_id
    found = read_masked(checkpoint, texts, places)
    for text, own, scores in zip(texts, places, found, strict=True):
        with torch.no_grad():
            logits = checkpoint.model(input_ids=torch.tensor([text])).logits[0]
        assert scores.shape == (len(own), checkpoint.vocab_size)
        torch.testing.assert_close(scores, logits[own], atol=1e-4, rtol=1e-4)
        scores.zero_()  # may be changed


def test_the_last_layer_sees_the_wanted_places_only(checkpoint: MaskedCheckpoint) -> None:
    shapes = []
    last = checkpoint.model.get_output_embeddings()
    with last.register_forward_hook(lambda _module, args, _out: shapes.append(args[0].shape[:-1])):
        read_masked(checkpoint, [[5] * 20, [5] * 10], [[3, 4], [5]])
    assert shapes == [(3,)]


def test_a_model_without_such_a_layer_is_read_whole() -> None:
    checkpoint = masked.next_word({"red": "dragon"})
    ids = checkpoint.reader.read("the red cat").ids
    (scores,) = read_masked(checkpoint, [ids], [[2]])
    assert checkpoint.reader.backend.id_to_token(int(scores[0].argmax())) == "dragon"
    assert float(scores.max()) == pytest.approx(20)
