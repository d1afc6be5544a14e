"""/filters on the whole bot: what moderators see and do, and what members then meet."""

from __future__ import annotations

import json
from typing import Any

import discord
import pytest
import simcord

from bot.service.filtering.lab import Author
from bot.service.filtering.views import PRESETS, Action, Mode, Rule, RuleKind, Tier
from bot.story.cases import Voice
from tests.bot.discord_app.stage import Stage
from tests.bot.service.far_end import fresh_text

ENTRIES = "toad*\n newt \n\ntoad*"
FORM = {"name": "toads", "entries": ENTRIES, "reason": "too many", "action": ["block"], "mode": ["on"]}
TOAD = "The toad sat on a stone."
GOOD = [fresh_text(number) for number in range(300, 304)]


async def add(stage: Stage, *, scope: str = "server", kind: str = "words", **fields: Any) -> simcord.InteractionResult:
    """A rule made through the form, by whoever may."""
    who = stage.admin if scope == "server" else stage.mod
    shown = await who.slash(stage.channel, "filters add", kind=kind, scope=scope)
    return await who.submit_modal(shown, FORM | fields)


def show_all(stage: Stage) -> None:
    """An admin shows the commands to everybody, or to those who manage the server without managing messages."""
    shown = dict.fromkeys((stage.ben, stage.admin, stage.keeper), True)
    stage.guild.set_command_permissions(stage.bot.command_ids["filters"], shown)


async def give_rule(stage: Stage, *patterns: str, **what: Any) -> int:
    rule = Rule(what.pop("name", patterns[0]), RuleKind.WORDS, patterns, **what)
    return (await stage.services.filters.add(stage.guild.id, rule, Author(stage.admin.id))).stored.id


async def test_a_rule_from_the_form_holds_at_once_and_is_shown_exactly(stage: Stage) -> None:
    show_all(stage)
    await stage.story()
    told = stage.told(await add(stage))
    assert "## toads" in told
    assert "```\ntoad*\nnewt\n```" in told
    assert "category told to the writer: this server's rules" in told
    assert "category: this server's rules" in stage.told(await stage.ask(hint="a newt and a toadstool"))
    page = await stage.mod.slash(stage.channel, "filters show")
    assert "**toads** · words and phrases · refuse the text · on · server" in stage.told(page)
    assert "Open “toads”" in stage.buttons(page.response)


async def test_what_is_wrong_with_a_rule_is_said_and_its_entries_given_back(stage: Stage) -> None:
    show_all(stage)
    told = stage.told(await add(stage, kind="regex", entries="(?=a)b"))
    assert "(?=a)b" in told
    assert "toads" in told
    assert (await stage.parts.store.filter_rules(stage.guild.id)) == []


async def test_a_rule_can_be_tried_on_past_texts_without_saving_it(stage: Stage) -> None:
    show_all(stage)
    await stage.story()
    stage.far.then([TOAD, *GOOD[:3]])
    await stage.ask()
    await stage.win(stage.letter_of(TOAD))
    result = await add(stage, mode=["try"])
    told = stage.told(result)
    assert "It would have hit 1**, of which 1 were chosen" in told
    assert "The ⟦toad⟧ sat on a stone." in told
    assert (await stage.parts.store.filter_rules(stage.guild.id)) == []
    assert not (await stage.ask(hint="a toad")).ephemeral


async def test_switches_versions_and_the_way_back(stage: Stage) -> None:
    show_all(stage)
    await stage.story()
    page = (await add(stage)).response
    page = (await stage.admin.click(page, label="Switch off")).response
    assert not (await stage.ask(hint="a toad")).ephemeral
    await stage.mod.slash(stage.channel, "round cancel")
    form = await stage.admin.click(page, label="Change")
    page = (await stage.admin.submit_modal(form, FORM | {"entries": "eft"})).response
    assert "```\neft\n```" in stage.text(page)
    versions = await stage.admin.click(page, label="Versions")
    assert stage.text(versions.response).count("too many") == 2  # a button asks for no reason
    assert [label for label in stage.buttons(versions.response) if "version" in label] == [
        "Back to version 2",
        "Back to version 1",
        "Say why of version 2…",
    ]
    page = (await stage.admin.click(versions.response, label="Back to version 1")).response
    assert "Version 4" in stage.text(page)
    assert "category: this server's rules" in stage.told(await stage.ask(hint="a toad"))
    gone = await stage.admin.click(page, label="Take it away")
    assert "taken away" in stage.text(gone.response)
    assert not (await stage.ask(hint="a toad")).ephemeral


