"""The oracle over Discord's description: it takes what discord.py really sends, and refuses what Discord refuses."""

from __future__ import annotations

from typing import Any

import discord
import pytest
from discord import app_commands
from discord.http import handle_message_parameters

from tests.contract.check import check_commands, check_requests
from tests.contract.description import TOLERATIONS, Toleration, require_published
from tests.contract.oracle import Oracle
from tests.contract.recorded import Recorded
from tests.contract.samples import (
    ORIGINAL,
    answer,
    ballot,
    button,
    command,
    commands,
    create,
    edit,
    edit_original,
    label,
    modal,
    option,
    row,
    said,
)
from tests.contract.test_rules import GOOD


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle(require_published())


def params(**options: Any) -> dict[str, Any]:
    """The body that discord.py makes of these options."""
    with handle_message_parameters(allowed_mentions=discord.AllowedMentions.none(), **options) as made:
        return made.payload


class Ballot(discord.ui.LayoutView):
    """Every part of a ballot, as discord.py builds it."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        section = discord.ui.Section("Candidate A", accessory=discord.ui.Button(label="Vote A", custom_id="v:a"))
        parts = [discord.ui.TextDisplay("## A story"), section, discord.ui.Separator()]
        self.add_item(discord.ui.Container(*parts, accent_colour=0x336699))
        options = [discord.SelectOption(label="One"), discord.SelectOption(label="Two")]
        self.add_item(discord.ui.ActionRow(discord.ui.Select(custom_id="s", options=options)))


class Writing(discord.ui.Modal, title="Write a passage"):
    """A modal as discord.py builds it."""

    passage = discord.ui.Label(text="Passage", component=discord.ui.TextInput(style=discord.TextStyle.long))


async def test_what_discord_py_sends_passes(oracle: Oracle) -> None:
    sent = [
        create(params(view=Ballot(), nonce="1234567890")),
        edit(params(view=Ballot())),
        edit_original(params(view=Ballot())),
        answer(params(content="Counted.", flags=discord.MessageFlags(ephemeral=True))),
        answer(params(view=Ballot()), 7),
        Recorded(
            "POST", "/interactions/1/t/callback", {"with_response": "1"}, {"type": 9, "data": Writing().to_dict()}
        ),
        Recorded("POST", "/webhooks/1/t", {"wait": "true"}, params(content="More")),
        Recorded("GET", "/gateway/bot"),
        Recorded("GET", "/users/@me"),
        Recorded("DELETE", ORIGINAL),
    ]
    assert {str(r): list(oracle.request_faults(r)) for r in sent if list(oracle.request_faults(r))} == {}


@pytest.mark.parametrize("request_", GOOD.values(), ids=GOOD.keys())
def test_the_rules_good_requests_fit_the_description_too(oracle: Oracle, request_: Recorded) -> None:
    assert list(oracle.request_faults(request_)) == []


REFUSED = {
    "no such route": Recorded("POST", "/channels/1/message", body=said()),
    "path parameter channel_id": Recorded("POST", "/channels/None/messages", body=said()),
    "unknown query parameter wat": Recorded("POST", "/webhooks/1/t", {"wat": "1"}, said()),
    "query parameter wait": Recorded("POST", "/webhooks/1/t", {"wait": "perhaps"}, said()),
    "the body is missing": Recorded("POST", "/channels/1/messages"),
    "takes none": Recorded("GET", "/gateway/bot", body={}),
    "'flgs' was unexpected": create(said(flgs=64)),
    "'colour' was unexpected": create(ballot(row(button(colour=1)))),
    "components/0/components/0/label": create(ballot(row(button(label="x" * 81)))),
    "components/0/components/0/style": create(ballot(row(button(style=9)))),
    "data/content": answer(said("x" * 2001)),
    "data/title": modal(title="x" * 46),
    "data/components/0/label": modal(label(label="x" * 46)),
    "type": answer({}, 3),
    "allowed_mentions/parse/0": create(said(allowed_mentions={"parse": ["nobody"]})),
    "0/options/0/type": commands(command("a", option(type=99))),
    "0/options/0: 'description'": commands(command("a", {"type": 3, "name": "b"})),
    "0/name": commands(command("x" * 33)),
    "0/options: ": commands(command("a", *[option(f"o{n}") for n in range(26)])),
    "0/description": commands(command(description="x" * 101)),
    "flags": edit(said(flags="64")),
}


@pytest.mark.parametrize(("complaint", "request_"), REFUSED.items(), ids=REFUSED.keys())
def test_wrong_requests_are_refused_at_the_right_place(oracle: Oracle, complaint: str, request_: Recorded) -> None:
    faults = list(oracle.request_faults(request_))
    assert any(complaint in fault for fault in faults), faults


TOLERATED = {
    "nsfw in commands": commands(command(nsfw=False)),
    "tts in edits": edit(said(tts=False)),
    "flags in embeds": create({"embeds": [{"title": "x", "flags": 0}]}),
    "integer recipients": Recorded("POST", "/users/@me/channels", body={"recipient_id": 1}),
    "integer attachment ids": create(said(attachments=[{"id": 0, "filename": "a.txt"}])),
}


@pytest.mark.parametrize("toleration", TOLERATIONS, ids=lambda t: t.name)
def test_every_toleration_is_needed_and_enough(oracle: Oracle, toleration: Toleration) -> None:
    strictest = Oracle(require_published(), [t for t in TOLERATIONS if t is not toleration])
    assert list(strictest.request_faults(TOLERATED[toleration.name]))
    assert not list(oracle.request_faults(TOLERATED[toleration.name]))


def test_the_most_literal_route_is_taken(oracle: Oracle) -> None:
    found = oracle.operation("PATCH", ORIGINAL)
    assert found is not None
    assert found[0].template.endswith("/messages/@original")
    found = oracle.operation("PATCH", ORIGINAL.replace("@original", "7"))
    assert found is not None
    assert found[1]["message_id"] == "7"


def test_a_route_needs_its_method(oracle: Oracle) -> None:
    assert oracle.operation("GET", "/channels/1/messages") is not None
    assert oracle.operation("PUT", "/channels/1/messages") is None


def test_answers_are_checked_as_published(oracle: Oracle) -> None:
    path = "/gateway/bot"
    good = {"url": "ws://127.0.0.1", "shards": 1}
    good["session_start_limit"] = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
    assert list(oracle.response_faults("GET", path, 200, good)) == []
    assert list(oracle.response_faults("GET", path, 200, {**good, "shards": "1"}))
    assert list(oracle.response_faults("GET", path, 201, good))
    assert list(oracle.response_faults("GET", path, 401, {"code": 0, "message": "401: Unauthorized"})) == []
    assert list(oracle.response_faults("GET", path, 429, {"message": "slow", "global": False}))
    assert list(oracle.response_faults("GET", path, 502, None)) == []
    assert list(oracle.response_faults("DELETE", ORIGINAL, 204, {}))


def test_a_check_names_every_fault_with_its_request() -> None:
    bad = [create({"content": "x"}), commands(command("Big"))]
    with pytest.raises(AssertionError) as caught:
        check_requests(bad)
    assert "POST /channels/30/messages: allowed_mentions is missing" in str(caught.value)
    assert "PUT /applications/20/commands: /Big: the name 'Big'" in str(caught.value)


async def test_a_bots_commands_are_checked_from_its_tree() -> None:
    async with discord.Client(intents=discord.Intents.none()) as client:
        client.tree = app_commands.CommandTree(client)  # type: ignore[attr-defined]

        async def talk(interaction: discord.Interaction, words: str) -> None: ...

        client.tree.add_command(app_commands.Command(name="talk", description="Say it", callback=talk))  # type: ignore[attr-defined]
        check_commands(client)
        client.tree.get_command("talk").description = "x" * 101  # type: ignore[attr-defined]
        with pytest.raises(AssertionError, match="101 characters"):
            check_commands(client)
