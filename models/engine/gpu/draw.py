"""The next token of each row without asking the host anything, so that it can be a part of a CUDA graph.

The distribution is that of `sampling` and `truncation`. With top-k a row sorts its likeliest `MAX_TOP_K` tokens.
Without, it draws from what min-p leaves of the whole distribution, and refuses what lies behind top-p, as
`truncation.pick_by_mass` does; but it does so a fixed number of times. A row that has refused every time gets
`UNDECIDED`: its state stays as it was, and the next step computes and draws for it again. What is accepted at any try
has exactly its share of what is kept, whatever was refused before, so this costs a step and changes no distribution. By
Poisson's law it happens to at most 1 token in 5,500 with top-p at 0.9, and in 600 at 0.8.

Each row brings `ROUNDS` numbers of its own generator to every step, used or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from models.engine.params import SamplingParams
from models.engine.truncation import BLOCK, drawn

ROUNDS = 3
MAX_TOP_K = 256
IN_PROMPT = 1 << 14
"""A bit of an int16, above a count of fewer tokens than this."""
UNDECIDED = -1
BROKEN = -2
"""The row's scores have no finite maximum."""

WISHES = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty")
_COLDEST = 1e-30


@dataclass(frozen=True)
class Wishes:
    """What each row asks for: [rows, 1] each, in float64."""

    temperature: torch.Tensor
    top_k: torch.Tensor
    top_p: torch.Tensor
    min_p: torch.Tensor
    repetition_penalty: torch.Tensor
    presence_penalty: torch.Tensor
    frequency_penalty: torch.Tensor

    @classmethod
    def of(cls, table: torch.Tensor) -> Wishes:
        """From a table [WISHES, rows]."""
        return cls(*table[..., None])


def listed(params: SamplingParams) -> list[float]:
    """A row's column of the table."""
    return [float(getattr(params, name)) for name in WISHES]


def has_penalties(params: SamplingParams) -> bool:
    """Whether the row's tokens must be counted."""
    return params.repetition_penalty != 1 or params.presence_penalty != 0 or params.frequency_penalty != 0


def draw(
    logits: torch.Tensor, wishes: Wishes, numbers: torch.Tensor, counts: torch.Tensor | None, *, has_top_k: bool
) -> torch.Tensor:
    """A token, `UNDECIDED` or `BROKEN` for each row [rows] of `logits` [rows, vocab].

    `numbers` [ROUNDS, rows] are uniform in [0, 1). `counts` [rows, vocab] is how often a row has had each token, plus
    `IN_PROMPT` where the prompt has it; None where nobody has penalties. Without `has_top_k`, no row may have a top-k.
    """
    num_rows, vocab_size = logits.shape
    scores = torch.full((num_rows, -(-vocab_size // BLOCK) * BLOCK), -torch.inf, device=logits.device)
    scores[:, :vocab_size] = logits
    if counts is not None:
        scores[:, :vocab_size] = _penalised(scores[:, :vocab_size], counts, wishes)
    highest, token = scores.max(-1, keepdim=True)
    is_broken = ~torch.isfinite(highest)  # the maximum is NaN where any score is
    is_settled = (wishes.temperature == 0) | is_broken
    heat = wishes.temperature.clamp_min(_COLDEST).masked_fill(is_settled, 1.0).float()
    scores = ((scores - highest) / heat).masked_fill(is_broken, 0.0)
    if has_top_k:
        is_counted = wishes.top_k > 0
        token = torch.where(is_counted & ~is_settled, _among_likeliest(scores, wishes, numbers[0]), token)
        is_settled = is_settled | is_counted
    token, is_settled = _by_mass(scores, wishes, numbers, token, is_settled)
    return token.masked_fill(~is_settled, UNDECIDED).masked_fill(is_broken, BROKEN)[:, 0]


def _penalised(scores: torch.Tensor, counts: torch.Tensor, wishes: Wishes) -> torch.Tensor:
    """As `RowSampler.adjust`: repetition over prompt and text, the others over the text."""
    repetition, presence, frequency = (
        wish.float() for wish in (wishes.repetition_penalty, wishes.presence_penalty, wishes.frequency_penalty)
    )
    repeated = torch.where(scores < 0, scores * repetition, scores / repetition)
    times = (counts & (IN_PROMPT - 1)).float()
    return torch.where(counts != 0, repeated, scores) - (times > 0) * presence - times * frequency


def _among_likeliest(scores: torch.Tensor, wishes: Wishes, numbers: torch.Tensor) -> torch.Tensor:
    """As `truncation.pick_among_likeliest`; for rows without a top-k some token or other."""
    values, ids = scores.topk(min(MAX_TOP_K, scores.shape[-1]), -1)
    ranks = torch.arange(values.shape[-1], device=scores.device)
    values = values.masked_fill(ranks >= wishes.top_k.clamp_min(1), -torch.inf)
    probs = torch.softmax(values.double(), -1)
    kept = (probs.cumsum(-1) - probs < wishes.top_p) | (ranks == 0)
    kept &= probs >= wishes.min_p * probs[:, :1]
    cumulative = (probs * kept).cumsum(-1)
    last = cumulative[:, -1:]
    targets = torch.minimum(numbers[:, None] * last, torch.nextafter(last, torch.zeros_like(last)))
    return ids.gather(1, (cumulative <= targets).sum(-1, keepdim=True))


def _by_mass(
    scores: torch.Tensor, wishes: Wishes, numbers: torch.Tensor, token: torch.Tensor, is_settled: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A token for each row that is not settled, and who is settled now; both [rows, 1]."""
    probs = torch.softmax(scores, -1)
    least = (wishes.min_p * probs.amax(-1, keepdim=True)).float()
    weights = torch.where(probs >= least, probs, 0)
    ids = torch.arange(probs.shape[-1], device=probs.device)
    ahead = weights
    for number, round_numbers in enumerate(numbers):
        if number > 0:
            weights = torch.where(is_settled, weights, ahead)
        found = drawn(weights, round_numbers[:, None])
        chance = probs.gather(1, found)
        # Whatever is ahead of a token that min-p keeps is kept by min-p too.
        ahead = torch.where((probs > chance) | ((probs == chance) & (ids < found)), probs, 0)
        is_inside = (wishes.top_p == 1) | (ahead.sum(-1, keepdim=True, dtype=torch.float64) < wishes.top_p)
        token = torch.where(is_settled, token, found)
        is_settled = is_settled | is_inside
    return token, is_settled
