"""Tells Discord our commands, and only when they changed: syncing is limited, and a start should cost nothing."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from discord import app_commands

log = logging.getLogger(__name__)

GetMeta = Callable[[str], Awaitable[str | None]]
SetMeta = Callable[[str, str], Awaitable[None]]
META_KEY = "discord commands"


@dataclass(frozen=True)
class Synced:
    """What Discord knows: a hash of the commands (and of whose they are), and the ids that it gave them."""

    digest: str
    ids: dict[str, int]

    @classmethod
    def from_json(cls, text: str) -> Synced:
        found = json.loads(text)
        return cls(str(found["digest"]), {str(name): int(number) for name, number in found["ids"].items()})

    def to_json(self) -> str:
        return json.dumps({"digest": self.digest, "ids": self.ids}, sort_keys=True)


async def sync_commands(
    tree: app_commands.CommandTree[Any], application_id: int, get_meta: GetMeta, set_meta: SetMeta
) -> dict[str, int]:
    """Syncs if something changed; returns the commands' ids by name, for mentions that can be clicked."""
    stored = await get_meta(META_KEY)
    digest = digest_of(tree, application_id)
    if stored is not None and (known := Synced.from_json(stored)).digest == digest:
        return known.ids
    commands = await tree.sync()
    synced = Synced(digest, {command.name: command.id for command in commands})
    await set_meta(META_KEY, synced.to_json())
    log.info("told Discord about %d commands", len(commands))
    return synced.ids


def digest_of(tree: app_commands.CommandTree[Any], application_id: int) -> str:
    """Changes with every command's payload, and with the application: two bots may share a database in turn."""
    payload = sorted((command.to_dict(tree) for command in tree.get_commands()), key=lambda one: str(one["name"]))
    text = json.dumps([application_id, payload], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
