"""The page over its front door: opened with the key, actions one after another, changes shown by themselves."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from simcord import SetupError
from simcord.preview import _markdown

from bot.demo.door import CannotListen, listen, page_address, with_newest_revision
from bot.demo.heartbeat import Heartbeat
from bot.demo.page import Screen, local_timezone, open_page
from bot.demo.parsers import kept_parsers
from bot.demo.world import World
from tests.bot.demo.conftest import SmallBot, draw_button

KEY = "a-key"


class Visitor:
    """What the page's script does, as far as these tests need it."""

    def __init__(self, session: aiohttp.ClientSession, root: str, key: str = KEY) -> None:
        self._session = session
        self._root = root
        self._headers = {"X-Simcord-Capability": key}
        self._sequence = 0
        self.state: dict[str, Any] = {}

    async def enter(self) -> int:
        async with self._session.post(f"{self._root}/api/pages", json={}, headers=self._headers) as answer:
            if answer.status == 200:
                self.state = await answer.json()
                self._headers["X-Simcord-Context"] = self.state["context"]["id"]
            return answer.status

    async def look(self) -> dict[str, Any]:
        async with self._session.get(f"{self._root}/api/state", headers=self._headers) as answer:
            self.state = await answer.json()
            return self.state

    async def turn_to(self, channel: str) -> int:
        address = f"{self._root}/talewright/channel/{channel}"
        async with self._session.post(address, headers=self._headers) as answer:
            return answer.status

    async def act(self, kind: str, **fields: Any) -> dict[str, Any]:
        self._sequence += 1
        body = {
            "protocol_version": 3,
            "sequence": self._sequence,
            "request_id": f"request-{self._sequence}",
            "generation": self.state["context"]["generation"],
            "bot_generation": self.state["botGeneration"],
            "published_revision": self.state["publishedRevision"],
            "kind": kind,
            **fields,
        }
        async with self._session.post(f"{self._root}/api/action", json=body, headers=self._headers) as answer:
            receipt: dict[str, Any] = await answer.json()
            return receipt

    async def run_command(self, name: str) -> dict[str, Any]:
        async with self._session.get(f"{self._root}/api/commands", headers=self._headers) as answer:
            entries = (await answer.json())["entries"]
        (entry,) = (entry for entry in entries if entry["invocation"] == name)
        return await self.act(
            "run_command",
            command_id=entry["commandId"],
            path=entry["path"],
            schema_fingerprint=entry["schemaFingerprint"],
            options={},
        )


@asynccontextmanager
async def visited(world: World) -> AsyncIterator[Visitor]:
    listening = listen("127.0.0.1", 0)
    async with open_page(world, listening, KEY), aiohttp.ClientSession() as session:
        visitor = Visitor(session, page_address(listening, KEY).partition("/#")[0])
        assert await visitor.enter() == 200
        yield visitor


async def until_texts(visitor: Visitor, wanted: str) -> None:
    while wanted not in json.dumps((await visitor.look())["messages"]):  # noqa: ASYNC110 - asked over HTTP
        await asyncio.sleep(0.05)


async def send(world: World, **message: Any) -> Any:
    channel = world.env.bot.get_channel(world.channel.id)
    return await channel.send(**message)  # type: ignore[union-attr]


async def test_without_the_key_the_page_stays_shut(small_world: World) -> None:
    listening = listen("127.0.0.1", 0)
    async with open_page(small_world, listening, KEY), aiohttp.ClientSession() as session:
        root = page_address(listening, KEY).partition("/#")[0]
        assert await Visitor(session, root, "another").enter() == 401
        assert await Visitor(session, root, "").enter() == 401
        assert await Visitor(session, root).enter() == 200


async def test_the_page_bears_the_products_name(small_world: World) -> None:
    listening = listen("127.0.0.1", 0)
    async with open_page(small_world, listening, KEY), aiohttp.ClientSession() as session:
        root = page_address(listening, KEY).partition("/#")[0]
        async with session.get(f"{root}/") as answer:
            page = await answer.text()
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert "<title>Talewright demo</title>" in page
        assert "<strong>Talewright</strong>" in page
        assert '<span class="brand-mark" aria-hidden="true">T</span>' in page
        assert "<option selected>story-circle</option><option>moderators</option>" in page
        for path, kind in (
            ("/talewright.css", "text/css"),
            ("/talewright.js", "javascript"),
            ("/favicon.ico", "image/png"),
            ("/app.js", "javascript"),
        ):
            async with session.get(root + path) as answer:
                assert answer.status == 200
                assert kind in answer.headers["Content-Type"]


