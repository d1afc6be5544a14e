"""Events to the JSON of OpenAI's completions: whole, or in chunks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from models.engine.events import Delta, Done, Event, Prefilled, RowFinished, TokenLogprob
from models.engine.request import Request
from models.serve.validate import Order

Json = dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """More of one choice; `end` says that it is complete."""

    index: int
    text: str
    logprobs: tuple[TokenLogprob, ...] = ()
    end: RowFinished | None = None


class Writer:
    """Writes the answer to one order. `created` is in seconds since 1970."""

    def __init__(self, order: Order, created: int) -> None:
        self._order = order
        self._created = created

    def pieces(self, event: Event) -> Iterator[Piece]:
        """What `event` adds to the choices. The prompt comes first, where it is to be echoed."""
        match event:
            case Prefilled(prompt_logprobs=described) if self._order.echo is not None:
                for index in range(self._order.request.n):
                    yield Piece(index, self._order.echo, self._of_the_text(described))
            case Delta():
                shift = len(self._order.echo or "")
                moved = tuple(replace(token, offset=token.offset + shift) for token in event.logprobs)
                yield Piece(event.index, event.text, moved)
            case RowFinished():
                yield Piece(event.index, "", end=event)
            case _:
                pass

    def whole(self, events: Sequence[Event]) -> Json:
        """The answer in one, from all events of a request that was done."""
        pieces = [piece for event in events for piece in self.pieces(event)]
        done = events[-1]
        assert isinstance(done, Done)  # noqa: S101  # the caller turned every other end into an error
        choices = [self._join(i, [p for p in pieces if p.index == i]) for i in range(self._order.request.n)]
        return {**self._frame(choices), "usage": usage(done)}

    def chunk(self, piece: Piece) -> Json:
        """One piece of a stream."""
        return self._as_streamed(self._frame([self._choice(piece)]), None)

    def last_chunk(self, done: Done) -> Json | None:
        """The token counts, where the stream is to end with them."""
        return self._as_streamed(self._frame([]), usage(done)) if self._order.is_usage_streamed else None

    def _join(self, index: int, pieces: Sequence[Piece]) -> Json:
        logprobs = tuple(token for piece in pieces for token in piece.logprobs)
        return self._choice(Piece(index, "".join(p.text for p in pieces), logprobs, pieces[-1].end))

    def _choice(self, piece: Piece) -> Json:
        request = self._order.request
        is_asked = isinstance(request, Request) and request.num_logprobs is not None
        choice = {
            "index": piece.index,
            "text": piece.text,
            "logprobs": logprobs_json(piece.logprobs) if is_asked else None,
            "finish_reason": piece.end.reason.value if piece.end else None,
        }
        return choice | {"seed": piece.end.seed} if piece.end else choice

    def _frame(self, choices: list[Json]) -> Json:
        return {
            "id": self._order.request.id,
            "object": "text_completion",
            "created": self._created,
            "model": self._order.model,
            "choices": choices,
        }

    def _as_streamed(self, frame: Json, counts: Json | None) -> Json:
        return frame | {"usage": counts} if self._order.is_usage_streamed else frame

    def _of_the_text(self, described: tuple[TokenLogprob, ...]) -> tuple[TokenLogprob, ...]:
        """Without the tokens that the client's text did not have."""
        own = described[self._order.num_added :]
        shift = own[0].offset if own else 0
        return tuple(replace(token, offset=token.offset - shift) for token in own)


def usage(done: Done) -> Json:
    """The prompt counts once, however many choices were written; end tokens and stop strings count as written."""
    return {
        "prompt_tokens": done.num_prompt_tokens,
        "completion_tokens": done.num_generated,
        "total_tokens": done.num_prompt_tokens + done.num_generated,
    }


def logprobs_json(tokens: Iterable[TokenLogprob]) -> Json:
    """OpenAI's four parallel lists."""
    described = list(tokens)
    return {
        "tokens": [t.token for t in described],
        "token_logprobs": [t.logprob for t in described],
        "top_logprobs": [_top(t) for t in described],
        "text_offset": [t.offset for t in described],
    }


def _top(token: TokenLogprob) -> dict[str, float] | None:
    """The likeliest tokens and the one that stands there, likeliest first where two read the same."""
    if token.logprob is None:
        return None
    best: dict[str, float] = {}
    for text, logprob in (*token.top, (token.token, token.logprob)):
        best.setdefault(text, logprob)
    return best