async def test_two_clicks_undo_the_last_change_and_a_third_is_harmless(stage: Stage) -> None:
    show_all(stage)
    await add(stage)
    await stage.admin.slash(stage.channel, "filters level", category="slur", level="off", scope="server")
    page = await stage.admin.slash(stage.channel, "filters show")
    assert "slur: nothing" in stage.told(page)
    changes = await stage.admin.click(page.response, label="Changes and undo")
    assert "levels" in stage.text(changes.response)
    assert "1 changed" in stage.told(await stage.admin.click(changes.response, label="Undo the last change"))
    assert "already" in stage.told(await stage.admin.click(changes.response, label="Undo the last change"))
    told = stage.told(await stage.admin.slash(stage.channel, "filters show"))
    assert "slur: also mild words" in told
    assert "toads" in told


async def test_whoever_changed_a_rule_with_a_button_may_say_why_after_it(stage: Stage) -> None:
    show_all(stage)
    page = (await add(stage, reason="")).response
    form = await stage.admin.click(page, label="Say why…")
    assert form.modal is not None
    page = (await stage.admin.submit_modal(form, {"reason": "toads were `everywhere`"})).response
    assert "toads were" in stage.text(page)
    assert "Say why…" not in stage.buttons(page)
    page = (await stage.admin.click(page, label="Switch off")).response
    assert "toads were" not in stage.text(page)  # that was why the version before
    limits = await stage.admin.click(page, label="Change whom it is for")
    page = (await stage.admin.submit_modal(limits, {"category": "amphibians", "options": ""})).response
    assert "Say why…" in stage.buttons(page)
    gone = (await stage.admin.click(page, label="Take it away")).response
    assert [label for label in stage.buttons(gone) if label.startswith("Say why")] == [
        f"Say why of version {version}…" for version in (4, 3, 2)
    ]
    form = await stage.admin.click(gone, label="Say why of version 4…")
    gone = (await stage.admin.submit_modal(form, {"reason": "no toad came"})).response
    assert "taken away · <@" in stage.text(gone)
    assert "no toad came" in stage.text(gone)
    log = stage.told(await stage.mod.slash(stage.channel, "audit", deed="reason given"))
    assert "**reason given** · rule 1 · by" in log
    assert "> Reason: no toad came" in log
    assert "> Reason: toads were" in log


async def test_only_the_author_of_a_change_is_asked_why_and_once(stage: Stage) -> None:
    show_all(stage)
    page = (await add(stage, scope="channel", reason="")).response
    opened = await stage.admin.slash(stage.channel, "filters show")
    opened = await stage.admin.click(opened.response, label="Open “toads”")
    assert "Say why…" not in stage.buttons(opened.response)
    (stored,) = await stage.parts.store.filter_rules(stage.guild.id)
    old = await stage.post_button(f"tw1:saywhy:{stored.revision_id}:{stored.id}")
    assert "needs the permission" in stage.told(await stage.ben.click(old, label="Old"))
    form = await stage.admin.click(old, label="Old")
    assert "Only whoever made this change" in stage.told(await stage.admin.submit_modal(form, {"reason": "mine"}))
    first = await stage.mod.click(page, label="Say why…")
    again = await stage.mod.click(old, label="Old")
    await stage.mod.submit_modal(first, {"reason": "toads"})
    told = stage.told(await stage.mod.submit_modal(again, {"reason": "no, newts"}))
    assert "already" in told
    assert "no, newts" in told  # what was typed comes back
    (stored,) = await stage.parts.store.filter_rules(stage.guild.id)
    assert stored.reason == "toads"


async def test_an_undo_stays_two_clicks_and_its_reason_follows_if_there_is_one(stage: Stage) -> None:
    show_all(stage)
    await add(stage)
    page = await stage.admin.slash(stage.channel, "filters show")
    changes = await stage.admin.click(page.response, label="Changes and undo")
    undone = await stage.admin.click(changes.response, label="Undo the last change")
    assert "1 changed" in stage.told(undone)
    form = await stage.admin.click(undone.response, label="Say why…")
    amended = await stage.admin.submit_modal(form, {"reason": "a <@1> mistake"})
    assert "1 changed" in stage.text(amended.response)
    assert "-# Reason: a " in stage.text(amended.response)
    assert "<@1>" not in stage.text(amended.response)
    assert stage.buttons(amended.response) == []
    newest = (await stage.services.filters.revisions(stage.guild.id))[0]
    assert newest.reason == "a <@1> mistake"
    assert "mistake" in stage.told(await stage.mod.slash(stage.channel, "audit"))