async def test_three_members_can_be_chosen(small_world: World) -> None:
    async with visited(small_world) as visitor:
        assert [viewer["name"] for viewer in visitor.state["viewers"]] == ["Ada", "Ben", "Chloe"]


async def test_the_page_turns_to_the_moderators_channel_and_back(small_world: World) -> None:
    await send(small_world, content="a story")
    async with visited(small_world) as visitor:
        assert await visitor.turn_to("moderators") == 204
        assert await visitor.enter() == 200
        assert "a story" not in json.dumps(visitor.state["messages"])
        assert [viewer["name"] for viewer in visitor.state["viewers"]] == ["Ada"]
        moderators = small_world.env.bot.get_channel(small_world.moderators.id)
        await moderators.send("a report")  # type: ignore[union-attr]
        await asyncio.wait_for(until_texts(visitor, "a report"), 20)
        assert await visitor.turn_to("nowhere") == 404
        assert await visitor.turn_to("story-circle") == 204
        assert await visitor.enter() == 200
        assert "a story" in json.dumps(visitor.state["messages"])


async def test_only_an_end_of_the_session_ends_the_page(small_world: World) -> None:
    screen = Screen(small_world, {}, "UTC")
    await screen.open()
    ended = asyncio.create_task(screen.wait_ended())
    for name in ("moderators", "story-circle", "story-circle"):
        assert await screen.turn_to(name)
        await asyncio.sleep(0)
        assert not ended.done()
    await screen.close()
    await asyncio.wait_for(ended, 20)


async def test_turning_the_page_needs_the_key(small_world: World) -> None:
    async with visited(small_world) as visitor, aiohttp.ClientSession() as session:
        stranger = Visitor(session, visitor._root, "another")
        assert await stranger.turn_to("moderators") == 401
        assert (await visitor.look())["viewers"][1]["name"] == "Ben"


async def test_what_the_bot_does_by_itself_appears_on_the_page(small_world: World) -> None:
    async with visited(small_world) as visitor:
        await send(small_world, content="a deadline has passed")
        await asyncio.wait_for(until_texts(visitor, "a deadline has passed"), 20)


async def test_a_slow_command_leaves_the_page_usable(small_world: World) -> None:
    bot = small_world.env.bot
    assert isinstance(bot, SmallBot)
    async with visited(small_world) as visitor:
        receipt = await visitor.run_command("slow")
        assert (receipt["settlement"], receipt["acknowledgement"]) == ("settled", "deferred")
        await visitor.look()
        said = await visitor.act("send_message", content="meanwhile")
        assert said["settlement"] == "settled"
        assert not bot.answer.is_set()
        bot.answer.set()
        await asyncio.wait_for(until_texts(visitor, "here it is"), 20)


async def test_a_click_on_a_picture_that_is_behind_is_delivered(small_world: World) -> None:
    bot = small_world.env.bot
    assert isinstance(bot, SmallBot)
    message = await send(small_world, view=draw_button())
    async with visited(small_world) as visitor:
        key = f"message:{message.id}:component:{find_button(visitor.state, message.id)}"
        await send(small_world, content="news")
        while visitor.state["publishedRevision"] == (seen := visitor.state["publishedRevision"]):
            newer = await visitor.look()
            if newer["publishedRevision"] > seen:
                visitor.state = {**newer, "publishedRevision": seen}
                break
            await asyncio.sleep(0.05)
        receipt = await visitor.act("click", control_key=key, target_id=str(message.id))
        assert receipt["rejected"] is False
        assert receipt["settlement"] == "settled"
        assert bot.clicks == 1


async def test_actions_at_the_same_time_wait_for_each_other(small_world: World) -> None:
    async with visited(small_world) as first, aiohttp.ClientSession() as session:
        second = Visitor(session, first._root)
        assert await second.enter() == 200
        receipts = await asyncio.gather(
            *(v.act("send_message", content=f"at once {n}") for n, v in enumerate((first, second)))
        )
        assert [r["settlement"] for r in receipts] == ["settled", "settled"]


def find_button(state: dict[str, Any], message_id: int) -> str:
    (component,) = state["messages"][str(message_id)]["components"][0]["components"]
    return str(component["id"])


