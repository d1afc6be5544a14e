"""What an engine says about a request, in order:

`Prefilled` once; then per row any number of `Delta` and one `RowFinished`, the rows interleaved; and at the end
exactly one of `Done`, `Failed`, `Cancelled`. `Failed` and `Cancelled` may come at any time, and then nothing follows.
A request to a classifier has no rows: its answer is one `Scored` before `Done`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FinishReason(StrEnum):
    """Why a row ended: at an end token or a stop string, at `max_tokens`, or because it found no way past a phrase."""

    STOP = "stop"
    LENGTH = "length"
    BANNED_PHRASE = "banned_phrase"


class FailureKind(StrEnum):
    """What went wrong inside."""

    OUT_OF_MEMORY = "out_of_memory"
    INTERNAL = "internal_error"


@dataclass(frozen=True)
class TokenLogprob:
    """One token under the model's own distribution: before penalties, temperature and truncation.

    `offset` counts characters from the beginning of the text that the token stands in (prompt or row). `logprob` is
    None for the first token of a prompt, which nothing predicts. `top` is sorted by falling probability.
    """

    token: str
    offset: int
    logprob: float | None
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Prefilled:
    """The prompt has been read. `prompt_logprobs` is empty unless asked for."""

    request_id: str
    num_prompt_tokens: int
    prompt_logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True)
class Delta:
    """More text of row `index`: whole characters, free of stop strings, with the tokens that it came from."""

    request_id: str
    index: int
    text: str
    token_ids: tuple[int, ...]
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True)
class RowFinished:
    """Row `index` is complete. `num_tokens` counts its tokens, an end token and a stop string's included.

    Tokens that were taken back for a banned phrase are not the row's, and are counted nowhere.
    """

    request_id: str
    index: int
    reason: FinishReason
    seed: int
    num_tokens: int


@dataclass(frozen=True)
class Scored:
    """What a classifier says of each text: the scores of its categories, in their order, between 0 and 1."""

    request_id: str
    scores: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Done:
    """All rows are complete. `num_generated` is the sum over them."""

    request_id: str
    num_prompt_tokens: int
    num_generated: int


@dataclass(frozen=True)
class Failed:
    """The request cannot be finished; `message` is a sentence for whoever asked."""

    request_id: str
    kind: FailureKind
    message: str


@dataclass(frozen=True)
class Cancelled:
    """The request was given up as asked, after `num_generated` tokens."""

    request_id: str
    num_generated: int


End = Done | Failed | Cancelled
Event = Prefilled | Delta | RowFinished | Scored | Done | Failed | Cancelled
