"""The rules beside the description: each accepts what Discord takes, and each can fail."""

from __future__ import annotations

import pytest

from tests.contract.command_rules import is_command_name
from tests.contract.message import V2
from tests.contract.recorded import Recorded
from tests.contract.rules import rule_faults
from tests.contract.samples import (
    NOBODY,
    answer,
    ballot,
    button,
    command,
    commands,
    container,
    create,
    edit,
    edit_original,
    field,
    label,
    modal,
    option,
    row,
    said,
    text,
    without,
)

SELECT = {"type": 3, "custom_id": "s", "options": [{"label": "One", "value": "1"}, {"label": "Two", "value": "2"}]}
LINK = {"type": 2, "style": 5, "label": "Open", "url": "https://example.com"}
SECTION = {"type": 9, "components": [text()], "accessory": button()}
FILE = {"type": 13, "file": {"url": "attachment://story.txt"}}
MANY_CHOICES = [{"name": f"{n:02}" + "x" * 90, "value": str(n)} for n in range(25)]

GOOD = {
    "a ballot": create(ballot()),
    "a ballot in an edit": edit(ballot()),
    "a ballot in place of the first answer": edit_original(ballot()),
    "a ballot as an answer": answer(ballot()),
    "a private sentence": answer(said(flags=64)),
    "an update of the clicked message": answer(ballot(), 7),
    "a silent message": create(said(flags=1 << 12)),
    "exactly 2000 characters": create(said("x" * 2000)),
    "exactly 4000 characters in two texts": create(ballot(text("x" * 3000), text("y" * 1000))),
    "exactly forty components": create(ballot(*[text() for _ in range(40)])),
    "five buttons": create(ballot(row(*[button(str(n)) for n in range(5)]))),
    "a label of 80": create(ballot(row(button(label="x" * 80)))),
    "a select": create(ballot(row(SELECT))),
    "a link": create(ballot(row(LINK))),
    "a section": create(ballot(SECTION)),
    "a file that is uploaded": create(ballot(FILE), files=("story.txt",)),
    "a file that stays attached": create(ballot(FILE, attachments=[{"id": "1", "filename": "story.txt"}])),
    "buttons taken away from a message": edit({"components": []}),
    "an edit that carries no text": edit(ballot(row(button()), allowed_mentions=None)),
    "deferring privately": answer({"flags": 64}, 5),
    "deferring an update": answer(None, 6),
    "suggestions": answer({"choices": [{"name": "ten", "value": "10"}]}, 8),
    "a modal": modal(),
    "commands": commands(command("continue", option()), command("story", option("start", type=1, options=[option()]))),
    "required before optional": commands(command("a", option("b", required=True), option("c"))),
    "a menu of the same name": commands(command("story"), {"type": 3, "name": "story"}),
}

