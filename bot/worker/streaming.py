"""Reads a completion stream from the server, and makes answers of what was put together from it."""

from __future__ import annotations

import openai

from bot.errors import WorkerBroken
from bot.worker.assembly import Assembly
from bot.worker.values import Completion, CompletionRequest, RewriteRequest


async def read_stream(stream: openai.AsyncStream[openai.types.Completion], assembly: Assembly) -> None:
    """Reads the stream to its end. Once an answer has begun, a failure of any kind is a broken answer."""
    try:
        async for chunk in stream:
            if not isinstance(chunk, openai.BaseModel):
                raise WorkerBroken("a chunk that is not an object")
            assembly.feed(chunk.to_dict(warnings=False))
    except openai.APITimeoutError:
        raise
    except openai.APIError as error:
        raise WorkerBroken(f"the stream failed: {error.message}") from error
    except ValueError as error:
        raise WorkerBroken(f"a chunk that is not JSON: {error}") from error


def completions_of(assembly: Assembly, request: CompletionRequest | RewriteRequest) -> list[Completion]:
    """The usage counts all rows together, so a row's own length is known only where it is alone."""
    return [
        Completion(
            index=row.index,
            text=row.text,
            finish_reason=row.finish_reason or "",
            seed=request.seed if row.seed is None else row.seed,
            tokens=assembly.completion_tokens if request.n == 1 else None,
            prompt_tokens=assembly.prompt_tokens,
        )
        for row in assembly.rows()
    ]
