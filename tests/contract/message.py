"""A message as a request carries it, and how to find the one in a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.contract.recorded import Recorded

ROW, BUTTON, SECTION, TEXT, CONTAINER = 1, 2, 9, 10, 17
SELECTS = {3, 5, 6, 7, 8}
SUPPRESS_EMBEDS, EPHEMERAL, SILENT, V2 = 1 << 2, 1 << 6, 1 << 12, 1 << 15

CHANNEL_MESSAGES = re.compile(r"/channels/\d+/messages")
CHANNEL_MESSAGE = re.compile(r"/channels/\d+/messages/\d+")
WEBHOOK = re.compile(r"/webhooks/\d+/[^/]+")
WEBHOOK_MESSAGE = re.compile(r"/webhooks/\d+/[^/]+/messages/(@original|\d+)")
CALLBACK = re.compile(r"/interactions/\d+/[^/]+/callback")
POST_IN_FORUM = re.compile(r"/channels/\d+/threads")


class Where(Enum):
    """By which way a message reaches Discord."""

    CHANNEL = "channel"
    WEBHOOK = "webhook"
    CALLBACK = "callback"


@dataclass(frozen=True)
class Message:
    """The body of a new or edited message. `files` are the uploaded names, None where they are not known."""

    body: dict[str, Any]
    where: Where
    is_edit: bool
    files: tuple[str, ...] | None = ()

    @property
    def flags(self) -> int:
        return self.body.get("flags") or 0

    @property
    def is_v2(self) -> bool:
        return bool(self.flags & V2)

    @property
    def top_level(self) -> list[dict[str, Any]]:
        return self.body.get("components") or []

    @property
    def all_components(self) -> Iterator[dict[str, Any]]:
        return walk(self.top_level)

    @property
    def carries_text(self) -> bool:
        """Whether anything in it could ping somebody."""
        texts = any(c["type"] == TEXT and c.get("content") for c in self.all_components)
        return bool(self.body.get("content") or self.body.get("embeds") or texts)


def walk(components: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All components with everything nested in them, in reading order."""
    for component in components:
        yield component
        yield from walk(component.get("components") or [])
        yield from walk(c for c in (component.get("accessory"), component.get("component")) if c)


def size(text: str) -> int:
    """The length in UTF-16 units, which is never below the number of code points."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def message_in(request: Recorded) -> Message | None:
    """The message that the request creates or edits, None where it does neither."""
    body = request.body
    if not isinstance(body, dict):
        return None
    way = (request.method, request.path)
    if _is(way, "POST", CALLBACK):
        data = body.get("data")
        if body.get("type") not in (4, 7) or data is None:
            return None
        return Message(data, Where.CALLBACK, body["type"] == 7, request.files)
    if _is(way, "POST", POST_IN_FORUM):
        inner = body.get("message")
        return None if inner is None else Message(inner, Where.CHANNEL, False, request.files)
    for method, pattern, where, is_edit in (
        ("POST", CHANNEL_MESSAGES, Where.CHANNEL, False),
        ("PATCH", CHANNEL_MESSAGE, Where.CHANNEL, True),
        ("POST", WEBHOOK, Where.WEBHOOK, False),
        ("PATCH", WEBHOOK_MESSAGE, Where.WEBHOOK, True),
    ):
        if _is(way, method, pattern):
            return Message(body, where, is_edit, request.files)
    return None


def _is(way: tuple[str, str], method: str, pattern: re.Pattern[str]) -> bool:
    return way[0] == method and pattern.fullmatch(way[1]) is not None
