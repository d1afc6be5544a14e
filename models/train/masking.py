"""Whole-word masking: what a masked model sees of a block, and what it has to find."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from models.train.config import MaskingConfig
from models.train.dataset import IGNORED, Block, Item, positions
from models.train.tokens import Ids

_MASKED, _RANDOM = 0.8, 0.1
"""BERT's shares (https://arxiv.org/abs/1810.04805): the rest of the chosen tokens stays as it is."""

_UNREADABLE = "\ufffd"


@dataclass(frozen=True)
class Words:
    """What masking must know of a vocabulary; the arrays are [vocabulary], bool.

    A token begins a word if a space or line end comes before it (`spaced`), or if it or the token before it is no
    letter or digit where they meet (`opens`, `closes`). Special tokens are never masked.
    """

    spaced: Ids = field(repr=False)
    opens: Ids = field(repr=False)
    closes: Ids = field(repr=False)
    special: Ids = field(repr=False)
    mask_id: int

    @property
    def ordinary(self) -> Ids:
        """The ids that are not special."""
        return np.flatnonzero(~self.special)

    def number(self, ids: Ids) -> Ids:
        """[context] → [context]: the number of the word that each token belongs to, ascending."""
        begins = self.spaced[ids] | self.opens[ids] | self.special[ids]
        begins[1:] |= self.closes[ids[:-1]] | self.special[ids[:-1]]
        return np.cumsum(begins)


def read_words(tokenizer: PreTrainedTokenizerBase) -> Words:
    """Looks at every token of the vocabulary: byte-level BPE, SentencePiece's ``▁`` and WordPiece's ``##``."""
    tokens = [str(tokenizer.convert_ids_to_tokens(i)) for i in range(len(tokenizer))]
    texts = _texts(tokenizer, tokens)
    special = np.zeros(len(tokens), dtype=bool)
    special[[i for i in tokenizer.all_special_ids if i < len(tokens)]] = True
    added = [i for i, token in tokenizer.added_tokens_decoder.items() if token.special and i < len(tokens)]
    special[added] = True
    return Words(
        spaced=np.array([text[:1].isspace() for text in texts]),
        opens=np.array([_is_mark(text.strip()[:1], text.strip()) for text in texts]),
        closes=np.array([_is_mark(text[-1:], text) for text in texts]),
        special=special,
        mask_id=int(tokenizer.mask_token_id),
    )


def _texts(tokenizer: PreTrainedTokenizerBase, tokens: list[str]) -> list[str]:
    """Each token as it stands in a text, with the space before it."""
    if sum(token.startswith("##") for token in tokens) > len(tokens) // 50:
        return [token[2:] if token.startswith("##") else f" {token}" for token in tokens]
    if any(token.startswith("▁") for token in tokens):
        return [token.replace("▁", " ") for token in tokens]
    return [str(tokenizer.decode([i])) for i in range(len(tokens))]


def _is_mark(edge: str, text: str) -> bool:
    """Whether a word ends at this character. An apostrophe inside a word, and a part of a character, do not end one."""
    if not edge or edge.isalnum() or edge == _UNREADABLE:
        return False
    return edge not in "'’" or len(text) < 2


@dataclass(frozen=True)
class MaskedView:
    """Hides words of a block; what is hidden depends on the run's seed and the block's turn, and on nothing else."""

    words: Words
    config: MaskingConfig
    seed: int
    has_borders: bool = False

    def __call__(self, block: Block, turn: int) -> Item:
        rng = np.random.default_rng((self.seed, turn))
        chosen = choose_words(block.ids, self.words, self.config, rng)
        labels = np.where(chosen, block.ids, IGNORED)
        item = {"input_ids": torch.from_numpy(self._hide(block.ids, chosen, rng)), "labels": torch.from_numpy(labels)}
        if self.has_borders:
            item["position_ids"] = torch.from_numpy(positions(block))
            item["attention_mask"] = torch.from_numpy(same_document(block))
        return item

    def _hide(self, ids: Ids, chosen: Ids, rng: np.random.Generator) -> Ids:
        lot = rng.random(len(ids))
        ordinary = self.words.ordinary
        others = ordinary[rng.integers(len(ordinary), size=len(ids))]
        hidden = np.where(lot < _MASKED, self.words.mask_id, np.where(lot < _MASKED + _RANDOM, others, ids))
        found: Ids = np.where(chosen, hidden, ids)
        return found


def choose_words(ids: Ids, words: Words, config: MaskingConfig, rng: np.random.Generator) -> Ids:
    """[context] bool: whole words until their tokens make up the share that is drawn for this block; at least one word.

    A block of special tokens alone has nothing to hide.
    """
    numbers = words.number(ids)
    maskable = ~words.special[ids]
    counts = np.bincount(numbers[maskable], minlength=numbers[-1] + 1)
    present = np.flatnonzero(counts)
    if not present.size:
        return np.zeros(len(ids), dtype=bool)
    goal = rng.uniform(config.rate, config.rate_max) * maskable.sum()
    if rng.random() < config.span_share:
        order = np.roll(present, -int(rng.integers(present.size)))
    else:
        order = rng.permutation(present)
    # The word that passes the goal is taken only if that comes nearer to it than stopping does.
    total = np.cumsum(counts[order])
    taken = max(1, int(np.searchsorted(total - counts[order] / 2, goal)))
    return maskable & np.isin(numbers, order[:taken])


def same_document(block: Block) -> Ids:
    """[1, context, context] bool: which tokens belong to one document, so that attention stays inside it."""
    marks = np.zeros(len(block.ids), dtype=np.int64)
    marks[block.begins] = 1
    document = np.cumsum(marks)
    found: Ids = (document[:, None] == document[None, :])[None]
    return found
