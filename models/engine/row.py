"""One candidate being written: turns its tokens into text, finds its end."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

import torch

from models.engine.checkpoint import Checkpoint
from models.engine.detokenize import Detokenizer, DetokenizerState, decode
from models.engine.dry import Breakers, Dry, marked
from models.engine.events import Delta, Event, FinishReason, RowFinished, TokenLogprob
from models.engine.inclusion import Inclusion, InclusionState, Speller
from models.engine.logprobs import describe_token
from models.engine.params import row_seed
from models.engine.phrases import MAX_BACK_UPS, PhraseTree
from models.engine.request import Request
from models.engine.sampling import RowSampler
from models.engine.stops import StopFinder


@dataclass(frozen=True)
class _Mark:
    """A row as it was before a token, and the logits that the token was drawn from."""

    logits: torch.Tensor
    text: DetokenizerState
    held: str
    state: int
    inclusion: InclusionState | None
    num_shown: int
    passed: str

    @property
    def num_passed(self) -> int:
        return self.num_shown + len(self.passed)


class _Unshown(NamedTuple):
    """A token whose text, which begins at `begin`, waits to be shown. `mark` is there where it may be taken back."""

    token: int
    place: int
    begin: int
    logprob: TokenLogprob | None
    mark: _Mark | None


class Row:
    """`last_token` is what the model reads next; after `is_over` there is nothing more to read.

    Where a token completes a banned phrase, the row goes back to the token in which the phrase begins. Then `again` are
    the raw logits [vocab] from which another one is to be drawn in its place, and `tokens` are fewer than before.
    """

    def __init__(
        self,
        request: Request,
        index: int,
        checkpoint: Checkpoint,
        end_ids: frozenset[int],
        dry: Dry | None = None,
        phrases: PhraseTree | None = None,
        inclusion: Inclusion | None = None,
    ) -> None:
        self._request = request
        self._index = index
        self._tokenizer = checkpoint.tokenizer
        self.end_ids = end_ids
        self._phrases = phrases
        self._inclusion = inclusion
        self._seed = row_seed(request.seed, index)
        self.sampler = RowSampler(request.sampling, self._seed, request.prompt_ids, dry, inclusion)
        self._text = Detokenizer(checkpoint.tokenizer, request.prompt_ids)
        self._stops = StopFinder(request.stop)
        self._state = 0  # of the search for banned phrases
        self._num_seen = 0  # characters that it has seen
        self._passed = ""  # what the stop strings let through, and is not shown yet
        self._num_shown = 0
        self._unshown: deque[_Unshown] = deque()
        self._excluded: dict[int, list[int]] = {}  # tokens by the place where each was taken back
        self._num_back_ups = 0  # since something was shown
        self.tokens: list[int] = []
        self.again: torch.Tensor | None = None
        self.is_over = False

    @property
    def num_tokens(self) -> int:
        return len(self.tokens)

    @property
    def last_token(self) -> int:
        return self.tokens[-1]

    def accept(self, token: int, logits: torch.Tensor) -> list[Event]:
        """Goes on with `token`, drawn from raw `logits` [vocab], and says what became of it."""
        mark = None if self._phrases is None else self._mark(logits)
        self.again = None
        self.sampler.accept(token)
        begin, is_end = self._text.num_chars, token in self.end_ids
        if not is_end:
            logprob = self._logprob(logits, token, begin)
            self._unshown.append(_Unshown(token, len(self.tokens), begin, logprob, mark))
        self.tokens.append(token)
        is_last = is_end or len(self.tokens) == self._request.max_tokens
        text = ("" if is_end else self._text.push(token)) + (self._text.flush() if is_last else "")
        if self._inclusion is not None:
            self._inclusion.push(text)
        is_stopped, banned_at = self._look_at(text)
        if banned_at is not None:
            return self._back_up(banned_at)
        if is_stopped:
            return [*self._show(self._passed), self._end(FinishReason.STOP)]
        if is_last:
            rest = self._passed + self._stops.flush()
            return [*self._show(rest, is_last=True), self._end(FinishReason.STOP if is_end else FinishReason.LENGTH)]
        return self._show(self._passed[: self._num_free()])

    def end_unwritten(self) -> RowFinished:
        """The end of a row of which nothing was asked."""
        return self._end(FinishReason.LENGTH)

    def _look_at(self, text: str) -> tuple[bool, int | None]:
        """Whether a stop string is complete, and where a banned phrase begins that is: whichever is so first.

        Of both at the same letter the stop string, since it cuts the phrase's end off.
        """
        if self._phrases is None:
            scan = self._stops.push(text)
            self._passed += scan.text
            return scan.is_stopped, None
        for letter in text:
            scan = self._stops.push(letter)
            self._passed += scan.text
            if scan.is_stopped:
                return True, None
            self._num_seen += 1
            self._state = self._phrases.step(self._state, letter)
            if length := self._phrases.found[self._state]:
                return False, self._num_seen - length
        return False, None

    def _num_free(self) -> int:
        """How much of `_passed` will stay, whatever comes: what stands before the token of a possible phrase."""
        if self._phrases is None or not self._phrases.depth[self._state]:
            return len(self._passed)
        first = self._token_at(self._num_seen - self._phrases.depth[self._state])
        assert first.mark is not None  # noqa: S101  # every token has one where phrases are banned
        return max(0, min(first.begin, first.mark.num_passed) - self._num_shown)

    def _token_at(self, place: int) -> _Unshown:
        """The token whose text has the character at `place`; of a character's several tokens the last.

        Text that was shown because what followed made it harmless stays shown when what followed is taken back. A
        phrase that begins there after all is kept from coming by the first token behind it.
        """
        can_go = [each for each in self._unshown if each.mark is not None and each.mark.num_passed >= self._num_shown]
        return next((each for each in reversed(can_go) if each.begin <= place), can_go[0])

    def _mark(self, logits: torch.Tensor) -> _Mark:
        kept = logits.clone()  # the other rows' are not kept with them
        words = None if self._inclusion is None else self._inclusion.state
        return _Mark(kept, self._text.state, self._stops.held, self._state, words, self._num_shown, self._passed)

    def _back_up(self, start: int) -> list[Event]:
        """Takes back the token with the character at `start` and all behind it, and excludes it at its place."""
        first = self._token_at(start)
        mark = first.mark
        assert mark is not None  # noqa: S101  # every token has one where phrases are banned
        self.sampler.take_back(len(self.tokens) - first.place)
        del self.tokens[first.place :]
        while self._unshown and self._unshown[-1].place >= first.place:
            self._unshown.pop()
        self._text.state, self._stops.held, self._state = mark.text, mark.held, mark.state
        if self._inclusion is not None and mark.inclusion is not None:
            self._inclusion.state = mark.inclusion
        self._num_seen = mark.text.num_chars
        self._passed = mark.passed[self._num_shown - mark.num_shown :]
        self._excluded = {place: tokens for place, tokens in self._excluded.items() if place <= first.place}
        excluded = self._excluded.setdefault(first.place, [])
        excluded.append(first.token)
        self._num_back_ups += 1
        if self._num_back_ups > MAX_BACK_UPS or len(excluded) == len(mark.logits):
            rest = self._passed + self._stops.flush()
            return [*self._show(rest, is_last=True), self._end(FinishReason.BANNED_PHRASE)]
        self.again, self.sampler.excluded = mark.logits, excluded
        return []

    def _logprob(self, logits: torch.Tensor, token: int, offset: int) -> TokenLogprob | None:
        if self._request.num_logprobs is None:
            return None
        return describe_token(self._tokenizer, logits, token, self._request.num_logprobs, offset)

    def _end(self, reason: FinishReason) -> RowFinished:
        self.is_over = True
        return RowFinished(self._request.id, self._index, reason, self._seed, len(self.tokens))

    def _show(self, text: str, *, is_last: bool = False) -> list[Event]:
        self._num_shown += len(text)
        self._passed = self._passed[len(text) :]
        self.sampler.excluded = self._excluded.get(len(self.tokens), ())
        shown = []
        while self._unshown and (is_last or self._unshown[0].begin < self._num_shown):
            shown.append(self._unshown.popleft())
        if not text and not shown:
            return []
        self._num_back_ups = 0
        logprobs = tuple(each.logprob for each in shown if each.logprob is not None)
        return [Delta(self._request.id, self._index, text, tuple(each.token for each in shown), logprobs)]


def make_rows(request: Request, checkpoint: Checkpoint) -> list[Row]:
    """The rows of a request, at their beginning."""
    end_ids, rows = checkpoint.end_ids | special_stops(request, checkpoint), range(request.n)
    dries: list[Dry | None] = [None for _ in rows]
    p = request.sampling
    if p.dry_multiplier and p.dry_penalty_last_n:
        breakers = Breakers(checkpoint.tokenizer, p.dry_sequence_breakers)
        text, before = marked(breakers, request.prompt_ids)
        dries = [Dry(p, breakers, text, before) for _ in rows]
    phrases = None
    if request.banned_phrases:
        phrases = PhraseTree(request.banned_phrases, is_case_sensitive=request.banned_phrases_case_sensitive)
    inclusions: list[Inclusion | None] = [None for _ in rows]
    if words := request.must_include:
        speller, before_text = Speller(checkpoint.tokenizer), decode(checkpoint.tokenizer, request.prompt_ids[-8:])
        how = (request.must_include_strength, request.max_tokens, speller, end_ids, before_text)
        inclusions = [Inclusion(words, *how) for _ in rows]
    return [Row(request, i, checkpoint, end_ids, dries[i], phrases, inclusions[i]) for i in rows]


def special_stops(request: Request, checkpoint: Checkpoint) -> frozenset[int]:
    """Stop strings that are special tokens: they add no text in which they could be found."""
    special = {str(token): i for i, token in checkpoint.tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(special[stop] for stop in request.stop if stop in special)
