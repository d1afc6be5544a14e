"""Members of the stand-in's servers: what they can do is what a person can do in the client."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import discord

from tests.contract.message import walk
from tests.wire import payloads
from tests.wire.payloads import BOT_PERMISSIONS, MEMBER_PERMISSIONS, snowflake
from tests.wire.standin import StandIn
from tests.wire.world import COMPONENT, MODAL_SUBMIT, SLASH, Interaction, Message


@dataclass(frozen=True)
class Asked:
    """An interaction on its way; its methods wait for what the bot makes of it."""

    standin: StandIn
    interaction: Interaction

    async def answered(self) -> dict[str, Any]:
        """The callback that the bot sent."""
        asked = self.interaction
        return await self.standin.pulse.until(lambda: asked.callback, f"an answer to {asked.name}")

    async def text(self) -> str:
        """All the text of the first answer, once it is more than "thinking"."""
        return text_of(await self.message())

    async def message(self) -> Message:
        """The message of the first answer, once it is more than "thinking"."""
        asked, messages = self.interaction, self.standin.world.messages

        def finished() -> Message | None:
            message = messages.get(asked.original_id or 0)
            return None if message is None or message.is_loading else message

        return await self.standin.pulse.until(finished, f"the message that answers {asked.name}")


@dataclass(frozen=True)
class Member:
    """A person in one channel of one server."""

    standin: StandIn
    user: dict[str, Any]
    guild_id: int
    channel_id: int
    permissions: discord.Permissions = MEMBER_PERMISSIONS

    async def slash(self, name: str, /, **options: Any) -> Asked:
        """Uses a command that the bot has registered; `name` may have a subcommand: "story start"."""
        first, *rest = name.split()
        command = leaf = named(self.standin.world.commands, first)
        for part in rest:
            leaf = named(leaf["options"], part)
        declared = leaf.get("options") or []
        missing = {o["name"] for o in declared if o.get("required")} - set(options)
        assert not missing, f"/{name} requires {missing}"
        values = [{"name": k, "type": named(declared, k)["type"], "value": v} for k, v in options.items()]
        for part in reversed(rest):
            values = [{"name": part, "type": 1, "options": values}]
        data = {"id": command["id"], "name": first, "type": 1, "options": values}
        return await self._interact(SLASH, f"/{name}", data)

    async def click(self, message: Message, custom_id: str) -> Asked:
        """Presses a button that is there and enabled."""
        found = [c for c in walk(message.payload["components"]) if c.get("custom_id") == custom_id]
        assert found, f"no button {custom_id} in {buttons_of(message)}"
        assert not found[0].get("disabled"), f"{custom_id} is disabled"
        data = {"custom_id": custom_id, "component_type": found[0]["type"], "id": found[0]["id"]}
        return await self._interact(COMPONENT, custom_id, data, source=message)

    async def submit(self, shown: dict[str, Any], values: dict[str, str]) -> Asked:
        """Sends a modal that a callback has shown, with these values by custom_id."""
        modal = shown["data"]
        fields = []
        for component in payloads.numbered(modal["components"]):
            inside = component.get("component") or component["components"][0]
            filled = {"type": inside["type"], "id": inside["id"], "custom_id": inside["custom_id"]}
            filled["value"] = values[inside["custom_id"]]
            whole = {"component": filled} if "component" in component else {"components": [filled]}
            fields.append({"type": component["type"], "id": component["id"], **whole})
        data = {"custom_id": modal["custom_id"], "components": fields}
        return await self._interact(MODAL_SUBMIT, modal["custom_id"], data)

    async def _interact(self, kind: int, name: str, data: dict[str, Any], source: Message | None = None) -> Asked:
        payload = None if source is None else source.payload
        asked = Interaction(
            snowflake(),
            secrets.token_urlsafe(24),
            kind,
            self.channel_id,
            self.guild_id,
            self.user,
            self.permissions,
            name,
            payload,
        )
        world = self.standin.world
        world.interactions[asked.token] = asked
        event = self._event(asked, data)
        await self.standin.gateway.dispatch(self.guild_id, "INTERACTION_CREATE", event)
        return Asked(self.standin, asked)

    def _event(self, asked: Interaction, data: dict[str, Any]) -> dict[str, Any]:
        world = self.standin.world
        channel = world.channel(self.channel_id)
        assert channel is not None
        event = {
            "id": str(asked.id),
            "application_id": str(world.application_id),
            "type": asked.kind,
            "token": asked.token,
            "version": 1,
            "data": data,
            "guild_id": str(self.guild_id),
            "guild": {"id": str(self.guild_id), "locale": "en-US", "features": []},
            "channel_id": str(self.channel_id),
            "channel": {**channel, "permissions": str(self.permissions.value)},
            "member": payloads.member(self.user, self.permissions),
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": str(BOT_PERMISSIONS.value),
            "attachment_size_limit": 10 * 1024 * 1024,
            "entitlements": [],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": {"0": str(self.guild_id)},
            "context": 0,
        }
        # A key that does not apply is left out: discord.py takes a null message for a message.
        return event if asked.source is None else {**event, "message": asked.source}


def named(things: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The command or option of this name, among those that the bot has registered."""
    found = next((thing for thing in things if thing["name"] == name), None)
    assert found is not None, f"the bot has registered no {name}, only {[thing['name'] for thing in things]}"
    return found


def join(standin: StandIn, name: str, guild: int = 0, permissions: discord.Permissions = MEMBER_PERMISSIONS) -> Member:
    """A member of the stand-in's first or second server, in its channel."""
    server = standin.world.guilds[guild]
    user = payloads.user(snowflake(), name)
    return Member(standin, user, int(server["id"]), int(server["channels"][0]["id"]), permissions)


def text_of(message: Message) -> str:
    """Everything that is written in a message."""
    parts = [message.payload["content"]]
    parts += [c["content"] for c in walk(message.payload["components"]) if c.get("content")]
    return "\n".join(part for part in parts if part)


def buttons_of(message: Message) -> dict[str, str]:
    """The enabled buttons that can be pressed, label to custom_id."""
    buttons = [c for c in walk(message.payload["components"]) if c["type"] == 2 and c.get("custom_id")]
    return {b.get("label") or "": b["custom_id"] for b in buttons if not b.get("disabled")}