async def test_a_level_without_a_reason_can_be_given_one_also_from_the_list_of_changes(stage: Stage) -> None:
    show_all(stage)
    options = {"category": "slur", "level": "moderate", "scope": "server"}
    said = await stage.admin.slash(stage.channel, "filters level", **options, reason="known here")
    assert stage.buttons(said.response) == []
    said = await stage.admin.slash(stage.channel, "filters level", **options | {"level": "strong"})
    assert stage.buttons(said.response) == ["Say why…"]
    same = await stage.admin.slash(stage.channel, "filters level", **options | {"level": "strong"})
    assert stage.buttons(same.response) == []  # nothing was changed
    audience = await stage.admin.slash(stage.channel, "filters audience", audience="teen")
    assert stage.buttons(audience.response) == ["Say why…"]
    page = await stage.admin.slash(stage.channel, "filters show")
    changes = await stage.admin.click(page.response, label="Changes and undo")
    form = await stage.admin.click(changes.response, label="Say why of 2…")
    amended = await stage.admin.submit_modal(form, {"reason": "quoted often"})
    assert "**2** · levels" in stage.text(amended.response)
    assert "quoted often" in stage.text(amended.response)
    assert "Say why of 3…" in stage.buttons(amended.response)


async def test_whom_a_rule_is_for_is_set_by_a_form_and_a_role_excuses(stage: Stage) -> None:
    show_all(stage)
    await stage.story()
    page = (await add(stage)).response
    form = await stage.admin.click(page, label="Change whom it is for")
    excused = stage.guild.roles["Mods"]
    changed = await stage.admin.submit_modal(
        form,
        {
            "category": "amphibians",
            "kinds": ["hint", "title"],
            "tiers": [],
            "roles": [excused],
            "options": "disguises = false",
        },
    )
    told = stage.told(changed)
    assert "Texts: hint, title" in told
    assert "disguises = False" in told
    assert "category: amphibians" in stage.told(await stage.ask(hint="a toad"))
    assert not (await stage.mod.slash(stage.channel, "continue", hint="a toad")).ephemeral


async def test_a_test_shows_each_step_and_keeps_nothing(stage: Stage) -> None:
    await give_rule(stage, "toad", category="amphibians")
    await give_rule(stage, "newt", mode=Mode.SHADOW)
    told = stage.told(await stage.mod.slash(stage.channel, "filters test", text="A TÖAD @everyone and a newt."))
    assert "**Refused.** The writer is told the category “amphibians”." in told
    assert "A ⟦TÖAD⟧ @everyone and a ⟦newt⟧." in told
    assert "Read as" in told
    assert "only reported" in told
    assert await stage.services.filters.figures(stage.guild.id) == []
    told = stage.told(await stage.mod.slash(stage.channel, "filters test", text="A fox.", kind="hint"))
    assert "Passes" in told


async def test_a_test_of_a_long_text_full_of_hits_fits_into_a_message(stage: Stage) -> None:
    for number in range(12):
        await give_rule(stage, f"toad{number}", name=f"{'_*~' * 15} {number}")
    text = " ".join(f"tÖad{number % 12}" for number in range(500))
    assert "more." in stage.told(await stage.mod.slash(stage.channel, "filters test", text=text))


async def test_a_long_list_of_rules_has_pages_and_can_be_searched(stage: Stage) -> None:
    for number in range(20):
        await give_rule(stage, f"toad{number}", name=f"rule {number:02} {'`<@1>' * 9}")
    page = await stage.mod.slash(stage.channel, "filters show")
    assert "<@1>" not in stage.told(page)
    page = await stage.mod.click(page.response, label="Next page of the rules")
    page = await stage.mod.click(page.response, label="Next page of the rules")
    assert "rule 19" in stage.text(page.response)
    found = stage.told(await stage.mod.slash(stage.channel, "filters show", search="TOAD7"))
    assert "rule 07" in found
    assert "rule 08" not in found


async def test_a_search_is_kept_from_page_to_page(stage: Stage) -> None:
    for number in range(20):
        await give_rule(stage, f"{'toad' if number % 2 else 'newt'}{number}", name=f"rule {number:02}")
    first = await stage.mod.slash(stage.channel, "filters show", search="  ToAd ")
    assert "10 rules have “ToAd”." in stage.told(first)
    opened = [label for label in stage.buttons(first.response) if label.startswith("Open")]
    assert opened == [f"Open “rule {number:02}”" for number in range(1, 17, 2)]
    second = await stage.mod.click(first.response, label="Next page of the rules")
    opened = [label for label in stage.buttons(second.response) if label.startswith("Open")]
    assert opened == ["Open “rule 17”", "Open “rule 19”"]
    back = await stage.mod.click(second.response, label="Previous page of the rules")
    assert "10 rules have “ToAd”." in stage.text(back.response)
    everything = await stage.mod.click(back.response, label="All rules")
    assert "rule 00" in stage.text(everything.response)


