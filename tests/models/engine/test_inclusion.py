"""Words that should appear: what is favoured, by how much, and how often it helps."""

from __future__ import annotations

import math

import pytest
import torch

from models.engine.checkpoint import Checkpoint
from models.engine.detokenize import token_of, token_text
from models.engine.families import build_network
from models.engine.inclusion import MOST, Inclusion, Speller, goes_on
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.row import make_rows
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine
from tests.models.tiny import drain, encode, texts

WORDS = ("castle", "Willow", "ink")


def ask(checkpoint: Checkpoint, **changes: object) -> Request:
    asked: dict[str, object] = {"id": "r", "seed": 7, "n": 12, "max_tokens": 60, "must_include": WORDS, **changes}
    return Request(prompt_ids=encode(checkpoint, "Once upon a time"), **asked)  # type: ignore[arg-type]


def num_included(rows: dict[int, str]) -> int:
    """Of the words, over all rows; counted without the engine's own search."""
    padded = ["".join(c if c.isalnum() else " " for c in f" {text.lower()}") for text in rows.values()]
    return sum(f" {word.lower()}" in text for text in padded for word in WORDS)


def test_words_appear_that_would_not_without(checkpoint: Checkpoint) -> None:
    """Measured on tiny models with next to random weights: 0 of 36 words without, nearly all with."""
    network = build_network(checkpoint)
    without, normal, weak = (
        num_included(texts(drain(WeavingEngine(checkpoint, network, 1, 2000), ask(checkpoint, **how))))
        for how in ({"must_include": ()}, {}, {"must_include_strength": 0.0})
    )
    assert without == weak == 0
    assert normal >= 32, "of 36"


def test_both_engines_write_the_same(checkpoint: Checkpoint) -> None:
    request = ask(checkpoint, n=3, banned_phrases=("ca", "e"), seed=3)
    woven = drain(WeavingEngine(checkpoint, build_network(checkpoint), 1, 600), request)
    assert texts(woven) == texts(drain(SerialEngine(checkpoint), request))


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("a", [" dragon"]),
        ("\n", ["dragon"]),
        ('"', [" dragon", "dragon"]),
        (" Dr", ["agon"]),
        ("xdr", [" dragon"]),
        (" dragons", [" dragon"]),
        ("-d", ["ragon"]),
    ],
)
def test_what_may_follow_begins_the_word_at_a_border_or_goes_on_with_it(tail: str, expected: list[str]) -> None:
    assert goes_on(tail, "dragon") == expected


def test_every_spelling_is_favoured_by_its_share(llama: Checkpoint) -> None:
    speller = Speller(llama.tokenizer)
    shares = {token_text(llama.tokenizer, token): share for token, share in speller.beginnings(" dragon").items()}
    assert shares[" dragon"] == 1
    assert all(" dragon".startswith(text) and share == len(text) / 7 for text, share in shares.items())
    assert len(shares) > 1
    assert " " not in shares
    assert speller.num_tokens(" dragon") == 1
    assert speller.num_tokens("年") == 1
    assert token_of(llama.tokenizer, "no token") is None


def test_the_bias_grows_as_the_room_shrinks_and_is_gone_with_the_last_word(llama: Checkpoint) -> None:
    words = Inclusion(("dragon",), 2.0, 11, Speller(llama.tokenizer), [3], "a")
    assert words.bias() == 2
    biases = []
    for _ in range(10):
        words.push("x")
        biases.append(words.bias())
    assert biases[:2] == pytest.approx([2 * math.exp(1 / 9), 2 * math.exp(2 / 8)])
    assert biases == sorted(biases)
    assert biases[-1] == MOST
    scores = torch.zeros(llama.vocab_size)
    words.adjust(scores)
    assert (float(scores[encode(llama, " dragon")[0]]), float(scores[3])) == (100, -100)
    for text in (" Dra", "g", "ons"):
        words.push(text)
    assert words.bias() == 0
    scores = torch.zeros(llama.vocab_size)
    words.adjust(scores)
    assert not scores.any()


def test_a_word_inside_another_does_not_count(llama: Checkpoint) -> None:
    words = Inclusion(("ink", "gold"), 2.0, 20, Speller(llama.tokenizer), [], "mar")
    for text in ("ig", "old ", "th", "ink", "."):
        words.push(text)
    assert words.state.missing == ("ink", "gold")
    words.push("INK ")
    assert words.state.missing == ("gold",)


def test_a_word_that_is_taken_back_is_missing_again(llama: Checkpoint) -> None:
    (gold,), (x,), logits = encode(llama, " gold"), encode(llama, "x"), torch.zeros(llama.vocab_size)
    (row,) = make_rows(ask(llama, n=1, must_include=("gold",), banned_phrases=("goldx",)), llama)

    def bias() -> float:
        scores = logits.clone()
        row.sampler.adjust(scores)
        return float(scores[3])  # an end token's

    before = bias()
    row.accept(gold, logits)
    assert bias() == 0 > before
    row.accept(x, logits)
    assert row.again is not None
    assert bias() == before


def test_it_stays_within_what_top_k_leaves(llama: Checkpoint) -> None:
    """Only the bias is given; a row with its other controls stays one."""
    request = ask(llama, n=2, sampling=SamplingParams(temperature=0, top_k=1), max_tokens=40)
    assert num_included(texts(drain(SerialEngine(llama), request))) >= 4
