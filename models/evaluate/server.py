"""The HTTP side of a server with OpenAI's completions: requests out, JSON back, refusals in the server's own words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2

from models.evaluate.subject import CannotOpen, NotAvailable

TIMEOUT_S = 600.0
"""A slow machine may take minutes for a prompt with several candidates."""
_CONNECT_S = 10.0
_SHOWN_CHARS = 300  # of an answer that is of no use

Json = dict[str, Any]


class Server:
    """One model of a server. `card` is what it says about the model."""

    def __init__(self, client: httpx2.Client, card: Mapping[str, Any], address: str) -> None:
        self._client = client
        self.card = card
        self.model = str(card["id"])
        self.address = address

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()

    def complete(self, body: Json) -> Json:
        """Raises `NotAvailable`."""
        answer = self._post("/v1/completions", body)
        said = json_of(answer)
        if answer.status_code != 200 or not isinstance(said, dict) or not said.get("choices"):
            raise NotAvailable(f"the server answered {answer.status_code}: {message_of(said, answer)}")
        return said

    def stream(self, body: Json) -> Iterator[Json]:
        """The chunks of a completion as they come. Raises `NotAvailable`."""
        whole = {"model": self.model, **body, "stream": True, "stream_options": {"include_usage": True}}
        try:
            with self._client.stream("POST", "/v1/completions", json=whole) as answer:
                if answer.status_code != 200:
                    answer.read()
                    raise NotAvailable(
                        f"the server answered {answer.status_code}: {message_of(json_of(answer), answer)}"
                    )
                for line in answer.iter_lines():
                    if line.startswith("data: {"):
                        yield _chunk(json.loads(line.removeprefix("data: ")))
        except httpx2.HTTPError as error:
            raise NotAvailable(f"{self.address}: {error!r}") from error

    def tokenize(self, text: str) -> list[int] | None:
        """Token ids as vLLM's and Talewright's ``/tokenize`` give them; None where the server has no such address."""
        answer = self._post("/tokenize", {"prompt": text, "add_special_tokens": False})
        said = json_of(answer)
        tokens = said.get("tokens") if answer.status_code == 200 and isinstance(said, dict) else None
        return tokens if isinstance(tokens, list) and all(isinstance(token, int) for token in tokens) else None

    def _post(self, path: str, body: Json) -> httpx2.Response:
        try:
            return self._client.post(path, json={"model": self.model, **body})
        except httpx2.HTTPError as error:
            raise NotAvailable(f"{self.address}: {error!r}") from error


def connect(url: str, api_key: str | None = None) -> Server:
    """The model named behind ``#`` in the URL, or the first that the server lists. Raises `CannotOpen`."""
    client, address, name = open_http(url, api_key)
    try:
        return Server(client, _find_card(client, address, name), address)
    except BaseException:
        client.close()
        raise


def open_http(url: str, api_key: str | None = None) -> tuple[httpx2.Client, str, str]:
    """A client for the server, its address for people, and the model's name behind ``#``, empty for none."""
    parts = urlsplit(url)
    base = parts._replace(fragment="", path=parts.path.rstrip("/").removesuffix("/v1"), query="").geturl()
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    # The machine's proxies are for the world outside; a worker is a neighbour.
    client = httpx2.Client(
        base_url=base, headers=headers, timeout=httpx2.Timeout(TIMEOUT_S, connect=_CONNECT_S), trust_env=False
    )
    return client, parts.netloc.rpartition("@")[2], parts.fragment


def _find_card(client: httpx2.Client, address: str, name: str) -> Mapping[str, Any]:
    try:
        answer = client.get("/v1/models")
    except httpx2.HTTPError as error:
        raise CannotOpen(f"{address} can't be reached: {error!r}") from error
    said = json_of(answer)
    if answer.status_code != 200 or not isinstance(said, dict):
        raise CannotOpen(f"{address}/v1/models answered {answer.status_code}: {message_of(said, answer)}")
    cards: list[Mapping[str, Any]] = [card for card in said.get("data", []) if name in ("", card.get("id"))]
    if not cards:
        raise CannotOpen(f"{address} serves no model {name}" if name else f"{address} has no model")
    return cards[0]


def _chunk(said: Json) -> Json:
    if "error" in said:
        raise NotAvailable(f"the server broke off: {said['error']}")
    return said


def json_of(answer: httpx2.Response) -> Any:
    """The answer's JSON, None where it is none."""
    try:
        return answer.json()
    except ValueError:  # a proxy's page, say: the caller shows its beginning
        return None


def message_of(said: Any, answer: httpx2.Response) -> str:
    """The error in the server's own words."""
    error = said.get("error") if isinstance(said, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return str(message or answer.text)[:_SHOWN_CHARS]
