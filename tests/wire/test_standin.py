"""The stand-in itself, with a small client: every way of answering works over real sockets."""

from __future__ import annotations

import pytest

from tests.contract.message import EPHEMERAL, V2
from tests.wire.conftest import Connect
from tests.wire.members import buttons_of, join, text_of
from tests.wire.minimal_client import MinimalClient
from tests.wire.standin import StandIn


async def test_the_client_becomes_ready_with_every_server(standin: StandIn, connected: Connect) -> None:
    client = MinimalClient()
    async with connected(client):
        assert len(client.guilds) == 2
        assert client.shard_count == standin.world.shard_count == len(standin.gateway.identifies)
    assert [i["shard"] for i in standin.gateway.identifies] == [
        [n, standin.world.shard_count] for n in range(standin.world.shard_count)
    ]


@pytest.mark.parametrize("guild", [0, 1])
async def test_a_command_is_answered_in_its_server(standin: StandIn, connected: Connect, guild: int) -> None:
    async with connected(MinimalClient()):
        asked = await join(standin, "ann", guild).slash("ping", words="Hello")
        message = await asked.message()
        assert text_of(message) == "Hello"
        assert message.channel_id == asked.interaction.channel_id


async def test_a_deferred_answer_becomes_a_panel_whose_button_works(standin: StandIn, connected: Connect) -> None:
    async with connected(MinimalClient()):
        ann = join(standin, "ann")
        panel = await (await ann.slash("slow")).message()
        assert panel.payload["flags"] & V2
        assert text_of(panel) == "It took a while."
        pressed = await (await ann.click(panel, buttons_of(panel)["Number 7"])).message()
        assert text_of(pressed) == "You pressed 7."
        assert pressed.payload["flags"] & EPHEMERAL


async def test_a_modal_is_shown_and_its_answer_arrives(standin: StandIn, connected: Connect) -> None:
    async with connected(MinimalClient()):
        ann = join(standin, "ann")
        shown = await (await ann.slash("ask")).answered()
        assert shown["type"] == 9
        assert await (await ann.submit(shown, {"words": "a lot"})).text() == "You wrote a lot."


async def test_channel_messages_and_follow_ups_work(standin: StandIn, connected: Connect) -> None:
    async with connected(MinimalClient()):
        asked = await join(standin, "ann").slash("post")
        await standin.pulse.until(lambda: asked.interaction.followup_ids, "the follow-up")
        texts = [text_of(m) for m in standin.world.messages.values()]
        assert texts == ["Posting.", "Second", "Posted."]


async def test_a_message_that_discord_would_refuse_fails_the_check(standin: StandIn, connected: Connect) -> None:
    client = MinimalClient()
    async with connected(client):
        asked = await join(standin, "ann").slash("ping", words="x" * 2001)
        await asked.answered()
    with pytest.raises(AssertionError, match="at most 2000"):
        standin.check()
    standin.forget()
