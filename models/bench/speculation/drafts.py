"""Who guesses the next tokens: copies of what the text has had already, counts over it, or half of the model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import torch

from models.bench.speculation.texts import Text


@dataclass(frozen=True)
class Guess:
    """One guessed token against the target's distribution p, for a guess drawn from q.

    `overlap` is the sum of min(p, q): how probably the guess is accepted. `accepts` is min(1, q/p) at the token that
    the text has there: how probably an accepted guess is what brought it.
    """

    overlap: float
    accepts: float


class Draft(Protocol):
    """`guesses` are those behind the first `start` tokens of a text, at most `k`, each given that the ones before it
    were accepted. `share_of_step` is the time of one guess in steps of the model.
    """

    @property
    def name(self) -> str: ...

    @property
    def share_of_step(self) -> float: ...

    def guesses(self, text: Text, start: int, k: int) -> list[Guess]: ...


def weigh(draft: Mapping[int, float], target: torch.Tensor, token: int) -> Guess:
    """A guess from a distribution with few tokens; `target` is [vocab]."""
    overlap = sum(min(float(target[i]), share) for i, share in draft.items())
    actual = float(target[token])
    return Guess(overlap, min(1.0, draft.get(token, 0.0) / actual) if actual > 0 else 0.0)


@dataclass(frozen=True)
class Lookup:
    """Prompt lookup: where the last tokens (at most `longest` of them) have stood before, what followed is copied.

    The latest place counts. https://github.com/apoorvumang/prompt-lookup-decoding
    """

    longest: int
    share_of_step: float = 0.0

    @property
    def name(self) -> str:
        return f"prompt lookup, {self.longest}-gram"

    def guesses(self, text: Text, start: int, k: int) -> list[Guess]:
        copied = follow(text.ids, start, self.longest, k)
        places = range(start - text.start, len(text.target))
        return [
            weigh({token: 1.0}, text.target[place], text.ids[text.start + place])
            for token, place in zip(copied, places, strict=False)
        ]


def follow(ids: tuple[int, ...], start: int, longest: int, k: int) -> Sequence[int]:
    """At most `k` tokens behind the latest earlier place of the longest ending of the first `start` that has one."""
    place = _find(ids[:start], longest)
    return () if place is None else ids[place : min(place + k, start)]


@lru_cache(maxsize=1 << 14)
def _find(known: tuple[int, ...], longest: int) -> int | None:
    for length in range(min(longest, len(known) - 1), 0, -1):
        ending, last = known[-length:], known[-1]
        for end in range(len(known) - 1, length - 1, -1):
            if known[end - 1] == last and known[end - length : end] == ending:
                return end
    return None


class Counts:
    """An n-gram model of the text so far: what followed the longest ending that has been followed by anything.

    `is_sampled` guesses are drawn by the counts, others are the most frequent token.
    """

    share_of_step = 0.0

    def __init__(self, longest: int, *, is_sampled: bool) -> None:
        self._longest = longest
        self._is_sampled = is_sampled
        self._text: Text | None = None
        self._known = 0
        self._followers: dict[tuple[int, ...], Counter[int]] = {}

    @property
    def name(self) -> str:
        return f"counts, {self._longest + 1}-gram, {'drawn' if self._is_sampled else 'most frequent'}"

    def guesses(self, text: Text, start: int, k: int) -> list[Guess]:
        guessed = []
        for place in range(start, min(start + k, text.start + len(text.target))):
            draft = self._next(text, place)
            if not draft:
                break
            guessed.append(weigh(draft, text.target[place - text.start], text.ids[place]))
        return guessed

    def _next(self, text: Text, place: int) -> dict[int, float]:
        """The distribution behind the first `place` tokens."""
        self._learn(text, place)
        for length in range(min(self._longest, place), 0, -1):
            followers = self._followers.get(text.ids[place - length : place])
            if followers:
                return self._shares(followers)
        return {}

    def _shares(self, followers: Counter[int]) -> dict[int, float]:
        if not self._is_sampled:
            return {followers.most_common(1)[0][0]: 1.0}
        total = followers.total()
        return {token: count / total for token, count in followers.items()}

    def _learn(self, text: Text, place: int) -> None:
        """Counts what the first `place` tokens hold, and no more: another place further back begins anew."""
        if text is not self._text or place < self._known:
            self._text, self._known, self._followers = text, 0, defaultdict(Counter)
        for end in range(self._known, place):
            for length in range(1, min(self._longest, end) + 1):
                self._followers[text.ids[end - length : end]][text.ids[end]] += 1
        self._known = place


@dataclass(frozen=True)
class EarlyExit:
    """The first half of the layers, then the head. Each guess costs half a step, and the head is not counted."""

    name: str = "half of the layers"
    share_of_step: float = 0.5

    def guesses(self, text: Text, start: int, k: int) -> list[Guess]:
        first = start - text.start
        target, early = text.target[first : first + k], text.early[first : first + k]
        overlaps = torch.minimum(target, early).sum(-1).tolist()
        tokens = torch.tensor(text.ids[start : start + len(target)])[:, None]
        actual, guessed = target.gather(1, tokens)[:, 0], early.gather(1, tokens)[:, 0]
        accepts = torch.where(actual > 0, (guessed / actual).clamp(max=1.0), 0.0).tolist()
        return [Guess(overlap, share) for overlap, share in zip(overlaps, accepts, strict=True)]


def all_drafts() -> list[Draft]:
    """Those that are tried."""
    lookups: list[Draft] = [Lookup(longest) for longest in (1, 2, 3, 4)]
    counts: list[Draft] = [Counts(longest, is_sampled=drawn) for longest in (1, 2, 3) for drawn in (False, True)]
    return [*lookups, *counts, EarlyExit()]
