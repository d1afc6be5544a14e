"""Discord's HTTP API, as far as a story bot uses it, with the refusals that Discord gives."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from tests.contract.message import EPHEMERAL, V2
from tests.contract.recorded import Recorded
from tests.wire import payloads
from tests.wire.faults import (
    ALREADY_ANSWERED,
    CONFLICTING_CONTENT,
    INVALID_FORM,
    UNKNOWN_CHANNEL,
    UNKNOWN_INTERACTION,
    UNKNOWN_MESSAGE,
    UNKNOWN_WEBHOOK,
    Answer,
)
from tests.wire.world import MODAL_SUBMIT, SLASH, Interaction, Message, World

Handler = Callable[..., Answer | Awaitable[Answer]]
NO_CONTENT = Answer(204)


class Rest:
    """Answers requests from the world and changes it. Whoever calls has checked token and faults."""

    def __init__(self, world: World, gateway_url: Callable[[], str]) -> None:
        self._world = world
        self._gateway_url = gateway_url
        webhook = r"/webhooks/(?P<app>\d+)/(?P<token>[^/]+)"
        message = r"/channels/(?P<channel>\d+)/messages/(?P<message>\d+)"
        routes: list[tuple[str, str, Callable[..., Answer]]] = [
            ("GET", r"/users/@me", self._me),
            ("GET", r"/oauth2/applications/@me", self._application),
            ("GET", r"/gateway", self._gateway),
            ("GET", r"/gateway/bot", self._gateway_bot),
            ("GET", r"/applications/(?P<app>\d+)/commands", self._commands),
            ("PUT", r"/applications/(?P<app>\d+)/commands", self._register),
            ("POST", r"/interactions/(?P<interaction>\d+)/(?P<token>[^/]+)/callback", self._callback),
            ("POST", webhook, self._follow_up),
            ("GET", rf"{webhook}/messages/(?P<which>@original|\d+)", self._webhook_read),
            ("PATCH", rf"{webhook}/messages/(?P<which>@original|\d+)", self._webhook_edit),
            ("DELETE", rf"{webhook}/messages/(?P<which>@original|\d+)", self._webhook_delete),
            ("POST", r"/channels/(?P<channel>\d+)/messages", self._say),
            ("GET", message, self._read),
            ("PATCH", message, self._edit),
            ("DELETE", message, self._delete),
            ("GET", r"/channels/(?P<channel>\d+)", self._channel),
            ("POST", r"/channels/(?P<channel>\d+)/typing", self._typing),
        ]
        self._routes = [(method, re.compile(pattern), handler) for method, pattern, handler in routes]

    def answer(self, request: Recorded) -> Answer | None:
        """The answer to a request, None where the stand-in has no such route."""
        for method, pattern, handler in self._routes:
            if method == request.method and (match := pattern.fullmatch(request.path)):
                return handler(request, **match.groupdict())
        return None

    # who am I

    def _me(self, request: Recorded) -> Answer:
        return Answer(200, payloads.own_user(self._world.me))

    def _application(self, request: Recorded) -> Answer:
        world = self._world
        return Answer(200, payloads.application(world.application_id, world.owner, world.me))

    def _gateway(self, request: Recorded) -> Answer:
        return Answer(200, {"url": self._gateway_url()})

    def _gateway_bot(self, request: Recorded) -> Answer:
        limit = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 1}
        body = {"url": self._gateway_url(), "shards": self._world.shard_count, "session_start_limit": limit}
        return Answer(200, body)

    # commands

    def _commands(self, request: Recorded, app: str) -> Answer:
        return Answer(200, self._world.commands)

    def _register(self, request: Recorded, app: str) -> Answer:
        self._world.commands = [payloads.command(c, self._world.application_id) for c in request.body]
        return Answer(200, self._world.commands)

    # interactions

    def _callback(self, request: Recorded, interaction: str, token: str) -> Answer:
        asked = self._world.interactions.get(token)
        if asked is None or asked.id != int(interaction):
            return UNKNOWN_INTERACTION
        if asked.is_answered:
            return ALREADY_ANSWERED
        kind = request.body["type"]
        if (asked.kind == SLASH and kind in (6, 7)) or (asked.kind == MODAL_SUBMIT and kind == 9):
            return INVALID_FORM
        data = request.body.get("data") or {}
        if _conflicts(data, is_v2=False):
            return CONFLICTING_CONTENT
        asked.callback = request.body
        message = self._carry_out(asked, kind, data)
        if request.query.get("with_response") not in ("1", "true"):
            return NO_CONTENT
        return Answer(200, self._callback_response(asked, kind, message))

    def _carry_out(self, asked: Interaction, kind: int, data: dict[str, Any]) -> Message | None:
        """What the callback does to the world: the message it makes or changes, if any."""
        if kind in (4, 5):
            message = self._world.add_message(asked.channel_id, data, is_loading=kind == 5)
        elif kind in (6, 7) and asked.source is not None:
            message = self._world.messages[int(asked.source["id"])]
            if kind == 7:
                self._world.edit_message(message, data)
        else:
            return None
        asked.original_id = message.id
        return message

    def _callback_response(self, asked: Interaction, kind: int, message: Message | None) -> dict[str, Any]:
        described: dict[str, Any] = {"id": str(asked.id), "type": asked.kind}
        if message is None:
            return {"interaction": described}
        described["response_message_id"] = str(message.id)
        described["response_message_loading"] = message.is_loading
        described["response_message_ephemeral"] = message.is_ephemeral
        if kind in (5, 6):
            return {"interaction": described}
        return {"interaction": described, "resource": {"type": kind, "message": message.payload}}

    def _follow_up(self, request: Recorded, app: str, token: str) -> Answer:
        asked = self._world.interactions.get(token)
        if asked is None or not asked.is_answered:
            return UNKNOWN_WEBHOOK
        if _conflicts(request.body, is_v2=False):
            return CONFLICTING_CONTENT
        message = self._world.add_message(asked.channel_id, request.body)
        asked.followup_ids.append(message.id)
        return Answer(200, message.payload) if request.query.get("wait") in ("1", "true") else NO_CONTENT

    def _webhook_read(self, request: Recorded, app: str, token: str, which: str) -> Answer:
        return self._with_own(token, which, lambda message: Answer(200, message.payload))

    def _webhook_edit(self, request: Recorded, app: str, token: str, which: str) -> Answer:
        return self._with_own(token, which, lambda message: self._change(message, request.body))

    def _webhook_delete(self, request: Recorded, app: str, token: str, which: str) -> Answer:
        return self._with_own(token, which, self._remove)

    def _with_own(self, token: str, which: str, act: Callable[[Message], Answer]) -> Answer:
        """Acts on a message that belongs to the interaction."""
        asked = self._world.interactions.get(token)
        if asked is None:
            return UNKNOWN_WEBHOOK
        message_id = asked.original_id if which == "@original" else int(which)
        own = message_id in (asked.original_id, *asked.followup_ids)
        message = self._world.messages.get(message_id or 0)
        return UNKNOWN_MESSAGE if message is None or not own else act(message)

    # channels

    def _channel(self, request: Recorded, channel: str) -> Answer:
        found = self._world.channel(int(channel))
        return UNKNOWN_CHANNEL if found is None else Answer(200, found)

    def _typing(self, request: Recorded, channel: str) -> Answer:
        return UNKNOWN_CHANNEL if self._world.channel(int(channel)) is None else NO_CONTENT

    def _say(self, request: Recorded, channel: str) -> Answer:
        if self._world.channel(int(channel)) is None:
            return UNKNOWN_CHANNEL
        if _conflicts(request.body, is_v2=False):
            return CONFLICTING_CONTENT
        return Answer(200, self._world.say_once(int(channel), request.body).payload)

    def _read(self, request: Recorded, channel: str, message: str) -> Answer:
        return self._with_public(channel, message, lambda found: Answer(200, found.payload))

    def _edit(self, request: Recorded, channel: str, message: str) -> Answer:
        return self._with_public(channel, message, lambda found: self._change(found, request.body))

    def _delete(self, request: Recorded, channel: str, message: str) -> Answer:
        return self._with_public(channel, message, self._remove)

    def _with_public(self, channel: str, message: str, act: Callable[[Message], Answer]) -> Answer:
        """Acts on a message of the channel; private ones are reached through their interaction only."""
        found = self._world.messages.get(int(message))
        if found is None or found.channel_id != int(channel) or found.payload["flags"] & EPHEMERAL:
            return UNKNOWN_MESSAGE
        return act(found)

    def _change(self, message: Message, body: dict[str, Any]) -> Answer:
        if _conflicts(body, is_v2=bool(message.payload["flags"] & V2)):
            return CONFLICTING_CONTENT
        self._world.edit_message(message, body)
        return Answer(200, message.payload)

    def _remove(self, message: Message) -> Answer:
        del self._world.messages[message.id]
        return NO_CONTENT


def _conflicts(body: dict[str, Any], *, is_v2: bool) -> bool:
    """Whether old content is put into a message of components V2."""
    is_v2 = is_v2 or bool((body.get("flags") or 0) & V2)
    return is_v2 and any(body.get(key) for key in ("content", "embeds", "poll"))
