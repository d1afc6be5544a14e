"""Good requests of every kind that a story bot sends; the tests break one thing at a time in them."""

from __future__ import annotations

import copy
from typing import Any

from tests.contract.message import V2
from tests.contract.recorded import Recorded

NOBODY: dict[str, Any] = {"parse": []}
CALLBACK = "/interactions/10/token/callback"
ORIGINAL = "/webhooks/20/token/messages/@original"


def button(name: str = "vote", **changes: Any) -> dict[str, Any]:
    return {"type": 2, "style": 2, "label": f"Vote {name}", "custom_id": f"v:{name}", **changes}


def text(content: str = "Once upon a time.") -> dict[str, Any]:
    return {"type": 10, "content": content}


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def container(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 17, "components": list(components)}


def ballot(*components: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A ballot of components V2 with these components, or with three candidates."""
    parts = components or (container(text(), row(button("A"), button("B"))), row(button("none")))
    return {"components": list(parts), "flags": V2, "allowed_mentions": NOBODY, **changes}


def option(name: str = "hint", **changes: Any) -> dict[str, Any]:
    return {"type": 3, "name": name, "description": "What should happen", **changes}


def command(name: str = "continue", *options: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"type": 1, "name": name, "description": "Ask for the next passage", "options": list(options), **changes}


def field(**changes: Any) -> dict[str, Any]:
    return {"type": 4, "custom_id": "text", "style": 2, "min_length": 1, "max_length": 4000, **changes}


def label(component: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {"type": 18, "label": "Your passage", "component": component or field(), **changes}


def modal(*components: dict[str, Any], **changes: Any) -> Recorded:
    data = {"custom_id": "write", "title": "Write a passage", "components": list(components or [label()]), **changes}
    return Recorded("POST", CALLBACK, {"with_response": "1"}, {"type": 9, "data": data})


def create(body: dict[str, Any], **more: Any) -> Recorded:
    return Recorded("POST", "/channels/30/messages", body=body, **more)


def edit(body: dict[str, Any]) -> Recorded:
    return Recorded("PATCH", "/channels/30/messages/40", body=body)


def edit_original(body: dict[str, Any]) -> Recorded:
    return Recorded("PATCH", ORIGINAL, body=body)


def answer(data: dict[str, Any] | None, kind: int = 4) -> Recorded:
    body: dict[str, Any] = {"type": kind} if data is None else {"type": kind, "data": data}
    return Recorded("POST", CALLBACK, {"with_response": "1"}, body)


def commands(*definitions: dict[str, Any]) -> Recorded:
    return Recorded("PUT", "/applications/20/commands", body=list(definitions))


def said(content: str = "Counted.", **changes: Any) -> dict[str, Any]:
    return {"content": content, "allowed_mentions": NOBODY, **changes}


def without(body: dict[str, Any], key: str) -> dict[str, Any]:
    changed = copy.deepcopy(body)
    del changed[key]
    return changed
