"""Asking for the scores of texts: `/v1/moderations` of our worker, of OpenAI, or of any other server that has it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import openai

from bot.errors import WorkerBroken, WorkerDown, WorkerError, WorkerSlow
from bot.worker.translation import translate
from bot.worker.transport import Post, open_client, post, root_of

MAX_TEXTS = 32
MAX_CHARS = 60_000
"""What our worker takes in one request, a little less; more texts than this are asked for in several."""

DOWN = "What checks texts here is not reachable right now. Please try again later."
SLOW = "What checks texts here took too long to answer. Please try again."

Scores = Mapping[str, float]
"""Between 0 and 1, by the server's own names of categories ("hate", "hate/threatening", …)."""


@dataclass(frozen=True)
class ModerationBackend:
    """A server that scores texts in the worker's stead. Without `model` it is left to the server which one."""

    url: str
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None


class BackendClient:
    """Asks that server alone, by the rules of `WorkerClient`: one deadline for each call, and only `WorkerError`s."""

    def __init__(self, backend: ModerationBackend, timeout_s: float) -> None:
        root = root_of(backend.url)
        self._model = backend.model
        self._timeout_s = timeout_s
        self._client = open_client(root, backend.api_key, timeout_s)
        self._post: Post = partial(post, self._client, root)

    async def close(self) -> None:
        await self._client.close()

    async def moderate(self, texts: Sequence[str]) -> list[Scores]:
        try:
            async with asyncio.timeout(self._timeout_s):
                return (await ask(self._post, texts, self._model)).scores
        except TimeoutError as error:
            raise WorkerSlow(SLOW) from error
        except openai.OpenAIError as error:
            raise _as_checker(translate(error)) from error


@dataclass(frozen=True)
class Scored:
    """The scores of each text, and the model that they are of, as the server names it."""

    model: str | None
    scores: list[Scores]


async def ask(post: Post, texts: Sequence[str], model: str | None) -> Scored:
    """In as many requests as are needed. Raises what `post` raises, and `WorkerBroken`."""
    named = {} if model is None else {"model": model}
    found = Scored(None, [])
    for portion in portions(texts):
        answer = read_answer(await post("/v1/moderations", {"input": portion, **named}), len(portion))
        found = Scored(answer.model, found.scores + answer.scores)
    return found


def _as_checker(error: WorkerError) -> WorkerError:
    """The same said of whoever checks: it is not the storyteller that fails."""
    if isinstance(error, WorkerDown):
        return WorkerDown(DOWN)
    return WorkerSlow(SLOW) if isinstance(error, WorkerSlow) else error


def portions(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in their order, as many at once as are surely taken; a longer one goes alone."""
    portion: list[str] = []
    num_chars = 0
    for text in texts:
        if portion and (len(portion) == MAX_TEXTS or num_chars + len(text) > MAX_CHARS):
            yield portion
            portion, num_chars = [], 0
        portion.append(text)
        num_chars += len(text)
    if portion:
        yield portion


def read_answer(answer: object, num_texts: int) -> Scored:
    """Raises `WorkerBroken` where the answer does not say of each text what it scores."""
    said = answer if isinstance(answer, Mapping) else {}
    results = said.get("results")
    if not isinstance(results, list) or len(results) != num_texts:
        raise WorkerBroken(f"/v1/moderations did not answer with {num_texts} results")
    model = said.get("model")
    return Scored(model if isinstance(model, str) else None, [_read_scores(result) for result in results])


def _read_scores(result: object) -> Scores:
    """A category without a score (OpenAI's older models write null) is left out. None at all would pass every text."""
    scores = result.get("category_scores") if isinstance(result, Mapping) else None
    if not isinstance(scores, Mapping):
        raise WorkerBroken("a result of /v1/moderations has no category_scores")
    found = {str(name): _checked(str(name), score) for name, score in scores.items() if score is not None}
    if not found:
        raise WorkerBroken("a result of /v1/moderations scores no category")
    return found


def _checked(name: str, score: object) -> float:
    is_number = isinstance(score, int | float) and not isinstance(score, bool)
    if not is_number or not math.isfinite(score) or not 0 <= score <= 1:  # type: ignore[arg-type, operator]
        raise WorkerBroken(f"the score of {name[:100]} is no number between 0 and 1")
    return float(score)  # type: ignore[arg-type]
