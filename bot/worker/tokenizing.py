"""Counting tokens with the server's own tokenizer: `/tokenize` has no standard, so two dialects are tried."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import Enum, auto

import openai

from bot.errors import WorkerBroken
from bot.worker.assembly import as_int
from bot.worker.transport import Post

log = logging.getLogger(__name__)

ABSENT = (404, 405, 501)
NOT_THIS_SHAPE = (400, 422)


class Dialect(Enum):
    """How a server wants to be asked."""

    PROMPT = auto()
    """Our worker and vLLM: `prompt` in, `count` out."""
    CONTENT = auto()
    """llama.cpp: `content` in, `tokens` out."""
    NONE = auto()
    """It does not count tokens."""


async def find_dialect(post: Post, model: str, text: str) -> tuple[Dialect, int | None]:
    """Tries the dialects on `text`: the first that the server speaks, and its count."""
    for dialect in (Dialect.PROMPT, Dialect.CONTENT):
        try:
            return dialect, await count(post, dialect, model, text)
        except openai.APIStatusError as error:
            if error.status_code in ABSENT:
                break
            if error.status_code not in NOT_THIS_SHAPE:
                raise
        except WrongDialect:
            continue
    log.info("the worker has no /tokenize that we can use: token counts will be estimated")
    return Dialect.NONE, None


async def count(post: Post, dialect: Dialect, model: str, text: str) -> int | None:
    """The number of tokens by a known dialect. Raises `WrongDialect` where the answer is not of its shape."""
    if dialect is Dialect.NONE:
        return None
    if dialect is Dialect.CONTENT:
        answer = await post("/tokenize", {"content": text, "add_special": False})
        tokens = answer.get("tokens") if isinstance(answer, Mapping) else None
        if not isinstance(tokens, list):
            raise WrongDialect
        return len(tokens)
    answer = await post("/tokenize", {"model": model, "prompt": text, "add_special_tokens": False})
    number = as_int(answer.get("count")) if isinstance(answer, Mapping) else None
    if number is None:  # llama.cpp, asked like this, answers an empty list of tokens
        raise WrongDialect
    return number


class WrongDialect(WorkerBroken):
    """`/tokenize` answered, but not in the shape of the dialect that it was asked in."""

    def __init__(self) -> None:
        super().__init__("/tokenize answered neither a count nor a list of tokens")
