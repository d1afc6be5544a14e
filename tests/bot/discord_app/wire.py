"""What must hold for every request that the bot sends, whatever the test was about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from simcord.components import walk_components

from bot.discord_app.markup import width

MESSAGE_PATHS = (
    ("POST", r"/channels/\d+/messages"),
    ("PATCH", r"/channels/\d+/messages/\d+"),
    ("POST", r"/webhooks/\d+/[^/]+"),
    ("PATCH", r"/webhooks/\d+/[^/]+/messages/.+"),
)
CALLBACK = r"/interactions/\d+/[^/]+/callback"
WITH_MESSAGE = (4, 7)
NO_MENTIONS: dict[str, list[str]] = {"parse": []}
COMPONENTS_V2 = 1 << 15
ROW, BUTTON = 1, 2
"""What may stand under plain content as well."""


def check_requests(requests: Sequence[Any]) -> None:
    """Mentions are off in every message and edit; every layout is within Discord's limits."""
    for request in requests:
        body = message_of(request)
        if body is not None:
            _check_message(request, body)


def message_of(request: Any) -> dict[str, Any] | None:
    """The message that a request carries, None where it carries none."""
    path = re.sub(r"^.*/api/v\d+", "", request.path)
    body = request.json or {}
    if request.method == "POST" and re.fullmatch(CALLBACK, path):
        return body.get("data") or {} if body["type"] in WITH_MESSAGE else None
    is_message = any(request.method == method and re.fullmatch(found, path) for method, found in MESSAGE_PATHS)
    return body if is_message else None


def _check_message(request: Any, body: dict[str, Any]) -> None:
    assert body.get("allowed_mentions", {}).get("parse") == [], f"mentions are not off: {request}"
    assert not body["allowed_mentions"].get("users"), request
    assert width(body.get("content") or "") <= 2000
    components = list(walk_components(body.get("components") or []))
    assert len(components) <= 40
    assert sum(width(str(c.get("content", ""))) for c in components) <= 4000
    ids = [c["custom_id"] for c in components if "custom_id" in c]
    assert len(ids) == len(set(ids))
    assert all(len(i) <= 100 for i in ids)
    if any(c["type"] not in (ROW, BUTTON) for c in components):
        assert int(body.get("flags") or 0) & COMPONENTS_V2 or request.method == "PATCH", request
