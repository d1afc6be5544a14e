"""How the next token is drawn: the exact distribution, one seeded generator per row.

The order of the steps is that of transformers' `generate`: penalties, temperature, top-k, top-p, min-p. After sorting
by probability every one of the three truncations keeps a prefix of the list, so a draw is: find the length of that
prefix, then invert its cumulative distribution at one uniform number. Only the head of the list is sorted unless the
draw needs more, which gives the same answer and spares most of the sort over a large vocabulary.

Each row owns a CPU generator and takes exactly one number from it per token, so its text depends neither on how many
rows run beside it nor on the device's random numbers. (The logits themselves may differ in their last bits between
batch shapes; that can only matter where the drawn number lies within rounding of a border between two tokens.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch

from models.engine.params import SamplingParams

_HEAD = 1024  # tokens that are sorted first


class RowSampler:
    """Draws the tokens of one row and remembers what its penalties need."""

    def __init__(self, params: SamplingParams, seed: int, prompt_ids: Sequence[int]) -> None:
        self._params = params
        self._generator = torch.Generator(device="cpu").manual_seed(seed)
        self._prompt_ids = frozenset(prompt_ids)
        self._counts: Counter[int] = Counter()

    def draw(self, logits: torch.Tensor) -> int:
        """The next token, given the model's logits [vocab] as float32; `logits` is left as it was."""
        scores = self._penalised(logits)
        highest = scores.max()
        if not bool(torch.isfinite(highest)):  # the maximum is NaN where any score is
            raise ArithmeticError("the model's output holds no finite maximum, so no token can be drawn")
        if self._params.temperature == 0:
            token = int(scores.argmax())
        else:
            uniform = float(torch.rand((), generator=self._generator, dtype=torch.float64))
            # Measured from the highest score, no temperature can overflow.
            token = pick((scores - highest) / self._params.temperature, self._params, uniform)
        self._counts[token] += 1
        return token

    def _penalised(self, logits: torch.Tensor) -> torch.Tensor:
        p = self._params
        if p.repetition_penalty != 1:
            seen = sorted(self._prompt_ids | self._counts.keys())
            if seen:
                logits = penalise_repetition(logits, seen, p.repetition_penalty)
        if (p.presence_penalty or p.frequency_penalty) and self._counts:
            ids = torch.tensor(list(self._counts), device=logits.device)
            times = torch.tensor(list(self._counts.values()), device=logits.device, dtype=logits.dtype)
            logits = logits.index_add(0, ids, -(p.presence_penalty + p.frequency_penalty * times))
        return logits


def penalise_repetition(logits: torch.Tensor, seen: Sequence[int], penalty: float) -> torch.Tensor:
    """Makes every token in `seen` less likely: a positive logit is divided, a negative one multiplied."""
    ids = torch.tensor(seen, device=logits.device)
    old = logits[ids]
    return logits.index_copy(0, ids, torch.where(old < 0, old * penalty, old / penalty))


def pick(scores: torch.Tensor, params: SamplingParams, uniform: float) -> int:
    """The token at `uniform` in [0, 1) of the truncated distribution, in order of falling probability.

    `scores` [vocab] are logits after penalties and temperature. Of tokens with equal scores at the border of top-k,
    exactly as many stay as fit.
    """
    probs = torch.softmax(scores, -1)
    head = min(probs.numel(), _HEAD)
    values, ids = torch.topk(probs, head)
    place = _place_in_prefix(values, params, uniform, is_whole=head == probs.numel())
    if place is None:
        values, ids = torch.sort(probs, descending=True, stable=True)
        place = _place_in_prefix(values, params, uniform, is_whole=True)
        assert place is not None  # noqa: S101  # a whole list always holds its own prefix
    return int(ids[place])


def _place_in_prefix(values: torch.Tensor, params: SamplingParams, uniform: float, *, is_whole: bool) -> int | None:
    """Where the draw falls in the sorted probabilities `values`; None if it may fall behind the end of this head."""
    size = values.numel()
    if not is_whole and params.top_k > size:
        return None
    mass = values.cumsum(0)
    top_k = params.top_k if 0 < params.top_k < size else size
    # Everything behind the head counts as well, unless top-k cuts it off.
    is_complete = is_whole or 0 < params.top_k <= size
    total = mass[top_k - 1] if is_complete else torch.ones_like(mass[-1])
    kept = min(
        top_k,
        int((values > 0).sum()),
        int(((mass - values) < params.top_p * total).sum()) if params.top_p < 1 else size,
        int((values >= params.min_p * values[0]).sum()) if params.min_p > 0 else size,
    )
    if kept == size and not is_complete:
        # The truncations did not end inside the head: with all tokens kept, the draw itself still may.
        if params.top_p < 1 or params.min_p > 0 or uniform >= float(mass[-1]):
            return None
        return _first_above(mass, uniform, size)
    return _first_above(mass, uniform * float(mass[kept - 1]), kept)


def _first_above(mass: torch.Tensor, target: float, kept: int) -> int:
    """Index of the first cumulative probability above `target`, within the first `kept`."""
    place = int(torch.searchsorted(mass, torch.tensor([target], dtype=mass.dtype, device=mass.device), right=True))
    return min(place, kept - 1)
