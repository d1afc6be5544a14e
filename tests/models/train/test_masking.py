"""What a masked model sees of a block: whole words hidden, the same for the same seed and turn."""

from __future__ import annotations

import numpy as np
import pytest
from transformers import BertTokenizer, PreTrainedTokenizerBase

from models.train.config import MaskingConfig
from models.train.dataset import IGNORED, Block
from models.train.masking import MaskedView, Words, choose_words, read_words, same_document
from models.train.vocabulary import learn_vocabulary
from tests.models.train.toy import MASKED_SHAPE, toy_config

TEXT = (
    'The wandering foxes didn\'t sing. "Lanterns!" cried the owlkeeper, and seventeen rivers answered “yes”.\n'
    "Then night. "
) * 6
NO_BEGINS = np.array([], dtype=np.int64)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return learn_vocabulary(toy_config(objective="masked", model=MASKED_SHAPE), [TEXT]).fast


@pytest.fixture(scope="module")
def words(tokenizer: PreTrainedTokenizerBase) -> Words:
    return read_words(tokenizer)


def encode(tokenizer: PreTrainedTokenizerBase, text: str) -> np.ndarray:
    return np.array(tokenizer(text, add_special_tokens=False)["input_ids"])


def spelled(tokenizer: PreTrainedTokenizerBase, words: Words, text: str) -> list[str]:
    """The text cut at the borders of its words."""
    ids = encode(tokenizer, text)
    numbers = words.number(ids)
    return [tokenizer.decode(ids[numbers == number]).strip() for number in np.unique(numbers)]


def test_words_are_found_in_byte_level_tokens(tokenizer: PreTrainedTokenizerBase, words: Words) -> None:
    found = spelled(tokenizer, words, 'The foxes didn\'t sing. "Lanterns!" cried “yes”.\nThen')
    # Marks that were learned as one token are one word; the line end is one of its own.
    assert " ".join(found) == 'The foxes didn\'t sing . " Lanterns !" cried “ yes ”.  Then'


def test_words_are_found_in_wordpiece_tokens() -> None:
    vocab = {
        token: i
        for i, token in enumerate(
            ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "fox", "##es", "##ing", "sing", "."]
        )
    }
    tokenizer = BertTokenizer(vocab=vocab)
    words = read_words(tokenizer)
    ids = np.array(tokenizer("the foxes singing.")["input_ids"])
    assert words.number(ids).tolist() == [1, 2, 3, 3, 4, 4, 5, 6]
    assert words.special[ids].tolist() == [True] + [False] * 6 + [True]


def test_a_word_is_hidden_whole_or_not_at_all(tokenizer: PreTrainedTokenizerBase, words: Words) -> None:
    ids = encode(tokenizer, TEXT)
    numbers = words.number(ids)
    for seed in range(20):
        chosen = choose_words(ids, words, MaskingConfig(), np.random.default_rng(seed))
        assert all(len(set(chosen[numbers == number])) == 1 for number in np.unique(numbers))


def test_the_share_that_is_hidden_is_the_one_asked_for(tokenizer: PreTrainedTokenizerBase, words: Words) -> None:
    ids = encode(tokenizer, TEXT)
    for rate in (0.15, 0.3):
        config = MaskingConfig(rate=rate, rate_max=rate)
        shares = [choose_words(ids, words, config, np.random.default_rng(seed)).mean() for seed in range(100)]
        assert np.mean(shares) == pytest.approx(rate, abs=0.01)


def test_four_fifths_become_masks_and_a_tenth_stays(tokenizer: PreTrainedTokenizerBase, words: Words) -> None:
    ids = encode(tokenizer, TEXT)
    view = MaskedView(words, MaskingConfig(rate=0.3, rate_max=0.3), seed=1)
    masks = others = kept = 0
    for turn in range(200):
        item = view(Block(ids, NO_BEGINS), turn)
        seen, labels = item["input_ids"].numpy(), item["labels"].numpy()
        hidden = labels != IGNORED
        assert (seen[~hidden] == ids[~hidden]).all(), "what has no label is shown as it is"
        assert (labels[hidden] == ids[hidden]).all()
        masks += (seen[hidden] == words.mask_id).sum()
        kept += (seen[hidden] == ids[hidden]).sum()
        others += hidden.sum()
    assert masks / others == pytest.approx(0.8, abs=0.02)
    assert kept / others == pytest.approx(0.1, abs=0.02)


def test_special_tokens_are_never_hidden_nor_put_in(tokenizer: PreTrainedTokenizerBase, words: Words) -> None:
    ids = encode(tokenizer, "<|story|>The fox.<|end|><|story|>The owl.<|end|>")
    config = MaskingConfig(rate=0.8, rate_max=0.8)
    for turn in range(50):
        item = MaskedView(words, config, seed=2)(Block(ids, NO_BEGINS), turn)
        special = words.special[ids]
        assert (item["labels"].numpy()[special] == IGNORED).all()
        shown = item["input_ids"].numpy()
        assert (words.special[shown] == (special | (shown == words.mask_id))).all()


def test_a_span_is_words_side_by_side(tokenizer: PreTrainedTokenizerBase, words: Words) -> None:
    ids = encode(tokenizer, TEXT)
    config = MaskingConfig(rate=0.2, rate_max=0.2, span_share=1.0)
    for seed in range(20):
        chosen = choose_words(ids, words, config, np.random.default_rng(seed)).astype(int)
        edges = np.abs(np.diff(chosen)).sum() + chosen[0] + chosen[-1]
        assert edges in (2, 4), "one run of words, or two where it goes on from the end at the beginning"


def test_what_is_hidden_depends_on_seed_and_turn_alone(tokenizer: PreTrainedTokenizerBase, words: Words) -> None:
    block = Block(encode(tokenizer, TEXT), NO_BEGINS)
    first, again = (MaskedView(words, MaskingConfig(), seed=5)(block, 7) for _ in range(2))
    assert all((first[name] == again[name]).all() for name in first)
    other = MaskedView(words, MaskingConfig(), seed=5)(block, 8)
    assert (first["labels"] != other["labels"]).any(), "masking is dynamic"


def test_a_block_of_markers_alone_hides_nothing(words: Words, tokenizer: PreTrainedTokenizerBase) -> None:
    ids = encode(tokenizer, "<|story|><|end|>")
    assert not choose_words(ids, words, MaskingConfig(), np.random.default_rng(0)).any()


def test_attention_stays_inside_a_document() -> None:
    allowed = same_document(Block(np.zeros(4, dtype=np.int64), np.array([1, 3])))[0]
    assert allowed.astype(int).tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]]