BAD = {
    "missing": create(without(ballot(), "allowed_mentions")),
    "defaults would ping": edit(without(ballot(), "allowed_mentions")),
    "wanted none": answer(said(allowed_mentions={"parse": ["users"]})),
    "allowed_mentions is {'parse': [], 'users'": create(said(allowed_mentions={"parse": [], "users": ["1"]})),
    "at most 2000 for a bot": create(said("x" * 2001)),
    "content has 2002": create(said("😀" * 1001)),
    "content is blank": create(said(" \n")),
    "at most 6000": create({"embeds": [{"description": "x" * 4000}, {"description": "y" * 2001}]}),
    "an empty message": create({"allowed_mentions": NOBODY}),
    "flags 64 cannot be set": create(said(flags=64)),
    "flags 4096 cannot be set": edit(said(flags=1 << 12)),
    "content beside": create(ballot(content="hello")),
    "embeds beside": edit_original(ballot(embeds=[{"title": "x"}])),
    "without the flag": create(ballot(flags=0)),
    "only action rows": answer(said(components=[button()])),
    "6 rows, at most 5": answer(said(components=[row(button(str(n))) for n in range(6)])),
    "41 components": create(ballot(container(*[text() for _ in range(40)]))),
    "4001 characters": create(ballot(text("x" * 4000), container(text("y")))),
    "a text display without text": create(ballot(text(" "))),
    "stands 2 times": create(ballot(row(button("A"), button("A")))),
    "has 101 characters, wanted 1-100": create(ballot(row(button(custom_id="x" * 101)))),
    "component id 7 stands 2": create(ballot({**text(), "id": 7}, {**text(), "id": 7})),
    "an empty action row": create(ballot(row())),
    "6 buttons in a row": create(ballot(row(*[button(str(n)) for n in range(6)]))),
    "up to 5 buttons or one select": create(ballot(row(button(), SELECT))),
    "has 81 characters, at most 80": create(ballot(row(button(label="x" * 81)))),
    "neither label nor emoji": create(ballot(row(button(label="")))),
    "a link button needs a url": create(ballot(row({**LINK, "url": None}))),
    "needs a custom_id and takes no url": create(ballot(row(button(custom_id=None)))),
    "wants 3 to 2 values": create(ballot(row({**SELECT, "min_values": 3, "max_values": 2}))),
    "allows 3 of 2 options": create(ballot(row({**SELECT, "max_values": 3}))),
    "with 26 options": create(ballot(row({**SELECT, "options": [{"label": "x", "value": str(n)} for n in range(26)]}))),
    "two options of the same value": create(ballot(row({**SELECT, "options": [{"label": "x", "value": "1"}] * 2}))),
    "an empty container": create(ballot(container())),
    "type 17 inside a container": create(ballot(container(container(text())))),
    "type 2 at the top": create(ballot(button())),
    "one to three text displays": create(ballot({**SECTION, "components": []})),
    "a button or a thumbnail": create(ballot({**SECTION, "accessory": text()})),
    "is not among the files": create(ballot(FILE), files=("other.txt",)),
    "the ephemeral flag only": answer({"flags": 64 | V2}, 5),
    "takes no data": answer({"flags": 64}, 6),
    "26 choices": answer({"choices": [{"name": str(n), "value": n} for n in range(26)]}, 8),
    "name and value have at most 100": answer({"choices": [{"name": "x" * 101, "value": "x"}]}, 8),
    "a modal with 6 components": modal(*[label(field(custom_id=str(n))) for n in range(6)]),
    "modal's title has 46": modal(title="x" * 46),
    "'text' stands 2 times": modal(label(), label()),
    "a text input of 5 to 4": modal(label(field(min_length=5, max_length=4))),
    "a text input of 1 to 4001": modal(label(field(max_length=4001))),
    "value is longer": modal(label(field(max_length=2, value="abc"))),
    "placeholder has more than 100": modal(label(field(placeholder="x" * 101))),
    "wanted 1-45": modal(label(label="x" * 46)),
    "has no label of its own": modal(label(field(label="x"))),
    "a label around a component of type 2": modal(label(button())),
    "holds one text input": modal(row(button())),
    "type 9 at the top of a modal": modal(SECTION),
    "'Continue' (default) is not": commands(command("Continue")),
    "'two words' (default) is not": commands(command("two words")),
    "'hint!' (default) is not": commands(command("a", option("hint!"))),
    "description (default) has 101": commands(command(description="x" * 101)),
    "description (default) has 0": commands(command("a", option(description=""))),
    "is no locale": commands(command(name_localizations={"deutsch": "weiter"})),
    "'Weiter' (de) is not": commands(command(name_localizations={"de": "Weiter"})),
    "required option after": commands(command("a", option("b"), option("c", required=True))),
    "26 options": commands(command("a", *[option(f"o{n}") for n in range(26)])),
    "option 'hint' stands 2 times": commands(command("a", option(), option())),
    "two options are called 'x' in de": commands(
        command("a", *[option(n, name_localizations={"de": "x"}) for n in ("b", "c")])
    ),
    "subcommands beside": commands(command("a", option("b"), option("c", type=1))),
    "a group holds subcommands only": commands(command("a", option("b", type=2, options=[option()]))),
    "nested deeper": commands(command("a", option("b", type=2, options=[option("c", type=2)]))),
    "both choices and autocomplete": commands(
        command("a", option(autocomplete=True, choices=[{"name": "x", "value": "x"}]))
    ),
    "two choices of the same": commands(command("a", option(choices=[{"name": "x", "value": "1"}] * 2))),
    "min_length is above": commands(command("a", option(min_length=3, max_length=2))),
    "command 'story' stands 2": commands(command("story"), command("story")),
    "16 commands of type 2": commands(*[{"type": 2, "name": f"m{n}"} for n in range(16)]),
    "neither description nor options": commands({"type": 2, "name": "Add to story", "description": "x"}),
    "at most 8000": commands(command("a", *[option(f"o{n}", choices=MANY_CHOICES) for n in range(4)])),
    "audit log reason": Recorded("DELETE", "/channels/30/messages/40", reason="x" * 513),
}


@pytest.mark.parametrize("request_", GOOD.values(), ids=GOOD.keys())
def test_good_requests_pass(request_: Recorded) -> None:
    assert list(rule_faults(request_)) == []


@pytest.mark.parametrize(("complaint", "request_"), BAD.items(), ids=BAD.keys())
def test_bad_requests_get_this_complaint(complaint: str, request_: Recorded) -> None:
    assert any(complaint in fault for fault in rule_faults(request_)), list(rule_faults(request_))


@pytest.mark.parametrize("name", ["continue", "a-b_c", "o'clock", "weiter", "続ける", "ต่อ", "जारी", "naïve"])
def test_names_of_many_scripts_are_commands(name: str) -> None:
    assert is_command_name(name)


@pytest.mark.parametrize("name", ["", "x" * 33, "Story", "two words", "a.b", "a/b", "smile😀", "É"])
def test_other_names_are_not(name: str) -> None:
    assert not is_command_name(name)
