"""The gateway: HELLO, IDENTIFY, READY, heartbeats, RESUME, and every way of ending a connection."""

from __future__ import annotations

import json
import uuid
import zlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.wire import payloads
from tests.wire.pulse import Pulse
from tests.wire.world import World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 0, 1, 2, 6, 7, 9, 10, 11
CLOSE_NOT_AUTHENTICATED, CLOSE_WRONG_TOKEN = 4003, 4004
HEARTBEAT_INTERVAL_MS = 41_250


class Connection:
    """One websocket; compresses as the client asked, with one zlib stream for the whole connection."""

    def __init__(self, socket: web.WebSocketResponse, transport: Any, *, is_compressed: bool) -> None:
        self.socket = socket
        self._transport = transport
        self._zlib = zlib.compressobj() if is_compressed else None
        self._is_cut = False

    @property
    def is_open(self) -> bool:
        return not self._is_cut and not self.socket.closed

    async def send(self, op: int, data: Any = None, *, event: str | None = None, seq: int | None = None) -> None:
        text = json.dumps({"op": op, "d": data, "t": event, "s": seq})
        try:
            if self._zlib is None:
                await self.socket.send_str(text)
            else:
                await self.socket.send_bytes(self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH))
        except ConnectionResetError:
            # The client has gone; what it missed waits in its session.
            self._is_cut = True

    def cut(self) -> None:
        """Ends the connection without a word, as a dying network does."""
        self._is_cut = True
        self._transport.abort()


@dataclass
class Session:
    """What survives a lost connection: the events sent so far, for the replay."""

    id: str
    shard: int
    connection: Connection | None
    events: list[tuple[str, Any]] = field(default_factory=list)
    num_resumes: int = 0


class Gateway:
    """All connections of the bot. Events go to the session of their shard and wait there while it is away."""

    def __init__(self, world: World, pulse: Pulse) -> None:
        self._world = world
        self._pulse = pulse
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.identifies: list[dict[str, Any]] = []
        self.refused_resumes = 0
        self.close_codes: list[int | None] = []
        self._refusals: list[int] = []
        self._connections: list[Connection] = []

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """One websocket from its first to its last frame."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        compressed = request.query.get("compress") == "zlib-stream"
        connection = Connection(socket, request.transport, is_compressed=compressed)
        self._connections.append(connection)
        await connection.send(HELLO, {"heartbeat_interval": HEARTBEAT_INTERVAL_MS})
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await self._receive(connection, json.loads(frame.data))
                self._pulse.beat()
        self.close_codes.append(socket.close_code)
        self._pulse.beat()
        return socket

    async def _receive(self, connection: Connection, frame: dict[str, Any]) -> None:
        if frame["op"] == HEARTBEAT:
            await connection.send(HEARTBEAT_ACK)
        elif frame["op"] == IDENTIFY:
            await self._identify(connection, frame["d"])
        elif frame["op"] == RESUME:
            await self._resume(connection, frame["d"])
        elif self.session_on(connection) is None:
            await connection.socket.close(code=CLOSE_NOT_AUTHENTICATED)

    async def _identify(self, connection: Connection, data: dict[str, Any]) -> None:
        self.identifies.append(data)
        if self._refusals:
            await connection.socket.close(code=self._refusals.pop(0))
            return
        if data["token"] != self._world.token:
            await connection.socket.close(code=CLOSE_WRONG_TOKEN)
            return
        shard, count = data.get("shard", [0, 1])
        session = Session(uuid.uuid4().hex, shard, connection)
        self.sessions[session.id] = session
        guilds = [g for g in self._world.guilds if (int(g["id"]) >> 22) % count == shard]
        await self._send(session, "READY", self._ready(session, guilds, count))
        for guild in guilds:
            await self._send(session, "GUILD_CREATE", guild)

    def _ready(self, session: Session, guilds: list[dict[str, Any]], count: int) -> dict[str, Any]:
        return {
            "v": 10,
            "user": payloads.own_user(self._world.me),
            "guilds": [{"id": g["id"], "unavailable": True} for g in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "shard": [session.shard, count],
            "application": {"id": str(self._world.application_id), "flags": 0},
            "private_channels": [],
            "presences": [],
        }

    async def _resume(self, connection: Connection, data: dict[str, Any]) -> None:
        session = self.sessions.get(data["session_id"])
        if session is None or data["token"] != self._world.token:
            self.refused_resumes += 1
            await connection.send(INVALID_SESSION, False)
            return
        session.connection = connection
        session.num_resumes += 1
        for seq in range(data["seq"] + 1, len(session.events) + 1):
            event, payload = session.events[seq - 1]
            await connection.send(DISPATCH, payload, event=event, seq=seq)
        await self._send(session, "RESUMED", {"_trace": []})

    async def dispatch(self, guild_id: int, event: str, data: dict[str, Any]) -> None:
        """Sends an event to its server's shard; kept for the replay while the shard is away."""
        await self._send(self.session(self._world.shard_of(guild_id)), event, data)

    async def repeat_last(self, shard: int = 0) -> None:
        """Delivers the shard's last event once more, as overlapping sessions and late replays do."""
        session = self.session(shard)
        await self._send(session, *session.events[-1])

    async def _send(self, session: Session, event: str, data: Any) -> None:
        session.events.append((event, data))
        connection = session.connection
        if connection is not None and connection.is_open:
            await connection.send(DISPATCH, data, event=event, seq=len(session.events))

    def session(self, shard: int = 0) -> Session:
        """The shard's newest session."""
        return [s for s in self.sessions.values() if s.shard == shard][-1]

    def session_on(self, connection: Connection) -> Session | None:
        return next((s for s in self.sessions.values() if s.connection is connection), None)

    def refuse_next_identify(self, code: int) -> None:
        """The next IDENTIFY is answered by closing with this code (4004 wrong token, 4014 forbidden intents, …)."""
        self._refusals.append(code)

    def forget(self, shard: int = 0) -> None:
        """The shard's session can no longer be resumed."""
        session = self.session(shard)
        del self.sessions[session.id]

    async def close(self, code: int, shard: int = 0, *, is_forgotten: bool = False) -> None:
        """Closes the shard's connection with this code; a forgotten session cannot be resumed."""
        connection = self._connection(shard)
        if is_forgotten:
            self.forget(shard)
        await connection.socket.close(code=code)

    async def ask_to_reconnect(self, shard: int = 0) -> None:
        """Op 7, as before every deployment of Discord's."""
        await self._connection(shard).send(RECONNECT)

    async def invalidate(self, shard: int = 0, *, is_resumable: bool) -> None:
        """Op 9; without `is_resumable` the session is gone."""
        connection = self._connection(shard)
        if not is_resumable:
            self.forget(shard)
        await connection.send(INVALID_SESSION, is_resumable)

    async def cut(self, shard: int = 0) -> None:
        """The network dies."""
        self._connection(shard).cut()

    async def stop(self) -> None:
        for connection in self._connections:
            await connection.socket.close(code=1001)

    def _connection(self, shard: int) -> Connection:
        connection = self.session(shard).connection
        assert connection is not None
        return connection