async def test_a_search_for_anything_is_kept_whatever_characters_it_has(stage: Stage) -> None:
    search = "𝔱𝔬𝔞𝔡:1:2 " + "🐸" * 31
    for number in range(9):
        await give_rule(stage, f"{search}{number}", name=f"rule {number}")
    page = await stage.mod.slash(stage.channel, "filters show", search=search)
    page = await stage.mod.click(page.response, label="Next page of the rules")
    assert "Open “rule 8”" in stage.buttons(page.response)
    none = stage.told(await stage.mod.slash(stage.channel, "filters show", search="eft"))
    assert "No rule that holds here has this" in none


async def test_all_changes_and_all_figures_can_be_reached(stage: Stage) -> None:
    show_all(stage)
    for number in range(13):
        await give_rule(stage, "toad", name=f"rule {number:02}", mode=Mode.SHADOW)
    await stage.services.filters.restore(stage.guild.id, 12, Author(stage.admin.id))
    await stage.services.filters.restore(stage.guild.id, 13, Author(stage.admin.id))
    await stage.story(title="Of a toad")
    start = await stage.admin.slash(stage.channel, "filters show")
    page = await stage.admin.click(start.response, label="Figures")
    page = await stage.admin.click(page.response, label="Next page of the figures")
    assert stage.text(page.response).count("would have hit") == 1
    assert "Previous page of the figures" in stage.buttons(page.response)
    start = await stage.admin.slash(stage.channel, "filters show")
    page = await stage.admin.click(start.response, label="Changes and undo")
    for _ in range(2):
        page = await stage.admin.click(page.response, label="Earlier changes")
    labels = stage.buttons(page.response)
    assert [label for label in labels if label.startswith("Back")] == [f"Back to before {n}" for n in range(5, 0, -1)]
    assert "Earlier changes" not in labels
    await stage.admin.click(page.response, label="Back to before 1")
    assert await stage.parts.store.filter_rules(stage.guild.id) == []
    page = await stage.admin.click(page.response, label="The last changes")
    assert "Undo the last change" in stage.buttons(page.response)


async def test_moderators_see_what_was_withheld_from_a_ballot_and_why(stage: Stage) -> None:
    await give_rule(stage, "toad", category="amphibians")
    await stage.story()
    stage.far.then([TOAD, *GOOD[:3]])
    await stage.ask()
    label = "See what was withheld (moderators)"
    seen = await stage.mod.click(stage.ballot, label=label)
    assert "The ⟦toad⟧ sat on a stone." in stage.told(seen)
    assert "category amphibians" in stage.told(seen)
    assert "“Manage Messages”" in stage.told(await stage.ben.click(stage.ballot, label=label))
    assert "⟦toad⟧" in stage.told(await stage.mod.slash(stage.channel, "filters withheld"))
    assert "Nothing was withheld" in stage.told(await stage.mod.slash(stage.other, "filters withheld"))


