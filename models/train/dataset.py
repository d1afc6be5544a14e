"""Tokenized text on disk, and the blocks that a trainer reads from it.

Token ids are written once per phase as a flat ``uint16`` file and memory-mapped, so memory does not grow with the
corpus. Blocks are consecutive runs of `context` ids: documents follow one another, each begun by its start token.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import Dataset

from models.engine.story_format import StoryFormat
from models.train.config import PhaseConfig
from models.train.examples import ExampleOptions, make_documents
from models.train.sources import Story, read_stories

IGNORED = -100
"""The label that a causal LM's loss leaves out (PyTorch's cross-entropy default)."""


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


class TokenBlocks(Dataset[dict[str, torch.Tensor]]):
    """Blocks of `context` ids in the order given by `order`; item → ``input_ids`` and ``labels``, both [context].

    Labels are the ids themselves, and `IGNORED` on what `given` marks.
    """

    def __init__(self, path: Path, context: int, given: GivenParts, order: list[int] | None = None) -> None:
        self._ids: np.ndarray[Any, np.dtype[np.uint16]] = np.memmap(path, dtype=np.uint16, mode="r")
        self._given = given
        self._context = context
        self._order = order if order is not None else list(range(len(self._ids) // context))

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        start = self._order[index] * self._context
        ids = self._ids[start : start + self._context].astype(np.int64)
        labels = np.where(self._given.mask(ids), IGNORED, ids)
        return {"input_ids": torch.from_numpy(ids), "labels": torch.from_numpy(labels)}


def phase_documents(
    phase: PhaseConfig, root: Path, fmt: StoryFormat, options: ExampleOptions, rng: random.Random
) -> list[str]:
    """The documents of a phase, shuffled. A fractional repeat takes a random share of the source."""
    documents: list[str] = []
    for source in phase.sources:
        tags = tuple(source.tags)
        stories = [replace(story, tags=story.tags or tags) for story in read_stories(root / source.path)]
        for story in _repeat(stories, source.repeat, rng):
            documents += make_documents(story, fmt, options, rng)
    rng.shuffle(documents)
    return documents


def _repeat(stories: list[Story], times: float, rng: random.Random) -> list[Story]:
    whole = int(times)
    return stories * whole + rng.sample(stories, round((times - whole) * len(stories)))


def write_tokens(documents: Iterable[str], tokenizer: Tokenizer, path: Path) -> int:
    """Appends the ids of all documents to `path` (``uint16``); returns how many were written."""
    written, batch = 0, 256
    pending = list(documents)
    with path.open("ab") as out:
        for at in range(0, len(pending), batch):
            for encoding in tokenizer.encode_batch_fast(pending[at : at + batch], add_special_tokens=False):
                np.asarray(encoding.ids, dtype=np.uint16).tofile(out)
                written += len(encoding.ids)
    return written


def phase_order(block_counts: list[int], rng: random.Random) -> list[int]:
    """Block numbers with each phase shuffled inside itself and phases kept in sequence."""
    order: list[int] = []
    for count in block_counts:
        numbers = list(range(len(order), len(order) + count))
        rng.shuffle(numbers)
        order.extend(numbers)
    return order


def data_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over the tokenized files, so that a run's record says what it saw."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_manifest(path: Path, record: dict[str, Any]) -> None:
    """Writes a JSON record with stable key order."""
    path.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
