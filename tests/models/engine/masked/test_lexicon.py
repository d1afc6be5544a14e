"""Which pieces of a vocabulary are whole words."""

from __future__ import annotations

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from models.engine.masked.checkpoint import MaskedCheckpoint
from models.engine.masked.lexicon import UnknownPieces, read_lexicon
from tests.models.masked import SPECIALS, WORDS


def ids(mask: torch.Tensor) -> set[int]:
    return set(mask.nonzero()[:, 0].tolist())


def test_wordpiece_has_whole_words_and_marks_but_nothing_that_continues_and_nothing_special(
    bert: MaskedCheckpoint,
) -> None:
    vocab = bert.reader.backend.get_vocab()
    lexicon = bert.lexicon
    one_letter = {"a", "i", "o"}
    assert {lexicon.words[i] for i in ids(lexicon.spaced)} == set(WORDS) | one_letter
    assert ids(lexicon.spaced) == ids(lexicon.unspaced)
    assert {lexicon.marks[i] for i in ids(lexicon.mark)} == set(".,;:!?")
    never = {vocab[piece] for piece in [*SPECIALS, "##s", "##ing", "##a", "-", "“", "7", "b"]}
    assert not never & (ids(lexicon.spaced) | ids(lexicon.mark))
    assert not lexicon.is_cased


def test_byte_level_words_have_two_spellings_and_the_inside_of_a_word_is_none(roberta: MaskedCheckpoint) -> None:
    vocab = roberta.reader.backend.get_vocab()
    lexicon = roberta.lexicon
    assert vocab["Ġdragon"] in ids(lexicon.spaced) - ids(lexicon.unspaced)
    assert vocab["dragon"] in ids(lexicon.unspaced) - ids(lexicon.spaced)
    assert set(lexicon.ids_of("Dragon")) >= {vocab["dragon"], vocab["Ġdragon"]}
    assert vocab["The"] not in ids(lexicon.small)
    inside = [piece for piece in vocab if piece.isalpha() and piece.islower() and f"Ġ{piece}" not in vocab]
    assert inside, "BPE has pieces that only ever continue a word"
    assert not {vocab[piece] for piece in inside} & ids(lexicon.unspaced)
    assert not {vocab[piece] for piece in ("<s>", "<mask>", "Ġ", "Ċ", "Ã")} & (
        ids(lexicon.spaced) | ids(lexicon.unspaced)
    )
    assert lexicon.is_cased
    assert lexicon.is_common("dragon")
    assert not lexicon.is_common("anna")


def test_sentencepiece_words_begin_with_its_mark() -> None:
    pieces = [("<unk>", 0.0), ("▁cat", -1.0), ("cat", -2.0), ("▁", -3.0), ("s", -4.0), (".", -5.0), ("▁.", -6.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    lexicon = read_lexicon(tokenizer, len(pieces))
    assert (ids(lexicon.spaced), ids(lexicon.unspaced), ids(lexicon.mark)) == ({1}, {2}, {5})


def test_a_tokenizer_whose_marks_are_not_known_is_refused() -> None:
    tokenizer = Tokenizer(models.BPE({"a": 0, "b</w>": 1}, [], end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    with pytest.raises(UnknownPieces, match="BPE"):
        read_lexicon(tokenizer, 2)


def test_pieces_that_the_model_does_not_know_are_left_out(bert: MaskedCheckpoint) -> None:
    lexicon = read_lexicon(bert.reader.backend, 60)
    assert max(lexicon.words) < 60
    assert lexicon.spaced.shape == (60,)
