"""Banned phrases: found in a row's text at the letter that completes them, whatever tokens they are spelled by.

All phrases are followed at once, a letter at a time (Aho and Corasick 1975, https://doi.org/10.1145/360825.360855). The
state of that search is one number, which also says how many of the last letters may become a phrase: they are not
shown yet. So a row can go back to where the phrase begins and take another token there, and nothing that was shown is
taken back. (`row` does that. ExLlamaV2's "banned strings" and https://github.com/sam-paech/antislop-sampler work so.)

Only generated text is looked at: what begins in the prompt and ends behind it is no phrase.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

MAX_BACK_UPS = 64
"""So often a row goes back without anything new to show; then it ends, with `FinishReason.BANNED_PHRASE`."""


class PhraseTree:
    """The phrases of a request. States are numbers from 0, where nothing agrees; `depth[state]` letters agree.

    `found[state]` is the length of the shortest phrase that is complete there, 0 where none is.
    """

    def __init__(self, phrases: Iterable[str], *, is_case_sensitive: bool = False) -> None:
        self._is_case_sensitive = is_case_sensitive
        self._next: list[dict[str, int]] = [{}]
        self._shorter = [0]  # the state of the longest end that is a beginning too
        self.depth = [0]
        self.found = [0]
        for phrase in phrases:
            self._add(phrase)
        self._link()

    def step(self, state: int, letter: str) -> int:
        """The state after one more letter of the text."""
        letter = self._fold(letter)
        while state and letter not in self._next[state]:
            state = self._shorter[state]
        return self._next[state].get(letter, 0)

    def _add(self, phrase: str) -> None:
        state = 0
        for letter in map(self._fold, phrase):
            if letter not in self._next[state]:
                self._next[state][letter] = len(self._next)
                self._next.append({})
                self._shorter.append(0)
                self.depth.append(self.depth[state] + 1)
                self.found.append(0)
            state = self._next[state][letter]
        self.found[state] = self.depth[state]

    def _link(self) -> None:
        """From the shallow states to the deep ones, since a longest end is shallower."""
        waiting = deque(self._next[0].values())
        while waiting:
            state = waiting.popleft()
            for letter, after in self._next[state].items():
                self._shorter[after] = self.step(self._shorter[state], letter)
                self.found[after] = self.found[self._shorter[after]] or self.found[after]
                waiting.append(after)

    def _fold(self, letter: str) -> str:
        return letter if self._is_case_sensitive else fold_text(letter)


def fold_text(text: str) -> str:
    """Without case, letter by letter, so that places in the text stay what they are: ß is no ss."""
    return "".join(folded if len(folded := letter.casefold()) == 1 else letter for letter in text)
