"""What a trainer reads: blocks of consecutive ids, in an order that the run's seed decides.

Blocks are consecutive runs of `context` ids: documents follow one another, each begun by its start token. With borders,
positions start anew at each document, by which transformers knows that attention must not cross from one to the next.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch.utils.data import Dataset

from models.train.tokens import Ids, TokenFile

IGNORED = -100
"""The label that a language model's loss leaves out (PyTorch's cross-entropy default)."""

Item = dict[str, torch.Tensor]


@dataclass(frozen=True)
class GivenParts:
    """Token ids that tell the given parts of a document (title, premise, hint) from the story's own text.

    A given part begins with one of `openers` and ends with `closer`. A model is told these parts and never asked to
    write them: learning them would make it write hints of its own instead of going on with the story.
    """

    openers: frozenset[int]
    closer: int

    def mask(self, ids: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """True where `ids` [context] is given: openers, closers and all between; also a part begun before the block."""
        is_closer = ids == self.closer
        edge = np.where(np.isin(ids, list(self.openers)), 1, np.where(is_closer, -1, 0))
        first = edge[edge != 0][:1]
        position = np.where(edge != 0, np.arange(len(ids)), -1)
        last = np.maximum.accumulate(position)
        inside: np.ndarray[Any, np.dtype[np.bool_]] = np.where(
            last >= 0, edge[np.maximum(last, 0)] == 1, bool(first.size and first[0] == -1)
        )
        given: np.ndarray[Any, np.dtype[np.bool_]] = inside | is_closer
        return given


@dataclass(frozen=True)
class Block:
    """`ids` [context] in int64, and the places in the block where documents begin."""

    ids: Ids
    begins: Ids


class View(Protocol):
    """Turns a block into what the model takes; `turn` is the block's place in the run, which decides what is random."""

    def __call__(self, block: Block, turn: int) -> Item:
        """The item, each tensor [context] or, for a mask, [1, context, context]."""
        ...


class Blocks:
    """The blocks of a token file, by number."""

    def __init__(self, file: TokenFile, context: int) -> None:
        self._ids, self._begins, self.context = file.ids(), file.begins(), context

    def __len__(self) -> int:
        return len(self._ids) // self.context

    def __getitem__(self, number: int) -> Block:
        start = number * self.context
        first, last = np.searchsorted(self._begins, [start, start + self.context])
        begins = self._begins[first:last].astype(np.int64) - start
        return Block(self._ids[start : start + self.context].astype(np.int64), begins)


class Turns(Dataset[Item]):
    """`length` items: the blocks in `order`, from the beginning again when they are all seen.

    An item depends on its place alone, so a run that goes on after a kill sees what it would have seen.
    """

    def __init__(self, blocks: Blocks, order: Sequence[int], view: View, length: int | None = None) -> None:
        self._blocks, self._order, self._view = blocks, order, view
        self._length = len(order) if length is None else length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, turn: int) -> Item:
        return self._view(self._blocks[self._order[turn % len(self._order)]], turn)


@dataclass(frozen=True)
class CausalView:
    """Labels are the ids themselves; `IGNORED` on what is given, and with borders on each document's first token."""

    given: GivenParts | None
    has_borders: bool = False

    def __call__(self, block: Block, turn: int) -> Item:
        labels = block.ids.copy()
        if self.given is not None:
            labels[self.given.mask(block.ids)] = IGNORED
        item = {"input_ids": torch.from_numpy(block.ids), "labels": torch.from_numpy(labels)}
        if self.has_borders:
            # The model predicts it from the document before, which it must not know.
            labels[block.begins] = IGNORED
            item["position_ids"] = torch.from_numpy(positions(block))
        return item


def positions(block: Block) -> Ids:
    """[context]: 0, 1, 2, … from the block's and each document's beginning."""
    place = np.arange(len(block.ids))
    begins = np.zeros(len(block.ids), dtype=np.int64)
    begins[block.begins] = block.begins
    found: Ids = place - np.maximum.accumulate(begins)
    return found


def phase_order(block_counts: list[int], rng: random.Random) -> list[int]:
    """Block numbers with each phase shuffled inside itself and phases kept in sequence."""
    order: list[int] = []
    for count in block_counts:
        numbers = list(range(len(order), len(order) + count))
        rng.shuffle(numbers)
        order.extend(numbers)
    return order
