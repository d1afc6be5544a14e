"""The forms of reports and of moderators' acts. Like every form here, discord.py forgets them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import discord

from bot.discord_app.buttons import Action, Verb
from bot.discord_app.case_texts import ACT_NUMBERS, HELP, TITLES
from bot.discord_app.markup import beginning
from bot.discord_app.modal import MAX_CHARS
from bot.service.cases import MAX_REASON, MUST_SAY_WHY
from bot.story.cases import Act

REASON, CHOICE, TEXT = "reason", "choice", "text"
MAX_OPTIONS = 25
"""Discord's limit for a menu. A page of a story has no more passages, and a ballot fewer candidates."""
OPTION_LIMIT = 100
BAR_HOURS = {"1": "an hour", "24": "a day", "168": "a week", "720": "30 days"}


class Form(discord.ui.Modal):
    """Fields with their labels; `router` gets what is submitted."""

    def __init__(self, title: str, action: Action, *fields: discord.ui.Label[Any]) -> None:
        super().__init__(title=title, custom_id=action.custom_id)
        for field in fields:
            self.add_item(field)
        self.stop()


def report_form(options: Sequence[tuple[str, str]], *, passage_id: int = 0) -> Form:
    """Why; and which text, where `options` (each a value, and what is said of it) leave a choice."""
    reason = _reason("What is wrong with it?", "Only the moderators of this server read it.", is_required=False)
    fields = [_menu("Which text?", options), reason] if options else [reason]
    return Form("Report to the moderators", Action(Verb.REPORTED, (passage_id, 0)), *fields)


def act_form(case_id: int, act: Act) -> Form:
    """Why; and for how long, where a member is barred."""
    reason = _reason("Why?", HELP[act], is_required=act in MUST_SAY_WHY)
    fields = [_menu("For how long?", list(BAR_HOURS.items())), reason] if act is Act.BAR else [reason]
    return Form(TITLES[act], Action(Verb.ACTED, (case_id, ACT_NUMBERS[act])), *fields)


def appeal_form(text: str) -> Form:
    """The refused text, and why it should have been taken."""
    field: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id=TEXT, style=discord.TextStyle.paragraph, default=text or None, max_length=MAX_CHARS, required=True
    )
    shown = discord.ui.Label(text="The text", description="The moderators of this server read it.", component=field)
    reason = _reason("Why is it fine?", "A filter can't see what a moderator can.", is_required=False)
    return Form("Ask a moderator to look", Action(Verb.APPEALED), shown, reason)


def _reason(label: str, description: str, *, is_required: bool) -> discord.ui.Label[Any]:
    field: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id=REASON, style=discord.TextStyle.paragraph, max_length=MAX_REASON, required=is_required
    )
    return discord.ui.Label(text=label, description=description, component=field)


def _menu(label: str, options: Sequence[tuple[str, str]]) -> discord.ui.Label[Any]:
    choices = [discord.SelectOption(label=beginning(said, OPTION_LIMIT), value=value) for value, said in options]
    menu: discord.ui.Select[Any] = discord.ui.Select(custom_id=CHOICE, options=choices, required=True)
    return discord.ui.Label(text=label, component=menu)