async def test_a_ballot_from_which_nothing_was_withheld_has_no_such_button(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    assert not any("withheld" in label for label in stage.buttons(stage.ballot))


async def test_several_withheld_texts_are_read_one_after_the_other(stage: Stage) -> None:
    await give_rule(stage, "toad")
    await stage.story()
    stage.far.then([TOAD, "Another toad came by.", *GOOD[:2]])
    await stage.ask()
    first = await stage.mod.click(stage.ballot, label="See what was withheld (moderators)")
    second = await stage.mod.click(first.response, label="Next page of the withheld texts")
    assert "2 of 2" in stage.text(second.response)


async def test_figures_tell_what_a_rule_in_the_shadow_would_have_done(stage: Stage) -> None:
    await give_rule(stage, "toad", mode=Mode.SHADOW)
    await stage.story()
    stage.far.then([TOAD, *GOOD[:3]])
    assert not (await stage.ask(hint="a toad")).ephemeral
    page = await stage.mod.slash(stage.channel, "filters show")
    told = stage.text((await stage.mod.click(page.response, label="Figures")).response)
    assert "**toad** would have hit (shadow) 1 text of members and 1 candidate (block)" in told
    assert "No classifier is connected" in told


async def export(stage: Stage, **options: str) -> tuple[str, str, bytes]:
    """What is said, the file's name, and the file."""
    result = await stage.admin.slash(stage.channel, "filters export", **options)
    (attachment,) = result.response.attachments
    return stage.told(result), attachment.filename, await attachment.read()


async def test_rules_go_to_another_server_as_a_file_and_begin_in_the_shadow(stage: Stage) -> None:
    show_all(stage)
    await give_rule(stage, "toad", "newt*", action=Action.MASK)
    for format_, told in (("json", "add 1 rule: “toad” (shadow)"), ("csv", "already here")):
        _, name, data = await export(stage, format=format_, scope="server")
        assert name == f"rules.{format_}"
        file = (name, data.replace(b"toad", b"eft"))
        shown = await stage.mod.slash(stage.other, "filters import", file=file, switch="shadow")
        if format_ == "csv":
            assert "Nothing would change" in stage.told(shown)
            continue
        assert told.replace("toad", "eft") in stage.told(shown)
        assert await stage.parts.store.filter_rules(stage.guild.id) != []
        assert "eft" not in stage.told(await stage.mod.slash(stage.other, "filters show"))
        taken = await stage.mod.click(shown.response, label="Take it over")
        assert "1 rule was added" in stage.text(taken.response)
        assert taken.response.attachments == []
    told = stage.told(await stage.mod.slash(stage.other, "filters show"))
    assert "**eft** · words and phrases · cover the place · shadow" in told


async def test_levels_go_with_the_file_and_what_would_change_is_shown_first(stage: Stage) -> None:
    show_all(stage)
    for category, level in (("slur", "strong"), ("insult", "mild")):
        await stage.admin.slash(stage.channel, "filters level", category=category, level=level, scope="server")
    said, _, data = await export(stage, scope="server")
    assert said == "0 rules and 2 levels of the whole server:"
    assert json.loads(data)["levels"] == {"insult": "mild", "slur": "strong"}
    await stage.admin.slash(stage.channel, "filters level", category="slur", level="off", scope="server")
    await stage.admin.slash(stage.channel, "filters level", category="insult", level="inherit", scope="server")
    shown = await stage.admin.slash(stage.channel, "filters import", file=("a.json", data), scope="server")
    told = stage.told(shown)
    assert "**Nothing is changed yet.** For the whole server this file would" in told
    assert "set the level of “slur”: nothing → **strong words**" in told
    assert "set the level of “insult”: not chosen here → **also mild words**" in told
    assert "slur: nothing" in stage.told(await stage.mod.slash(stage.channel, "filters show"))
    await stage.restart()  # the message has all that the click needs
    taken = await stage.admin.click(shown.response, label="Take it over")
    assert "Level of “slur”: nothing → **strong words**" in stage.text(taken.response)
    assert "slur: strong words" in stage.told(await stage.mod.slash(stage.channel, "filters show"))
    form = await stage.admin.click(taken.response, label="Say why…")
    await stage.admin.submit_modal(form, {"reason": "as it was"})
    assert "as it was" in stage.told(await stage.mod.slash(stage.channel, "audit"))


async def test_a_channels_levels_are_its_own_file_and_loosening_needs_manage_server(stage: Stage) -> None:
    show_all(stage)
    await stage.admin.slash(stage.channel, "filters level", category="slur", level="off")
    _, _, looser = await export(stage)
    assert json.loads(looser)["levels"] == {"slur": "off"}
    assert "“Manage Server”" in stage.told(
        await stage.mod.slash(stage.other, "filters import", file=("a.json", looser))
    )
    stricter = looser.replace(b"off", b"strong")
    server = {"category": "slur", "scope": "server"}
    await stage.admin.slash(stage.channel, "filters level", level="off", **server)
    shown = await stage.mod.slash(stage.other, "filters import", file=("a.json", stricter))
    await stage.admin.slash(stage.channel, "filters level", level="mild", **server)
    (refusal,) = (await stage.mod.click(shown.response, label="Take it over")).followups
    assert "“Manage Server”" in stage.text(refusal)
    assert refusal.flags.ephemeral
    assert "slur: also mild words" in stage.told(await stage.mod.slash(stage.other, "filters show"))
    await stage.admin.slash(stage.channel, "filters level", level="off", **server)
    shown = await stage.mod.slash(stage.other, "filters import", file=("a.json", stricter))
    await stage.mod.click(shown.response, label="Take it over")
    assert (await stage.parts.store.filter_levels(stage.guild.id)).keys() == {None, stage.channel.id, stage.other.id}


async def test_ready_made_rules_are_shown_first_and_then_taken_over(stage: Stage) -> None:
    show_all(stage)
    assert "/filters add, preset," in stage.told(await stage.mod.slash(stage.channel, "filters show"))
    shown = await stage.mod.slash(stage.channel, "filters preset", preset="links", switch="as they are")
    told = stage.told(shown)
    assert "**No links.** Refuses links and invitations" in told
    assert f"For <#{stage.channel.id}> this preset would" in told
    assert "add 2 rules: “Links” (on), “Invitations” (on)" in told
    assert await stage.parts.store.filter_rules(stage.guild.id) == []
    await stage.restart()  # the message has all that the click needs
    taken = await stage.mod.click(shown.response, label="Take it over")
    assert "2 rules were added" in stage.text(taken.response)
    refused = await stage.ben.slash(stage.channel, "story start", title="T", premise="see https://example.com/a now")
    assert "links" in stage.told(refused).split("Your text")[0]
    again = await stage.mod.slash(stage.channel, "filters preset", preset="links", switch="as they are")
    assert "Nothing would change" in stage.told(again)


async def test_a_preset_begins_in_the_shadow_and_its_levels_come_along(stage: Stage) -> None:
    show_all(stage)
    await stage.admin.slash(stage.channel, "filters level", category="slur", level="off", scope="server")
    refusal = await stage.mod.slash(stage.channel, "filters preset", preset="family", scope="server")
    assert "“Manage Server”" in stage.told(refusal)
    shown = await stage.admin.slash(stage.channel, "filters preset", preset="family", scope="server")
    assert "“Links” (shadow)" in stage.told(shown)
    assert "set the level of “slur”: nothing → **also mild words**" in stage.told(shown)
    await stage.admin.click(shown.response, label="Take it over")
    told = stage.told(await stage.mod.slash(stage.channel, "filters show"))
    assert "**Links** · links · refuse the text · shadow" in told
    assert "slur: also mild words" in told


async def test_every_preset_can_be_chosen_and_fits_into_a_message(stage: Stage) -> None:
    show_all(stage)
    for name in reversed(PRESETS):  # the one for families has rules of others
        shown = await stage.admin.slash(stage.other, "filters preset", preset=name)
        assert "Nothing is changed yet" in stage.told(shown)
        taken = await stage.admin.click(shown.response, label="Take it over")
        assert "added" in stage.text(taken.response)


async def test_the_marks_in_a_name_or_a_term_are_shown_as_they_are(stage: Stage) -> None:
    show_all(stage)
    await give_rule(stage, "*toad*", name="_toads_")
    told = stage.told(await stage.mod.slash(stage.channel, "filters test", text="a toad"))
    assert r"**\_toads\_** by “\*toad\*”" in told
    shown = await stage.mod.slash(stage.channel, "filters show")
    await stage.mod.click(shown.response, label="Open “_toads_”")  # a button shows no markdown


async def test_a_csv_says_that_it_has_no_levels(stage: Stage) -> None:
    show_all(stage)
    nothing = stage.told(await stage.admin.slash(stage.channel, "filters export"))
    assert "no rule, and no level" in nothing
    await stage.admin.slash(stage.channel, "filters level", category="slur", level="off")
    assert "a CSV has no levels" in stage.told(await stage.admin.slash(stage.channel, "filters export", format="csv"))
    await give_rule(stage, "toad", channel_id=stage.channel.id)
    said, _, _ = await export(stage, format="csv")
    assert "(a CSV has no levels; JSON has the 1 level too)" in said


async def test_a_rule_that_an_import_would_switch_is_shown_with_both_modes(stage: Stage) -> None:
    show_all(stage)
    await give_rule(stage, "toad")
    await give_rule(stage, "newt", mode=Mode.SHADOW)
    _, _, data = await export(stage, scope="server")
    file = ("a.json", data.replace(b'"newt"\n', b'"newt*"\n'))
    shown = await stage.admin.slash(stage.channel, "filters import", file=file, scope="server")
    assert "- change 2 rules: “toad” (on → shadow), “newt” (shadow)" in stage.told(shown)


async def test_a_large_file_is_shown_within_a_messages_limits_and_not_without_its_file(stage: Stage) -> None:
    show_all(stage)
    rules = [{"name": f"{'_*~`' * 12} {number}", "kind": "links"} for number in range(400)]
    fields = {"rules": rules, "levels": dict.fromkeys(("profanity", "insult", "sexual", "slur", "violence"), "off")}
    file = ("a.json", json.dumps(fields).encode())
    shown = await stage.admin.slash(stage.channel, "filters import", file=file, scope="server")
    assert "add 400 rules: " in stage.told(shown)
    assert "and 392 more" in stage.told(shown)
    old = await stage.post_button("tw1:takeover:1:0")
    assert "The file of this message is gone" in stage.told(await stage.admin.click(old, label="Old"))


async def test_a_file_that_cannot_be_read_says_why(stage: Stage) -> None:
    result = await stage.mod.slash(stage.channel, "filters import", file=("words.csv", b"name\nred\n"))
    assert "no column “pattern”" in stage.told(result)
    many = json.dumps([{"name": f"r{n}", "kind": "links"} for n in range(501)]).encode()
    assert "501 rules" in stage.told(await stage.mod.slash(stage.channel, "filters import", file=("r.json", many)))


STOPPING: dict[str, Any] = {"actions": [{"type": 1}], "enabled": True}
"""What Discord's AutoMod does."""


async def test_automods_own_rules_are_taken_over_where_the_bot_may_read_them(stage: Stage) -> None:
    show_all(stage)
    stage.env.backend.create_auto_mod_rule(
        stage.guild.id,
        stage.admin.id,
        {
            "name": "No toads",
            "event_type": 1,
            "trigger_type": 1,
            "trigger_metadata": {"keyword_filter": ["toad*"], "regex_patterns": [], "allow_list": []},
            **STOPPING,
        },
    )
    stage.env.backend.create_auto_mod_rule(
        stage.guild.id,
        stage.admin.id,
        {
            "name": "Discord’s words",
            "event_type": 1,
            "trigger_type": 4,
            "trigger_metadata": {"presets": [1]},
            **STOPPING,
        },
    )
    shown = await stage.admin.slash(stage.channel, "filters automod", switch="as they are")
    told = stage.told(shown)
    assert "Discord’s words" in told.split("Nothing is changed yet")[0]  # whose words are secret
    assert "For the whole server AutoMod’s rules would" in told
    assert "add 1 rule: “No toads” (on)" in told
    assert await stage.parts.store.filter_rules(stage.guild.id) == []
    taken = await stage.admin.click(shown.response, label="Take it over")
    assert "1 rule was added" in stage.text(taken.response)
    await stage.story()
    assert "category" in stage.told(await stage.ask(hint="toads"))


async def test_without_the_permission_to_read_automod_the_bot_says_which(stage: Stage) -> None:
    show_all(stage)
    stage.forbid_bot("manage_guild")
    assert "“Manage Server”, which I do not have" in stage.told(
        await stage.admin.slash(stage.channel, "filters automod")
    )


async def test_an_age_restricted_channel_is_judged_as_one_only_where_the_server_chose_so(stage: Stage) -> None:
    show_all(stage)
    await give_rule(stage, "toad", tiers=frozenset({Tier.GENERAL}))
    await stage.story()
    await stage.admin.slash(stage.channel, "filters audience", audience="mature")
    assert "category" in stage.told(await stage.ask(hint="a toad"))
    channel = stage.bot.get_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    channel.nsfw = True  # SimCord's channels know nothing of it, so this is what a CHANNEL_UPDATE would do
    stage.far.then([TOAD, *GOOD[:3]])
    assert not (await stage.ask(hint="a toad")).ephemeral
    assert TOAD in stage.text(stage.ballot)
    assert "Judged as a channel for adults" in stage.told(await stage.mod.slash(stage.channel, "filters show"))


# who may do what


COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("filters show", {}),
    ("filters add", {"kind": "words"}),
    ("filters test", {"text": "a toad"}),
    ("filters withheld", {}),
    ("filters level", {"category": "slur", "level": "mild"}),
    ("filters audience", {"audience": "mature"}),
    ("filters import", {"file": ("a.csv", b"word\ntoad\n")}),
    ("filters automod", {}),
    ("filters export", {}),
]


