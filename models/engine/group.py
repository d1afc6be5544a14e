"""The rows of one request over one shared prompt.

The prompt goes through the model once; its keys and values are then copied for the n rows, which decode as a batch
without padding, because all of them are equally long. A row that ends leaves the batch. Row selection goes through
the cache's `reorder_cache`, which every kind of transformers cache (full, sliding, linear, hybrid) knows.

A row that goes back for a banned phrase is no longer as long as the others, so it gets a batch of its own: with its
cache cut, where it was alone in the batch and the cache is a plain one, else by reading its text again.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import torch
from transformers.cache_utils import DynamicLayer

from models.engine.checkpoint import Checkpoint, keeps_logits
from models.engine.events import Event, Prefilled, TokenLogprob
from models.engine.logprobs import describe_prompt
from models.engine.request import Request
from models.engine.row import Row, make_rows
from models.engine.sampling import draw


@dataclass
class Strand:
    """Rows of the same length and transformers' Cache of all but their last tokens; None where it is to be read."""

    rows: list[Row]
    cache: Any = None


class Group:
    """Call `step` until `is_over`; each is one forward pass. With `wants_hidden` each leaves `hidden` states."""

    wants_hidden = False

    def __init__(self, request: Request, checkpoint: Checkpoint) -> None:
        self.hidden = torch.empty(0)  # [rows, positions, hidden]: the last layer's, behind its norm
        self.request = request
        self._checkpoint = checkpoint
        self._rows = make_rows(request, checkpoint)
        self._strands = deque([Strand(list(self._rows))])
        self._is_begun = False

    @property
    def is_over(self) -> bool:
        return not self._strands

    @property
    def num_generated(self) -> int:
        return sum(row.num_tokens for row in self._rows)

    @torch.inference_mode()
    def step(self) -> list[Event]:
        """One strand after the other."""
        strand = self._strands.popleft()
        events = self._decode(strand) if self._is_begun else self._prefill(strand)
        if strand.rows:
            self._strands.append(strand)
        return events

    def _prefill(self, strand: Strand) -> list[Event]:
        self._is_begun = True
        prompt = list(self.request.prompt_ids)
        logits = self._forward(strand, [prompt], is_all_wanted=self.request.prompt_logprobs)
        events: list[Event] = [Prefilled(self.request.id, len(prompt), self._prompt_logprobs(logits[0]))]
        if self.request.max_tokens == 0:
            strand.rows = []
            return [*events, *(row.end_unwritten() for row in self._rows)]
        if len(strand.rows) > 1:
            self._select(strand, [0] * len(strand.rows))
        return [*events, *self._advance(strand, logits[:, -1].expand(len(strand.rows), -1))]

    def _decode(self, strand: Strand) -> list[Event]:
        if strand.cache is None:
            ids = [[*self.request.prompt_ids, *row.tokens] for row in strand.rows]
        else:
            ids = [[row.last_token] for row in strand.rows]
        return self._advance(strand, self._forward(strand, ids)[:, -1])

    def _forward(self, strand: Strand, ids: list[list[int]], *, is_all_wanted: bool = False) -> torch.Tensor:
        """Logits [rows, positions, vocab]: of the last position, or of all."""
        model = self._checkpoint.model
        keep = {"logits_to_keep": 1} if not is_all_wanted and keeps_logits(model) else {}
        batch = torch.tensor(ids, device=self._checkpoint.device)
        if self.wants_hidden:
            keep["output_hidden_states"] = True
        output = model(input_ids=batch, past_key_values=strand.cache, use_cache=True, **keep)
        if output.past_key_values is None:
            raise RuntimeError(f"{type(model).__name__} gave no cache, so it cannot write on from what it has read")
        strand.cache = output.past_key_values
        if self.wants_hidden:
            self.hidden = output.hidden_states[-1]
        logits: torch.Tensor = output.logits
        return logits

    def _advance(self, strand: Strand, logits: torch.Tensor) -> list[Event]:
        """One token for each row, from `logits` [rows, vocab]; rows that end or went back leave the batch."""
        num_read = strand.rows[0].num_tokens
        events: list[Event] = []
        asking = strand.rows
        while asking:
            tokens = draw([row.sampler for row in asking], [logits])
            for row, token, scores in zip(asking, tokens, logits, strict=True):
                events += row.accept(token, scores)
            again = [(row, row.again) for row in asking if row.again is not None]
            asking = [row for row, _ in again]
            logits = torch.stack([scores for _, scores in again]) if again else logits
        self._sort_out(strand, num_read)
        return events

    def _sort_out(self, strand: Strand, num_read: int) -> None:
        """Keeps the rows of which the cache holds all but the last token; it holds `num_read` generated ones."""
        live = [i for i, row in enumerate(strand.rows) if not row.is_over]
        staying = [i for i in live if strand.rows[i].num_tokens == num_read + 1]
        behind = [strand.rows[i] for i in live if i not in staying]
        if len(strand.rows) == len(behind) == 1 and _is_plain(strand.cache):
            strand.cache.crop(behind[0].num_tokens - 1 - num_read)
            return
        self._strands.extend(Strand([row]) for row in behind)
        if staying and len(staying) < len(strand.rows):
            self._select(strand, staying)
        strand.rows = [strand.rows[i] for i in staying]

    def _select(self, strand: Strand, rows: list[int]) -> None:
        """Makes row i of the cache a copy of what row `rows[i]` was."""
        strand.cache.reorder_cache(torch.tensor(rows, device=self._checkpoint.device))

    def _prompt_logprobs(self, logits: torch.Tensor) -> tuple[TokenLogprob, ...]:
        if not self.request.prompt_logprobs:
            return ()
        num_top = self.request.num_logprobs or 0
        return describe_prompt(self._checkpoint.tokenizer, logits, self.request.prompt_ids, num_top)


def _is_plain(cache: Any) -> bool:
    """Whether the last tokens can be cut off it: a window or a state has forgotten what was before."""
    layers = getattr(cache, "layers", ())
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)
