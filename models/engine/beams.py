"""Beam search: the `width` likeliest texts go on side by side, and the best of those that ended are the answer.

Scores in, parents and tokens out; who computes the scores does not matter. The rules are those of transformers'
`generate(num_beams=…, do_sample=False)`, token by token: a finished text's score is its log-probability divided by its
length to the power of `length_penalty`, and `early_stopping` says when no better one is waited for
(transformers 5, generation/utils.py, `_beam_search`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch

from models.engine.checkpoint import Checkpoint
from models.engine.events import Event
from models.engine.params import BeamParams
from models.engine.request import Request
from models.engine.row import Row

_LOWEST = -1e9


class BeamSearch:
    """Call `advance` until `is_over`; then `best` are the texts. `tokens` are those that the beams in work have."""

    def __init__(self, params: BeamParams, max_tokens: int, end_ids: Collection[int]) -> None:
        self._params = params
        self._max_tokens = max_tokens
        self._end_ids = end_ids
        self._num_kept = max(2, 1 + len(end_ids)) * params.width
        self._scores: torch.Tensor | None = None  # [beams], of the beams in work
        self._finished: list[tuple[float, list[int]]] = []
        self.tokens: list[list[int]] = [[]]
        self.parents: list[int] = [0]
        self.is_over = False

    @property
    def best(self) -> list[list[int]]:
        """The finished texts, best first, with their end tokens."""
        return [tokens for _, tokens in self._finished]

    def advance(self, logprobs: torch.Tensor) -> None:
        """Takes the next token of each beam's possible continuations, from `logprobs` [beams, vocab].

        Afterwards beam i goes on with ``tokens[i]``, whose beginning was the text of beam ``parents[i]``.
        """
        sums = logprobs if self._scores is None else logprobs + self._scores[:, None]
        values, places = sums.flatten().topk(min(self._num_kept, sums.numel()))
        length, vocab_size = len(self.tokens[0]) + 1, logprobs.shape[-1]
        found = [divmod(place, vocab_size) for place in places.tolist()]
        is_end = [length == self._max_tokens or token in self._end_ids for _, token in found]
        self._finish(values, found, is_end, length)
        going_on = [i for i, ends in enumerate(is_end) if not ends][: self._params.width]
        if not going_on:
            self.is_over = True
            return
        self._scores = values[going_on]
        self.parents = [found[i][0] for i in going_on]
        self.tokens = [[*self.tokens[found[i][0]], found[i][1]] for i in going_on]
        self.is_over = not self._may_improve(float(self._scores[0]), length)

    def _finish(
        self, values: torch.Tensor, found: Sequence[tuple[int, int]], is_end: Sequence[bool], length: int
    ) -> None:
        """Only what is among the `width` best may be an answer; the rest is there so that enough go on."""
        scores = (values / length**self._params.length_penalty).tolist()
        for i in range(min(self._params.width, len(found))):
            if is_end[i]:
                beam, token = found[i]
                self._finished.append((scores[i], [*self.tokens[beam], token]))
        self._finished.sort(key=lambda each: -each[0])
        del self._finished[self._params.width :]

    def _may_improve(self, best: float, length: int) -> bool:
        """Whether a beam in work, the best of which has the sum `best`, may still become an answer."""
        p = self._params
        if len(self._finished) < p.width:
            return True
        if p.early_stopping is True:
            return False
        is_hopeful = p.early_stopping == "never" and p.length_penalty > 0
        possible: float = best / (self._max_tokens if is_hopeful else length) ** p.length_penalty
        return possible > self._finished[-1][0]


class Beams:
    """A request's beam search, with the biases and penalties that it asks for; `rows` become its answer at the end."""

    def __init__(self, request: Request, checkpoint: Checkpoint, rows: Sequence[Row], params: BeamParams) -> None:
        self._rows = rows
        self.width = params.width
        self.search = BeamSearch(params, request.max_tokens, rows[0].end_ids)

    @property
    def last_tokens(self) -> list[int]:
        return [tokens[-1] for tokens in self.search.tokens]

    def advance(self, logits: torch.Tensor) -> list[Event]:
        """Goes on from raw `logits` [beams or more, vocab]; says nothing before the search is over."""
        search = self.search
        scores = torch.log_softmax(logits[: len(search.tokens)].float(), -1)
        if not bool(torch.isfinite(scores.amax(-1)).all()):
            raise ArithmeticError("the model's output holds no finite maximum, so no beam can go on")
        for tokens, row in zip(search.tokens, scores, strict=True):
            self._adjust(tokens, row)
        search.advance(scores)
        if not search.is_over:
            return []
        answers = zip(self._rows, search.best[: len(self._rows)], strict=True)
        return [event for row, tokens in answers for token in tokens for event in row.accept(token, logits[0])]

    def _adjust(self, tokens: Sequence[int], scores: torch.Tensor) -> None:
        """One sampler for all beams: it is led through each text and back."""
        sampler = self._rows[0].sampler
        for token in tokens:
            sampler.accept(token)
        sampler.adjust(scores)
        sampler.take_back(len(tokens))
