"""The rows of one request over one shared prompt.

The prompt goes through the model once; its keys and values are then copied for the n rows, which decode as a batch
without padding, because all of them are equally long. A row that ends leaves the batch. Row selection goes through
the cache's `reorder_cache`, which every kind of transformers cache (full, sliding, linear, hybrid) knows.
"""

from __future__ import annotations

from typing import Any

import torch

from models.engine.checkpoint import Checkpoint, keeps_logits
from models.engine.events import Event, Prefilled, TokenLogprob
from models.engine.logprobs import describe_prompt
from models.engine.request import Request
from models.engine.row import make_rows
from models.engine.sampling import draw


class Group:
    """Call `step` until `is_over`; each is one forward pass."""

    def __init__(self, request: Request, checkpoint: Checkpoint) -> None:
        self.request = request
        self._checkpoint = checkpoint
        self._rows = make_rows(request, checkpoint)
        self._live = list(self._rows)
        self._cache: Any = None  # transformers' Cache; None before the prompt was read

    @property
    def is_over(self) -> bool:
        return not self._live

    @property
    def num_generated(self) -> int:
        return sum(row.num_tokens for row in self._rows)

    @torch.inference_mode()
    def step(self) -> list[Event]:
        return self._prefill() if self._cache is None else self._decode()

    def _prefill(self) -> list[Event]:
        logits = self._forward([list(self.request.prompt_ids)], is_all_wanted=self.request.prompt_logprobs)
        prompt_logprobs = self._prompt_logprobs(logits[0])
        events: list[Event] = [Prefilled(self.request.id, len(self.request.prompt_ids), prompt_logprobs)]
        if self.request.max_tokens == 0:
            self._live = []
            return [*events, *(row.end_unwritten() for row in self._rows)]
        if len(self._live) > 1:
            self._select([0] * len(self._live))
        return [*events, *self._advance(logits[:, -1].expand(len(self._live), -1))]

    def _decode(self) -> list[Event]:
        return self._advance(self._forward([[row.last_token] for row in self._live])[:, -1])

    def _forward(self, ids: list[list[int]], *, is_all_wanted: bool = False) -> torch.Tensor:
        """Logits [rows, positions, vocab]: of the last position, or of all."""
        model = self._checkpoint.model
        keep = {"logits_to_keep": 1} if not is_all_wanted and keeps_logits(model) else {}
        batch = torch.tensor(ids, device=self._checkpoint.device)
        output = model(input_ids=batch, past_key_values=self._cache, use_cache=True, **keep)
        if output.past_key_values is None:
            raise RuntimeError(f"{type(model).__name__} gave no cache, so it cannot write on from what it has read")
        self._cache = output.past_key_values
        logits: torch.Tensor = output.logits
        return logits

    def _advance(self, logits: torch.Tensor) -> list[Event]:
        """One token for each live row, from `logits` [live rows, vocab]; rows that end leave the batch."""
        tokens = draw([row.sampler for row in self._live], [logits])
        events = [
            event
            for row, token, scores in zip(self._live, tokens, logits, strict=True)
            for event in row.accept(token, scores)
        ]
        staying = [i for i, row in enumerate(self._live) if not row.is_over]
        if staying and len(staying) < len(self._live):
            self._select(staying)
        self._live = [self._live[i] for i in staying]
        return events

    def _select(self, rows: list[int]) -> None:
        """Makes row i of the cache a copy of what row `rows[i]` was."""
        self._cache.reorder_cache(torch.tensor(rows, device=self._checkpoint.device))

    def _prompt_logprobs(self, logits: torch.Tensor) -> tuple[TokenLogprob, ...]:
        if not self.request.prompt_logprobs:
            return ()
        num_top = self.request.num_logprobs or 0
        return describe_prompt(self._checkpoint.tokenizer, logits, self.request.prompt_ids, num_top)
