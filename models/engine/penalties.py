"""What a row's earlier tokens cost it: repetition, presence and frequency penalties.

The distinct tokens and how often each was written are kept on the device. A step sends there only what is new, so its
cost does not grow with the prompt.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.engine.params import SamplingParams


class Penalties:
    """One row's. `repetition_penalty` covers the prompt and what was generated, the other two the latter only."""

    def __init__(self, params: SamplingParams, prompt_ids: Sequence[int]) -> None:
        self._params = params
        self._counts_presence = bool(params.presence_penalty or params.frequency_penalty)
        self._is_idle = params.repetition_penalty == 1 and not self._counts_presence
        self._written: list[int] = []
        prompt = dict.fromkeys(prompt_ids) if params.repetition_penalty != 1 else {}
        self._places = {token: place for place, token in enumerate(prompt)}
        self._num_prompt = len(self._places)
        self._ids = Mirrored(torch.long, self._places)
        self._times = Mirrored(torch.float32, [0] * self._num_prompt)

    def apply(self, scores: torch.Tensor) -> None:
        """Changes `scores` [vocab] in place."""
        if not self._places:
            return
        p, ids = self._params, self._ids.on(scores.device)
        if p.repetition_penalty != 1:
            penalise_repetition(scores, ids, p.repetition_penalty)
        if self._counts_presence and self._written:
            times = self._times.on(scores.device)
            scores.index_add_(0, ids, -(p.presence_penalty * (times > 0) + p.frequency_penalty * times))

    def accept(self, token: int) -> None:
        """The row goes on with this token."""
        if self._is_idle:
            return
        self._written.append(token)
        place = self._places.setdefault(token, len(self._places))
        if place == len(self._ids.values):
            self._ids.values.append(token)
            self._times.values.append(0)
        self._times.change(place, 1)

    def take_back(self, count: int) -> None:
        """The row's last `count` tokens were not written after all."""
        for _ in range(0 if self._is_idle else count):
            token = self._written.pop()
            place = self._places[token]
            self._times.change(place, -1)
            if self._times.values[place] == 0 and place >= self._num_prompt:
                # Tokens go in the order in which they came, so one that is gone was the last new one.
                del self._places[token]
                self._ids.cut(place)
                self._times.cut(place)


class Mirrored:
    """A list of numbers whose copy on the device follows it by what has changed."""

    def __init__(self, dtype: torch.dtype, values: Sequence[int] | dict[int, int]) -> None:
        self.values = list(values)
        self._dtype = dtype
        self._copy = torch.empty(0, dtype=dtype)
        self._num_copied = 0
        self._changed: set[int] = set()

    def change(self, place: int, by: int) -> None:
        """Adds to one of the values."""
        self.values[place] += by
        self._changed.add(place)

    def cut(self, length: int) -> None:
        """Keeps the first `length` values."""
        del self.values[length:]
        self._num_copied = min(self._num_copied, length)

    def on(self, device: torch.device) -> torch.Tensor:
        """All values [count]."""
        count = len(self.values)
        if count > len(self._copy) or self._copy.device != device:
            self._copy = torch.zeros(2 * count, device=device, dtype=self._dtype)
            self._num_copied = 0
        for place in self._changed:
            if place < self._num_copied:
                self._copy[place] = self.values[place]
        if count > self._num_copied:
            new = torch.tensor(self.values[self._num_copied :], dtype=self._dtype)
            self._copy[self._num_copied : count] = new.to(device)
        self._changed.clear()
        self._num_copied = count
        return self._copy[:count]


def penalise_repetition(scores: torch.Tensor, ids: torch.Tensor, penalty: float) -> None:
    """Makes the tokens `ids` less likely, in place: a positive score is divided, a negative one multiplied."""
    old = scores[ids]
    scores[ids] = torch.where(old < 0, old * penalty, old / penalty)
