"""Insults glued together of a listed word and others: looked for in words that consist of nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import ahocorasick

PARTS = Path(__file__).parent / "lists" / "compounds.txt"
LEAST = 5
LONGEST_PART = 14
LEAST_ROOT = 6
"""Letters of one of the worst words that may be a root; shorter ones are named in the file."""
LEAST_BESIDE = {"partners": 0, "common": 0, "names": 4, "short": 5}
"""Letters of a root beside parts of each kind: "tomtit" and "assist" are none of the roots tit and ass."""


@lru_cache(maxsize=1)
def read_parts() -> Mapping[str, frozenset[str]]:
    """`roots`, listed words that compounds are made of; their `partners`; other `common` words; `names` and `short`
    words, which count beside longer roots only; and `endings`."""
    found: dict[str, set[str]] = {}
    section: set[str] = set()
    for line in PARTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), set())
        elif not line.startswith("#"):
            section.update(line.split())
    return {name: frozenset(words) for name, words in found.items()}


class _Split(NamedTuple):
    """What the parts up to a place are: a root's number (or -1), how many they are (2: or more), the letters of the
    shortest root among them, and how many the others want it to have."""

    number: int
    parts: int
    shortest: int
    wanted: int

    @property
    def is_compound(self) -> bool:
        return self.number >= 0 and self.parts == 2 and self.shortest >= self.wanted


class Compounds:
    """Splits a word into roots, partners and endings."""

    def __init__(self, numbers: Mapping[str, int], unambiguous: Iterable[str]) -> None:
        parts = read_parts()
        self._partners, self._endings = parts["partners"], parts["endings"]
        self._glued = {word: least for kind, least in reversed(LEAST_BESIDE.items()) for word in parts[kind]}
        roots = parts["roots"] | {word for word in unambiguous if len(word) >= LEAST_ROOT}
        self._roots = {root: numbers[root] for root in roots if root in numbers}
        self._any_root = ahocorasick.Automaton()
        for root, number in self._roots.items():
            self._any_root.add_word(root, number)
        if self._roots:
            self._any_root.make_automaton()

    def find(self, word: str) -> Sequence[int]:
        """The number of the root's term, where the word is a compound with one."""
        if len(word) < LEAST or not self._roots or next(self._any_root.iter(word), None) is None:
            return ()
        reached: list[set[_Split]] = [set() for _ in range(len(word) + 1)]
        reached[0].add(_Split(-1, 0, LONGEST_PART, 0))
        for start in range(len(word)):
            least = 1 if start == 0 else 2  # "i" and "u" come first
            for before in reached[start]:
                for end in range(start + least, min(start + LONGEST_PART, len(word)) + 1):
                    split = self._with(before, word[start:end])
                    if split is not None:
                        reached[end].add(split)
        for end in range(len(word), LEAST - 2, -1):
            if end == len(word) or word[end:] in self._endings:
                found = [split.number for split in reached[end] if split.is_compound]
                if found:
                    return (max(found),)
        return ()

    def pair(self, first: str, second: str) -> Sequence[int]:
        """Likewise of two words of which one is a root."""
        for root, other in ((first, second), (second, first)):
            if root in self._roots and (other in self._partners or other in self._roots):
                return (self._roots[root],)
        return ()

    def _with(self, before: _Split, piece: str) -> _Split | None:
        """One part more, or None where the piece is none."""
        parts = min(before.parts + 1, 2)
        root = self._roots.get(piece)
        if root is not None:
            return _Split(max(before.number, root), parts, min(before.shortest, len(piece)), before.wanted)
        least = self._glued.get(piece)
        return None if least is None else before._replace(parts=parts, wanted=max(before.wanted, least))