@pytest.mark.parametrize(("command", "options"), COMMANDS, ids=[name for name, _ in COMMANDS])
async def test_a_member_who_sees_the_commands_is_refused_all_the_same(
    stage: Stage, command: str, options: dict[str, Any]
) -> None:
    with pytest.raises(simcord.SetupError, match="not visible"):
        await stage.ben.slash(stage.channel, command, **options)
    show_all(stage)
    assert "needs the permission" in stage.told(await stage.ben.slash(stage.channel, command, **options))


SERVER_COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("filters add", {"kind": "words", "scope": "server"}),
    ("filters level", {"category": "slur", "level": "mild", "scope": "server"}),
    ("filters level", {"category": "slur", "level": "off"}),  # looser than the server, in a channel
    ("filters audience", {"audience": "mature", "scope": "channel"}),
    ("filters import", {"file": ("a.csv", b"word\ntoad\n"), "scope": "server"}),
    ("filters import", {"file": ("a.csv", b"word,action\ntoad,allow\n")}),
    ("filters import", {"file": ("a.csv", b"name,word\nTOADS,eft\n")}),  # in place of the server's rule
    ("filters automod", {}),
    ("filters export", {"scope": "server"}),
]


@pytest.mark.parametrize(("command", "options"), SERVER_COMMANDS)
async def test_the_servers_rules_and_what_loosens_them_need_manage_server(
    stage: Stage, command: str, options: dict[str, Any]
) -> None:
    show_all(stage)
    await give_rule(stage, "toad", name="toads")
    assert "“Manage Server”" in stage.told(await stage.mod.slash(stage.channel, command, **options))
    if "automod" not in command:
        result = await stage.admin.slash(stage.channel, command, **options)
        assert result.modal is not None or "“Manage Server”" not in stage.told(result)


