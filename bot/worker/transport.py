"""The HTTP below: one openai client for one server, with nothing taken from the process environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import openai

from bot.errors import WorkerBroken

Post = Callable[[str, Mapping[str, object]], Awaitable[object]]
"""Sends a JSON body to a path below the server's root and returns the JSON answer."""

CONNECT_TIMEOUT_S = 10.0


def open_client(root: str, api_key: str | None, timeout_s: float) -> openai.AsyncOpenAI:
    """The client for `{root}/v1`. It never retries: how often to ask again is the service's decision.

    Redirects are not followed: they would turn a POST into a GET, and carry prompt and key to another host.
    """
    timeout = openai.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s))
    client = openai.AsyncOpenAI(
        base_url=f"{root}/v1",
        # Without an explicit key the client would take OPENAI_API_KEY from the environment and send it here.
        api_key=api_key or "none",
        max_retries=0,
        timeout=timeout,
        http_client=openai.DefaultAsyncHttpxClient(
            timeout=timeout, follow_redirects=False, trust_env=not is_loopback(root)
        ),
    )
    # Likewise OPENAI_ORG_ID and OPENAI_PROJECT_ID, which are meant for another server.
    client.organization = None
    client.project = None
    return client


async def post(client: openai.AsyncOpenAI, root: str, path: str, body: Mapping[str, object]) -> object:
    """The JSON answer to a JSON body."""
    return await as_json(client.post(f"{root}{path}", cast_to=object, body=body))


async def as_json(answer: Awaitable[object]) -> object:
    """Raises `WorkerBroken` for a body that says that it is JSON, or UTF-8, and is not."""
    try:
        return await answer
    except ValueError as error:
        raise WorkerBroken(f"an answer that is not JSON: {error}") from error


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own. A proxy set in the environment cannot reach that."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def root_of(base_url: str) -> str:
    """The server's root, whether the host wrote the address with `/v1` or without."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v1')}".rstrip("/")
