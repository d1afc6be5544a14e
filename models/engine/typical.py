"""Locally typical sampling: only tokens that say about as much as the distribution says on average.

Of what top-k, top-p and min-p leave, those are kept whose information -log p is nearest to the entropy, until they hold
`typical_p` of the mass (Meister et al. 2022, https://arxiv.org/abs/2202.00666; transformers' TypicalLogitsWarper, in
its place behind the others). The order is that of a distance and not of probability, so a row that asks for it is
sorted; the others do not pay for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from models.engine.params import SamplingParams
from models.engine.truncation import Uniform, invert


def pick_typical(scores: torch.Tensor, params: Sequence[SamplingParams], uniforms: Sequence[Uniform]) -> list[int]:
    """A token for each of `scores` [rows, vocab], which have had their temperature."""
    return [_pick(*each) for each in zip(scores, params, uniforms, strict=True)]


def _pick(scores: torch.Tensor, params: SamplingParams, uniform: Uniform) -> int:
    values, ids = scores.sort(descending=True, stable=True)
    if params.top_k:
        values = values[: params.top_k]
    probs = torch.softmax(values.double(), -1)
    is_kept = (probs.cumsum(-1) - probs < params.top_p) & (probs >= params.min_p * probs[0]) & (probs > 0)
    is_kept[0] = True
    probs = probs * is_kept
    probs = probs[: int(is_kept.sum())]  # each of the three keeps a beginning of the list
    probs = probs * is_typical(probs / probs.sum(), params.typical_p)
    cumulative = probs.cumsum(-1)[None]
    target = torch.tensor([[uniform()]], device=scores.device, dtype=torch.float64) * cumulative[:, -1:]
    return int(ids[invert(cumulative, target)[0, 0]])


def is_typical(probs: torch.Tensor, mass: float) -> torch.Tensor:
    """Which of `probs` [n], all above 0 and 1 together, are typical. Of equal distances all are, as in transformers."""
    information = -probs.log()
    distance = (information - (probs * information).sum()).abs()
    nearest, order = distance.sort(stable=True)
    num_before = int((probs[order].cumsum(-1) < mass).sum())
    return distance <= nearest[min(num_before, len(nearest) - 1)]