async def test_every_click_on_a_server_rule_is_checked_again(stage: Stage) -> None:
    show_all(stage)
    page = (await add(stage)).response
    opened = await stage.mod.slash(stage.channel, "filters show")
    opened = await stage.mod.click(opened.response, label="Open “toads”")
    for label in ("Switch off", "Switch shadow", "Change", "Change whom it is for", "Take it away"):
        assert "“Manage Server”" in stage.told(await stage.mod.click(opened.response, label=label))
    versions = await stage.mod.click(opened.response, label="Versions")
    await stage.admin.click(page, label="Switch off")
    versions = await stage.mod.slash(stage.channel, "filters show")
    versions = await stage.mod.click(versions.response, label="Open “toads”")
    versions = await stage.mod.click(versions.response, label="Versions")
    assert "“Manage Server”" in stage.told(await stage.mod.click(versions.response, label="Back to version 1"))
    changes = await stage.mod.slash(stage.channel, "filters show")
    changes = await stage.mod.click(changes.response, label="Changes and undo")
    assert "“Manage Server”" in stage.told(await stage.mod.click(changes.response, label="Undo the last change"))
    (stored,) = await stage.parts.store.filter_rules(stage.guild.id)
    assert (stored.version, stored.author_id) == (2, stage.admin.id)


