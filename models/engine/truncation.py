"""Drawing from what top-k, top-p and min-p leave of a distribution, exactly and without sorting the vocabulary.

In the order of falling probability (of equals, the lower id first) each of the three keeps a beginning of the list.
With top-k that beginning is short, and is sorted. Without it a token is drawn from the whole distribution and looked
up: where the tokens before it already hold top-p of the mass, or it is below min-p, it is refused, and another is drawn
from those before it. What is accepted has exactly its share of what is kept (FlashInfer's samplers work that way,
https://flashinfer.ai/2025/03/10/sampling.html). Few rounds are needed, since each takes away all that lies behind the
refused token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from models.engine.params import SamplingParams

BLOCK = 256
"""Probabilities are summed by blocks of so many, so that finding one among all takes two short looks."""

_BELOW_ONE = 1 - 2**-24
"""The float32 before 1: a quotient is above it just where it is at least 1."""

Uniform = Callable[[], float]
"""The next number in [0, 1) of a row's own generator."""


def pick_among_likeliest(
    scores: torch.Tensor, params: Sequence[SamplingParams], uniforms: Sequence[Uniform]
) -> list[int]:
    """For rows with a top-k: a token for each of `scores` [rows, vocab], which have had their temperature.

    Of tokens with equal scores at the border of top-k, exactly as many stay as fit.
    """
    device = scores.device
    most = min(max(p.top_k for p in params), scores.shape[-1])
    values, ids = scores.topk(most, -1)
    ranks = torch.arange(most, device=device)
    values = values.masked_fill(ranks >= _column([p.top_k for p in params], device), -torch.inf)
    probs = torch.softmax(values.double(), -1)
    before = probs.cumsum(-1) - probs
    kept = (before < _column([p.top_p for p in params], device)) | (ranks == 0)
    kept &= probs >= _column([p.min_p for p in params], device) * probs[:, :1]
    cumulative = (probs * kept).cumsum(-1)
    places = invert(cumulative, _numbers(uniforms, device) * cumulative[:, -1:])
    return [int(token) for token in ids.gather(1, places)[:, 0]]


def pick_by_mass(scores: torch.Tensor, params: Sequence[SamplingParams], uniforms: Sequence[Uniform]) -> list[int]:
    """For rows without a top-k: as `pick_among_likeliest`, with `scores` [rows, a multiple of `BLOCK`]."""
    probs = torch.softmax(scores, -1)
    tokens = drawn(probs, uniforms)
    picked: list[int] = tokens[:, 0].tolist()
    if all(p.top_p == 1 and p.min_p == 0 for p in params):
        return picked
    chances = probs.gather(1, tokens)
    # All of the token's equals are counted as if they were before it; rows that this refuses are looked at again.
    inside = (_multiples(probs, chances) - 1) * chances < _column([p.top_p for p in params], scores.device)
    inside &= chances >= _column([p.min_p for p in params], scores.device) * probs.amax(-1, keepdim=True)
    for row, is_inside in enumerate(inside[:, 0].tolist()):
        if not is_inside:
            picked[row] = _redrawn(probs[row], params[row], uniforms[row], picked[row])
    return picked


def _multiples(probs: torch.Tensor, chances: torch.Tensor) -> torch.Tensor:
    """The sum [rows, 1] of all that is at least the row's chance, in multiples of that.

    As a threshold at 1, because torch compares with one number for all rows several times sooner than it selects.
    """
    ratios = probs / chances
    return torch.threshold_(ratios, _BELOW_ONE, 0.0).sum(-1, keepdim=True)


def _redrawn(probs: torch.Tensor, params: SamplingParams, uniform: Uniform, token: int) -> int:
    """The token, where it is kept; else another, drawn from those before it, until one is. `probs` [vocab]."""
    least = params.min_p * float(probs.max())
    while True:
        chance = probs[token]
        ahead = torch.where(probs > chance, probs, 0)
        ahead[:token] += torch.where(probs[:token] == chance, chance, 0)
        mass = float(ahead.sum(dtype=torch.float64))
        # The likeliest is always kept: nothing is ahead of it, and that sum is exactly 0.
        if (params.top_p == 1 or mass < params.top_p) and float(chance) >= least:
            return token
        token = int(drawn(ahead[None], [uniform])[0, 0])


def drawn(weights: torch.Tensor, uniforms: Sequence[Uniform] | torch.Tensor) -> torch.Tensor:
    """A place [rows, 1] for each row of `weights` [rows, a multiple of `BLOCK`], with a chance that is its weight."""
    blocks = weights.view(len(weights), -1, BLOCK)
    cumulative = blocks.sum(-1).double().cumsum(-1)
    targets = _numbers(uniforms, weights.device) * cumulative[:, -1:]
    found = invert(cumulative, targets)
    inside = blocks.gather(1, found[..., None].expand(-1, 1, BLOCK))[:, 0].double().cumsum(-1)
    ends = cumulative.gather(1, found)
    begins = torch.where(found > 0, cumulative.gather(1, (found - 1).clamp_min(0)), 0.0)
    # As a share of the block, because its sum as a float32 is not quite that of its parts.
    return found * BLOCK + invert(inside, (targets - begins) / (ends - begins) * inside[:, -1:])


def invert(cumulative: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The first place [rows, 1] at which `cumulative` [rows, n] is above `targets` [rows, 1]: its weight is not 0."""
    last = cumulative[:, -1:]
    below = torch.nextafter(last, torch.zeros_like(last))
    return torch.searchsorted(cumulative, torch.minimum(targets, below), right=True)


def _numbers(uniforms: Sequence[Uniform] | torch.Tensor, device: torch.device) -> torch.Tensor:
    """[rows, 1]; numbers that are drawn already go through."""
    if isinstance(uniforms, torch.Tensor):
        return uniforms
    return torch.tensor([[uniform()] for uniform in uniforms], device=device, dtype=torch.float64)


def _column(values: Sequence[float], device: torch.device) -> torch.Tensor:
    return torch.tensor(values, device=device, dtype=torch.float64)[:, None]
