"""What the stand-in knows: servers, channels, members, messages, commands and interactions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import discord

from tests.contract.message import EPHEMERAL
from tests.wire import payloads
from tests.wire.payloads import snowflake

SLASH, COMPONENT, MODAL_SUBMIT = 2, 3, 5


@dataclass
class Interaction:
    """One click or command of a member, and what the bot made of it."""

    id: int
    token: str
    kind: int
    channel_id: int
    guild_id: int
    user: dict[str, Any]
    permissions: discord.Permissions
    name: str
    source: dict[str, Any] | None = None
    callback: dict[str, Any] | None = None
    original_id: int | None = None
    followup_ids: list[int] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        return self.callback is not None


@dataclass
class Message:
    """A message of the bot; `is_loading` while it is only "thinking"."""

    id: int
    channel_id: int
    payload: dict[str, Any]
    is_loading: bool = False
    num_edits: int = 0

    @property
    def is_ephemeral(self) -> bool:
        return bool(self.payload["flags"] & EPHEMERAL)


class World:
    """Two servers with a channel each, on different shards where there are two, and the bot in both."""

    def __init__(self, shard_count: int = 1) -> None:
        self.shard_count = shard_count
        self.token = "a-token-of-the-wire"
        self.application_id = snowflake()
        self.me = payloads.user(self.application_id, "talewright", is_bot=True)
        self.owner = payloads.user(snowflake(), "owner")
        self.commands: list[dict[str, Any]] = []
        self.messages: dict[int, Message] = {}
        self.interactions: dict[str, Interaction] = {}
        self.guilds: list[dict[str, Any]] = []
        self._by_nonce: dict[tuple[int, str], Message] = {}
        even_ms = (snowflake() >> 22) & ~1
        for number in range(2):
            # Of two shards, the first server falls to shard 0 and the second to shard 1.
            guild_id = (even_ms + number) << 22
            channel = payloads.text_channel(snowflake(), guild_id, f"tales-{number}")
            self.guilds.append(payloads.guild(guild_id, f"Server {number}", int(self.owner["id"]), channel, self.me))

    def shard_of(self, guild_id: int) -> int:
        return (guild_id >> 22) % self.shard_count

    def guild_of(self, channel_id: int) -> dict[str, Any]:
        return next(g for g in self.guilds if any(c["id"] == str(channel_id) for c in g["channels"]))

    def channel(self, channel_id: int) -> dict[str, Any] | None:
        found = (c for g in self.guilds for c in g["channels"] if c["id"] == str(channel_id))
        return next(found, None)

    def in_channel(self, channel_id: int) -> list[Message]:
        """The channel's public messages, oldest first."""
        return [m for m in self.messages.values() if m.channel_id == channel_id and not m.is_ephemeral]

    def add_message(self, channel_id: int, body: dict[str, Any], *, is_loading: bool = False) -> Message:
        """Stores what the bot says as Discord would hand it back."""
        message_id = snowflake()
        payload = {
            "id": str(message_id),
            "type": 0,
            "channel_id": str(channel_id),
            "author": self.me,
            "content": body.get("content") or "",
            "embeds": [{"type": "rich", **embed} for embed in body.get("embeds") or []],
            "components": payloads.numbered(body.get("components") or []),
            "flags": body.get("flags") or 0,
            "attachments": [],
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": False,
            "tts": False,
            "timestamp": datetime.now(UTC).isoformat(),
            "edited_timestamp": None,
        }
        message = self.messages[message_id] = Message(message_id, channel_id, payload, is_loading)
        return message

    def say_once(self, channel_id: int, body: dict[str, Any]) -> Message:
        """Like `add_message`; an enforced nonce that was seen before gives the earlier message."""
        key = (channel_id, str(body.get("nonce")))
        if not body.get("enforce_nonce"):
            return self.add_message(channel_id, body)
        if key not in self._by_nonce:
            self._by_nonce[key] = self.add_message(channel_id, body)
        return self._by_nonce[key]

    def edit_message(self, message: Message, body: dict[str, Any]) -> None:
        """Changes what the body names; flags are only ever added."""
        payload = message.payload
        if "content" in body:
            payload["content"] = body["content"] or ""
        if "embeds" in body:
            payload["embeds"] = [{"type": "rich", **embed} for embed in body["embeds"] or []]
        if "components" in body:
            payload["components"] = payloads.numbered(body["components"] or [])
        payload["flags"] |= body.get("flags") or 0
        if not message.is_loading:
            payload["edited_timestamp"] = datetime.now(UTC).isoformat()
            message.num_edits += 1
        message.is_loading = False
