"""Insults glued together of a listed word and others: looked for in words that consist of nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import ahocorasick

PARTS = Path(__file__).parent / "lists" / "compounds.txt"
LEAST = 5
LONGEST_PART = 14


def read_parts() -> dict[str, frozenset[str]]:
    """`roots`, listed words that compounds are made of; their `partners`; other `common` words; and `endings`."""
    found: dict[str, set[str]] = {}
    section: set[str] = set()
    for line in PARTS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), set())
        elif not line.startswith("#"):
            section.update(line.split())
    return {name: frozenset(words) for name, words in found.items()}


class Compounds:
    """Splits a word into roots, partners and endings."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        parts = read_parts()
        self._partners, self._endings = parts["partners"], parts["endings"]
        self._glued = parts["partners"] | parts["common"]
        self._roots = {root: numbers[root] for root in parts["roots"] if root in numbers}
        self._any_root = ahocorasick.Automaton()
        for root, number in self._roots.items():
            self._any_root.add_word(root, number)
        if self._roots:
            self._any_root.make_automaton()

    def find(self, word: str) -> Sequence[int]:
        """The number of the root's term, where the word is a compound with one."""
        if len(word) < LEAST or not self._roots or next(self._any_root.iter(word), None) is None:
            return ()
        # For each place that parts reach: a root's number among them (or -1), and how many they are (2: or more).
        reached: list[set[tuple[int, int]]] = [set() for _ in range(len(word) + 1)]
        reached[0].add((-1, 0))
        for start in range(len(word)):
            for before, parts in reached[start]:
                for end in range(start + 2, min(start + LONGEST_PART, len(word)) + 1):
                    number = self._part(word[start:end])
                    if number is not None:
                        reached[end].add((max(before, number), min(parts + 1, 2)))
        for end in range(len(word), LEAST - 2, -1):
            if end == len(word) or word[end:] in self._endings:
                found = [number for number, parts in reached[end] if number >= 0 and parts == 2]
                if found:
                    return (max(found),)
        return ()

    def pair(self, first: str, second: str) -> Sequence[int]:
        """Likewise of two words of which one is a root."""
        for root, other in ((first, second), (second, first)):
            if root in self._roots and (other in self._partners or other in self._roots):
                return (self._roots[root],)
        return ()

    def _part(self, piece: str) -> int | None:
        root = self._roots.get(piece)
        if root is not None:
            return root
        return -1 if piece in self._glued else None
