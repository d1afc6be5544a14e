"""Discord's own OpenAPI description: where it lies, and how strictly it is read.

The published description leaves every object open, so a misspelt key would pass. Here every object of a request is
closed, except for the few keys that discord.py really sends and Discord really takes: each is named in `TOLERATIONS`
with its reason. Responses are read as published.
"""

from __future__ import annotations

import copy
import functools
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_PATH = ROOT.parent / "shared" / "data" / "discord" / "api_spec" / "openapi.json"
PATH_VARIABLE = "DISCORD_OPENAPI"


@dataclass(frozen=True)
class Toleration:
    """`key` is allowed in the objects called `schemas`, with values of `shape`, although the description lacks it."""

    name: str
    schemas: tuple[str, ...]
    key: str
    shape: dict[str, Any]
    reason: str


TOLERATIONS = (
    Toleration(
        "nsfw in commands",
        ("ApplicationCommandUpdateRequest", "ApplicationCommandCreateRequest"),
        "nsfw",
        {"type": "boolean"},
        "documented for commands, and discord.py always sends it",
    ),
    Toleration(
        "tts in edits",
        (
            "MessageEditRequestPartial",
            "IncomingWebhookUpdateRequestPartial",
            "IncomingWebhookUpdateForInteractionCallbackRequestPartial",
        ),
        "tts",
        {"type": "boolean"},
        "discord.py builds edits like new messages; Discord ignores the key",
    ),
    Toleration(
        "flags in embeds",
        ("RichEmbed",),
        "flags",
        {"type": "integer"},
        "discord.py sends an embed back as it was received, with its flags",
    ),
    Toleration(
        "integer attachment ids",
        ("MessageAttachmentRequest",),
        "id",
        {"anyOf": [{"$ref": "#/components/schemas/SnowflakeType"}, {"type": "integer", "minimum": 0}]},
        "discord.py numbers new attachments 0, 1, …; Discord parses either form",
    ),
    Toleration(
        "integer recipients",
        ("CreatePrivateChannelRequest",),
        "recipient_id",
        {"anyOf": [{"$ref": "#/components/schemas/SnowflakeType"}, {"type": "integer", "minimum": 0}]},
        "discord.py names whom it writes to by a number; Discord parses either form",
    ),
)


def description_path() -> Path:
    """Where the description is looked for; it need not exist."""
    return Path(os.environ.get(PATH_VARIABLE, DEFAULT_PATH))


@functools.cache
def published() -> dict[str, Any] | None:
    """The description as published, None where it is not on this machine."""
    path = description_path()
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def require_published() -> dict[str, Any]:
    """The description; skips the running test where it is absent."""
    document = published()
    if document is None:
        pytest.skip(f"Discord's OpenAPI description is not at {description_path()}")
    return document


def strict(document: dict[str, Any], tolerations: Iterable[Toleration] = TOLERATIONS) -> dict[str, Any]:
    """A copy in which objects allow only the keys they declare, plus the tolerated ones."""
    closed = copy.deepcopy(document)
    schemas = closed["components"]["schemas"]
    for toleration in tolerations:
        for name in toleration.schemas:
            schemas[name]["properties"][toleration.key] = copy.deepcopy(toleration.shape)
    for schema in schemas.values():
        _close(schema)
    return closed


def discriminated(document: dict[str, Any]) -> dict[str, Any]:
    """A copy that says the same, but picks a union's alternative by its `type` instead of trying them all.

    Components nest, and trying eight alternatives at each level makes checking a ballot many times slower.
    """
    copied = copy.deepcopy(document)
    _discriminate(copied, copied["components"]["schemas"])
    return copied


def _discriminate(node: Any, schemas: dict[str, Any]) -> None:
    if isinstance(node, list):
        for item in node:
            _discriminate(item, schemas)
    elif isinstance(node, dict):
        alternatives = node.get("oneOf")
        kinds = [_kind(alternative, schemas) for alternative in alternatives] if isinstance(alternatives, list) else []
        if len(kinds) > 1 and None not in kinds and len(set(kinds)) == len(kinds):
            del node["oneOf"]
            branches = zip(kinds, alternatives, strict=True)
            node["allOf"] = [{"if": {"properties": {"type": {"const": kind}}}, "then": ref} for kind, ref in branches]
            node |= {"type": "object", "required": ["type"], "properties": {"type": {"enum": kinds}}}
        for value in node.values():
            _discriminate(value, schemas)


def _kind(alternative: Any, schemas: dict[str, Any]) -> int | None:
    """The one value of `type` that an alternative requires, None where it does not pin one."""
    if not isinstance(alternative, dict) or set(alternative) != {"$ref"}:
        return None
    schema = schemas[alternative["$ref"].rsplit("/", 1)[1]]
    pinned = schema.get("properties", {}).get("type", {}).get("enum", [])
    return pinned[0] if len(pinned) == 1 and "type" in schema.get("required", []) else None


def _close(schema: Any) -> None:
    """Closes every object schema inside; one that is put together by `allOf` stays open, for its parts are."""
    if isinstance(schema, list):
        for item in schema:
            _close(item)
    elif isinstance(schema, dict):
        if "properties" in schema and "allOf" not in schema:
            schema.setdefault("additionalProperties", False)
        for key, value in schema.items():
            if key != "allOf":
                _close(value)
