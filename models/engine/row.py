"""One candidate being written: turns its tokens into text, finds its end."""

from __future__ import annotations

from collections import deque

import torch

from models.engine.checkpoint import Checkpoint
from models.engine.detokenize import Detokenizer
from models.engine.dry import Breakers, Dry, marked
from models.engine.events import Delta, Event, FinishReason, RowFinished, TokenLogprob
from models.engine.logprobs import describe_token
from models.engine.params import row_seed
from models.engine.request import Request
from models.engine.sampling import RowSampler
from models.engine.stops import StopFinder


class Row:
    """`last_token` is what the model reads next; after `is_over` there is nothing more to read."""

    def __init__(
        self, request: Request, index: int, checkpoint: Checkpoint, end_ids: frozenset[int], dry: Dry | None = None
    ) -> None:
        self._request = request
        self._index = index
        self._tokenizer = checkpoint.tokenizer
        self._end_ids = end_ids
        self._seed = row_seed(request.seed, index)
        self.sampler = RowSampler(request.sampling, self._seed, request.prompt_ids, dry)
        self._text = Detokenizer(checkpoint.tokenizer, request.prompt_ids)
        self._stops = StopFinder(request.stop)
        self._num_shown = 0
        # Tokens wait here, with the place where their text begins, until that text is shown.
        self._unshown: deque[tuple[int, int, TokenLogprob | None]] = deque()
        self.num_tokens = 0
        self.last_token = -1
        self.is_over = False

    def accept(self, token: int, logits: torch.Tensor) -> list[Event]:
        """Goes on with `token`, drawn from raw `logits` [vocab], and says what became of it."""
        self.sampler.accept(token)
        self.last_token = token
        self.num_tokens += 1
        if token in self._end_ids:
            return self._end_whole(FinishReason.STOP)
        offset = self._text.num_chars
        self._unshown.append((offset, token, self._logprob(logits, token, offset)))
        scan = self._stops.push(self._text.push(token))
        if scan.is_stopped:
            return [*self._show(scan.text), self._end(FinishReason.STOP)]
        if self.num_tokens == self._request.max_tokens:
            return [*self._show(scan.text), *self._end_whole(FinishReason.LENGTH)]
        return self._show(scan.text)

    def end_unwritten(self) -> RowFinished:
        """The end of a row of which nothing was asked."""
        return self._end(FinishReason.LENGTH)

    def _logprob(self, logits: torch.Tensor, token: int, offset: int) -> TokenLogprob | None:
        if self._request.num_logprobs is None:
            return None
        return describe_token(self._tokenizer, logits, token, self._request.num_logprobs, offset)

    def _end_whole(self, reason: FinishReason) -> list[Event]:
        """Ends with all that was held back, unless that completes a stop string."""
        scan = self._stops.push(self._text.flush())
        if scan.is_stopped:
            return [*self._show(scan.text), self._end(FinishReason.STOP)]
        return [*self._show(scan.text + self._stops.flush(), is_last=True), self._end(reason)]

    def _end(self, reason: FinishReason) -> RowFinished:
        self.is_over = True
        return RowFinished(self._request.id, self._index, reason, self._seed, self.num_tokens)

    def _show(self, text: str, *, is_last: bool = False) -> list[Event]:
        self._num_shown += len(text)
        shown = []
        while self._unshown and (is_last or self._unshown[0][0] < self._num_shown):
            shown.append(self._unshown.popleft())
        if not text and not shown:
            return []
        logprobs = tuple(logprob for _, _, logprob in shown if logprob is not None)
        return [Delta(self._request.id, self._index, text, tuple(token for _, token, _ in shown), logprobs)]


def make_rows(request: Request, checkpoint: Checkpoint) -> list[Row]:
    """The rows of a request, at their beginning."""
    end_ids = checkpoint.end_ids | special_stops(request, checkpoint)
    dries: list[Dry | None] = [None] * request.n
    p = request.sampling
    if p.dry_multiplier and p.dry_penalty_last_n:
        breakers = Breakers(checkpoint.tokenizer, p.dry_sequence_breakers)
        text, before = marked(breakers, request.prompt_ids)
        dries = [Dry(p, breakers, text, before) for _ in range(request.n)]
    return [Row(request, index, checkpoint, end_ids, dry) for index, dry in enumerate(dries)]


def special_stops(request: Request, checkpoint: Checkpoint) -> frozenset[int]:
    """Stop strings that are special tokens: they add no text in which they could be found."""
    special = {str(token): i for i, token in checkpoint.tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(special[stop] for stop in request.stop if stop in special)