async def test_a_form_is_checked_when_it_is_sent_not_only_when_it_is_opened(stage: Stage) -> None:
    page = (await add(stage, scope="channel")).response
    form = await stage.mod.click(page, label="Change")
    new = await stage.mod.slash(stage.channel, "filters add", kind="words")
    limits = await stage.mod.click(page, label="Change whom it is for")
    stage.guild.roles["Mods"]
    role = stage.env.backend.get_guild(stage.guild.id).roles[stage.guild.roles["Mods"].id]
    role.permissions = 0
    for shown, fields in ((form, FORM), (new, FORM), (limits, {"category": "x", "options": ""})):
        assert "needs the permission" in stage.told(await stage.mod.submit_modal(shown, fields))
    (stored,) = await stage.parts.store.filter_rules(stage.guild.id)
    assert stored.version == 1


async def test_a_channels_moderators_cannot_make_an_exception_from_the_servers_rules(stage: Stage) -> None:
    await give_rule(stage, "toad", name="toads")
    assert "“Manage Server”" in stage.told(await add(stage, scope="channel", name="mine", action=["allow"]))
    assert "“Manage Server”" in stage.told(await add(stage, scope="channel", name="Toads", entries="eft"))
    assert "## mine" in stage.told(await add(stage, scope="channel", name="mine", entries="eft"))


async def test_a_rule_of_another_channel_is_that_channels_business(stage: Stage) -> None:
    rule_id = await give_rule(stage, "toad", channel_id=stage.other.id)
    for verb in ("rule", "edit", "limits", "try", "remove"):
        message = await stage.post_button(f"tw1:{verb}:{rule_id}")
        told = stage.told(await stage.mod.click(message, label="Old"))
        assert "another channel" in told or "“Manage Server”" in told, verb
    for custom_id in (f"tw1:switch:{rule_id}:0", f"tw1:versions:{rule_id}:0", f"tw1:back:{rule_id}:1"):
        message = await stage.post_button(custom_id)
        told = stage.told(await stage.mod.click(message, label="Old"))
        assert "another channel" in told or "“Manage Server”" in told, custom_id
    (stored,) = await stage.parts.store.filter_rules(stage.guild.id)
    assert stored.version == 1


async def test_withheld_texts_of_another_channel_are_not_shown_here(stage: Stage) -> None:
    await give_rule(stage, "toad")
    await stage.story()
    stage.far.then([TOAD, *GOOD[:3]])
    await stage.ask()
    (round_,) = await stage.services.rounds.unfinished()
    backend = stage.env.backend
    stored = backend.create_message(
        stage.other.id,
        backend.bot_user.id,
        "old",
        components=[
            {
                "type": 1,
                "components": [{"type": 2, "style": 2, "label": "Old", "custom_id": f"tw1:withheld:{round_.id}:0"}],
            }
        ],
    )
    message = next(m for m in stage.other.history() if m.id == stored.id)
    assert "another channel" in stage.told(await stage.mod.click(message, label="Old"))
    assert "⟦toad⟧" in stage.told(await stage.admin.click(message, label="Old"))


# what is flagged


async def test_a_flagged_text_reaches_the_desk_with_its_writer(stage: Stage) -> None:
    desk = await stage.open_desk()
    await give_rule(stage, "toad", action=Action.FLAG)
    await stage.story(title="Of a toad")
    assert [(one.text, one.user_id) for one in desk.flagged] == [("Of a toad", stage.ada.id)]


async def test_a_flagged_text_is_a_case_for_moderators(stage: Stage) -> None:
    await give_rule(stage, "toad", action=Action.FLAG)
    await stage.story(title="Of a toad")
    (view,) = (await stage.services.cases.open_page(stage.guild.id)).cases
    assert (view.case.channel_id, view.subject.text) == (stage.channel.id, "Of a toad")
    assert [(voice.voice, voice.rule) for voice in view.voices] == [(Voice.FLAG, "toad")]
