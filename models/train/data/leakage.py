"""How much of what is held out stands in train all the same: shared runs of words, and near-duplicate stories.

Runs of 13 words are the usual measure since GPT-3 (Brown et al. 2020, appendix C). Memory holds 16 bytes for each word
that is held out (56 for a moment, while they are sorted), whatever the size of train.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.train.data.duplicates import NearIndex
from models.train.data.settings import LeakageSettings
from models.train.data.shingles import shingle_hashes

Signatures = np.ndarray[Any, np.dtype[np.uint32]]


@dataclass(frozen=True)
class Overlap:
    """What a train story shares with the held-out ones.

    `places` are positions in the held-out runs, `contained` the largest share of one held-out story's runs, `own` the
    share of the train story's own runs, `near` the held-out stories that are near-duplicates.
    """

    places: np.ndarray[Any, np.dtype[np.int64]]
    contained: float
    own: float
    near: tuple[int, ...]

    def is_leak(self, settings: LeakageSettings) -> bool:
        """Whether the train story has to go, where leaks are dropped."""
        return bool(self.near) or max(self.contained, self.own) >= settings.max_share


class HeldOut:
    """The held-out stories' runs of words (and signatures), to which train's stories are put one by one."""

    def __init__(self, settings: LeakageSettings, index: NearIndex | None, signatures: Signatures | None) -> None:
        """`index` and `signatures` are None where near-duplicates are not looked for."""
        self._settings = settings
        self._index, self._signatures = index, signatures
        self._raw, self._raw_owner = array("Q"), array("L")
        self._splits: list[str] = []
        self._numbers: dict[int, int] = {}

    def add(self, split: str, text: str, number: int) -> None:
        """A held-out story; `number` is its row among the signatures."""
        hashes = shingle_hashes(text, self._settings.ngram)
        self._raw.extend(hashes.tolist())
        self._raw_owner.extend([len(self._splits)] * len(hashes))
        if self._index is not None and self._signatures is not None:
            self._index.add(number, self._signatures[number])
            self._numbers[number] = len(self._splits)
        self._splits.append(split)

    def close(self) -> None:
        """Sorts the runs; after this nothing is added."""
        hashes, owners = np.array(self._raw, dtype=np.uint64), np.array(self._raw_owner, dtype=np.int64)
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._owners = hashes[order], owners[order]
        self._sizes = np.bincount(owners, minlength=len(self._splits))
        self._raw, self._raw_owner = array("Q"), array("L")

    def compare(self, text: str, number: int) -> Overlap:
        """What the train story at row `number` shares with what is held out."""
        hashes = shingle_hashes(text, self._settings.ngram)
        first = np.searchsorted(self._hashes, hashes, "left")
        past = np.searchsorted(self._hashes, hashes, "right")
        found = past > first
        places = [np.arange(a, b) for a, b in zip(first[found], past[found], strict=True)]
        where = np.concatenate(places) if places else np.zeros(0, dtype=np.int64)
        per_story = np.bincount(self._owners[where], minlength=len(self._splits)) / np.maximum(self._sizes, 1)
        return Overlap(
            where,
            float(per_story.max(initial=0.0)),
            float(found.mean()) if len(found) else 0.0,
            self._near(number),
        )

    def _near(self, number: int) -> tuple[int, ...]:
        if self._index is None or self._signatures is None:
            return ()
        return tuple(self._numbers[n] for n in self._index.find(self._signatures[number], self._signatures))

    def measure(self) -> Measure:
        """An empty record of what was found, to add overlaps to."""
        return Measure(self._splits, self._owners, self._sizes)


class Measure:
    """What of the held-out stories was found in some set of train stories."""

    def __init__(self, splits: list[str], owners: np.ndarray[Any, Any], sizes: np.ndarray[Any, Any]) -> None:
        self._splits = np.array(splits)
        self._owners, self._sizes = owners, sizes
        self._seen = np.zeros(len(owners), dtype=np.bool_)
        self._near = np.zeros(len(splits), dtype=np.bool_)

    def add(self, overlap: Overlap) -> None:
        self._seen[overlap.places] = True
        self._near[list(overlap.near)] = True

    def report(self, split: str) -> dict[str, int | float]:
        """Counts and shares for one held-out split; shares are of its runs and of its stories."""
        mine = self._splits == split
        runs = int(self._sizes[mine].sum())
        in_train = int(self._seen[mine[self._owners]].sum()) if len(self._owners) else 0
        stories, near = int(mine.sum()), int(self._near[mine].sum())
        return {
            "stories": stories,
            "ngrams": runs,
            "ngrams_in_train": in_train,
            "share_of_ngrams_in_train": round(in_train / runs, 6) if runs else 0.0,
            "stories_with_near_duplicate_in_train": near,
            "share_of_stories_with_near_duplicate_in_train": round(near / stories, 6) if stories else 0.0,
        }