async def test_a_beat_that_overlaps_an_action_is_skipped_and_comes_again(small_world: World) -> None:
    env = small_world.env
    async with env.preview(small_world.channel, viewers=small_world.members, layout="channel") as preview:
        heart = Heartbeat(env, lambda: preview, asyncio.Lock())
        await heart.beat()
        before = (await preview.snapshot())["publishedRevision"]
        await send(small_world, content="news")
        release = asyncio.Event()

        async def act() -> None:
            env._begin_operation("a test's action")
            await release.wait()
            env._end_operation()

        acting = asyncio.create_task(act())
        await asyncio.sleep(0)
        with pytest.raises(SetupError, match="overlaps"):
            await env.settle()
        await heart.beat()
        release.set()
        await acting
        await heart.beat()
        assert (await preview.snapshot())["publishedRevision"] > before + 1


async def test_the_page_is_drawn_again_now_and_then_though_nothing_happened(small_world: World) -> None:
    env = small_world.env
    at = 0.0
    async with env.preview(small_world.channel, viewers=small_world.members, layout="channel") as preview:
        heart = Heartbeat(env, lambda: preview, asyncio.Lock(), redraw_s=10.0, monotonic=lambda: at)
        await heart.beat()
        drawn = preview._python.revision  # type: ignore[union-attr]
        at = 9.0
        await heart.beat()
        assert preview._python.revision == drawn  # type: ignore[union-attr]
        at = 10.0
        await heart.beat()
        assert preview._python.revision == drawn + 1  # type: ignore[union-attr]


def test_only_an_action_refused_for_its_age_is_handed_in_again() -> None:
    action = json.dumps({"kind": "click", "sequence": 3, "published_revision": 4}).encode()

    def receipt(**fields: Any) -> bytes:
        return json.dumps(
            {"rejected": True, "revision": 9, "diagnostics": [{"code": "stale-revision"}], **fields}
        ).encode()

    assert json.loads(with_newest_revision(action, receipt()) or b"{}") == {
        "kind": "click",
        "sequence": 3,
        "published_revision": 9,
    }
    assert with_newest_revision(action, receipt(rejected=False)) is None
    assert with_newest_revision(action, receipt(diagnostics=[{"code": "validation-failed"}])) is None
    assert with_newest_revision(b"--multipart", receipt()) is None
    assert with_newest_revision(action, b"<html>") is None


def test_kept_parsers_draw_what_new_ones_draw() -> None:
    texts = [
        "**bold** ||secret|| https://example.org <t:1700000000:R>",
        "plain",
        "> quoted\n-# small",
        "`code` @everyone",
    ]
    texts += ["<@1> and <#2>", "# head", "1. one\n2. two"] * 2
    contexts: list[dict[str, Any]] = [
        {},
        {"users": {"1": "Ada"}, "channels": {"2": "story-circle"}},
        {"users": {"1": "Ben"}},
    ]
    profiles = ["message", "embed_description", "embed_field_value", "label"]
    cases = [(text, profile, context) for text in texts for profile in profiles for context in contexts]
    new = [_markdown.markdown_tokens(text, profile, context=context) for text, profile, context in cases]
    with kept_parsers():
        assert [_markdown.markdown_tokens(text, profile, context=context) for text, profile, context in cases] == new
    assert [_markdown.markdown_tokens(text, profile, context=context) for text, profile, context in cases] == new


def test_an_occupied_port_is_named() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"something already listens on 127.0.0.1:{port}"):
            listen("127.0.0.1", port)
    with pytest.raises(CannotListen, match="cannot listen on"):
        listen("192.0.2.1", 0)


def test_the_address_is_one_for_a_browser_here() -> None:
    with listen("0.0.0.0", 0) as everywhere, listen("127.0.0.1", 0) as here:
        assert page_address(everywhere, "k") == f"http://127.0.0.1:{everywhere.getsockname()[1]}/#k"
        assert page_address(here, "k") == f"http://127.0.0.1:{here.getsockname()[1]}/#k"
        assert isinstance(here, socket.socket)


def test_the_time_zone_is_the_machines_or_utc(tmp_path: Path) -> None:
    zone = tmp_path / "zoneinfo" / "Europe" / "Berlin"
    link = tmp_path / "localtime"
    link.symlink_to(zone)
    assert local_timezone(link) == "Europe/Berlin"
    assert local_timezone(tmp_path / "missing") == "UTC"
    other = tmp_path / "other"
    other.symlink_to(tmp_path / "zoneinfo" / "No" / "Where")
    assert local_timezone(other) == "UTC"
