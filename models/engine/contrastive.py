"""Contrastive search: of the likeliest tokens the one that repeats least of what the text says already.

Each of the `top_k` likeliest tokens v is read by the model. Taken is the one with the highest
``(1 - alpha) * p(v) - alpha * max_j cos(h_v, h_j)``, where h are the last layer's hidden states, behind its norm, of v
and of all tokens before it (Su et al. 2022, "A Contrastive Framework for Neural Text Generation",
https://arxiv.org/abs/2202.06417, equation 5; with `penalty_alpha` as transformers 4 had it).
"""

from __future__ import annotations

import torch
from torch.nn.functional import normalize

from models.engine.events import Event
from models.engine.params import ContrastiveParams
from models.engine.row import Row


class Contrastive:
    """One row. Have the model read all `candidates` side by side, call `advance`, go on with `chosen`."""

    def __init__(self, params: ContrastiveParams, row: Row) -> None:
        self._params = params
        self._row = row
        self._context = torch.empty(0)  # [tokens, hidden], each of length 1
        self._logits = torch.empty(0)  # [vocab], of the next token
        self._chances = torch.empty(0)  # [candidates]
        self.candidates: list[int] = []
        self.chosen = 0

    @property
    def is_over(self) -> bool:
        return self._row.is_over

    def begin(self, hidden: torch.Tensor, logits: torch.Tensor) -> None:
        """Takes the prompt's `hidden` states [tokens, hidden] and the raw `logits` [vocab] behind it."""
        self._context = normalize(hidden.float(), dim=-1)
        self._propose(logits)

    def advance(self, hidden: torch.Tensor, logits: torch.Tensor) -> list[Event]:
        """Chooses, from the candidates' own `hidden` states [candidates, hidden] and `logits` [candidates, vocab]."""
        states = normalize(hidden.float(), dim=-1)
        likeness = (states @ self._context.T).amax(-1)
        alpha = self._params.alpha
        scores = (1 - alpha) * self._chances - alpha * likeness
        if not bool(torch.isfinite(scores).all()):
            raise ArithmeticError("the model's output holds numbers that are not finite, so no token can be chosen")
        self.chosen = int(scores.argmax())
        events = self._row.accept(self.candidates[self.chosen], self._logits)
        self._context = torch.cat((self._context, states[self.chosen][None]))
        self._propose(logits[self.chosen])
        return events

    def _propose(self, logits: torch.Tensor) -> None:
        self._logits = logits
        scores = logits.float().clone()
        self._row.sampler.adjust(scores)
        self._chances, ids = torch.softmax(scores, -1).topk(min(self._params.top_k, len(scores)))
        self.candidates = ids.tolist()
