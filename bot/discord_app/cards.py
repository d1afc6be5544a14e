"""Draws a case for moderators: who spoke, what stands there, what it replaced, what was done and what can be done."""

from __future__ import annotations

from typing import Any

import discord

from bot.discord_app import case_texts
from bot.discord_app.buttons import MAX_TEXT, Action, Drawing, InertButton, Verb, button, pager, row, text
from bot.discord_app.case_texts import ACT_NUMBERS
from bot.discord_app.changes import mark_changes
from bot.discord_app.markup import CUT_MARK, excerpt, jump_link, width
from bot.service.views import CasePage, CaseView
from bot.story.cases import Act

MAX_LINES = 4
"""So many voices, and so many acts, are told in full."""
BEFORE_LIMIT, REPLACED_LIMIT = 300, 450
IN_ROW = 5
SLACK = 80
"""For the lines between the parts."""


def card(view: CaseView) -> Drawing:
    """The whole case. It is for moderators only: it names who reported, and shows what is hidden."""
    head = _head(view)
    before, replaced = _before(view), _replaced(view)
    tail = _acts(view)
    room = MAX_TEXT - SLACK - sum(width(part) for part in (head, before, replaced, tail))
    shown, is_cut = _shown(view, room)
    buttons = [_act_button(view, act) for act in view.possible]
    if is_cut:
        buttons.append(button("Read all of it", Action(Verb.CASE_TEXT, (view.case.id,))))
    return Drawing(
        text(head),
        *_optional(before),
        *_optional(replaced),
        discord.ui.Separator(),
        text(shown),
        discord.ui.Separator(),
        *_optional(tail),
        *(row(*buttons[start : start + IN_ROW]) for start in range(0, len(buttons), IN_ROW)),
    )


def case_list(page: CasePage, mine: frozenset[int], note: str) -> Drawing:
    """A page of open cases; those in `mine` are the moderator's to open."""
    lines = [_line(view, is_mine=view.case.id in mine) for view in page.cases] or [case_texts.NO_CASES]
    opened = [
        button(f"Open case {view.case.id}", Action(Verb.CASE, (view.case.id,)))
        for view in page.cases
        if view.case.id in mine
    ]
    actions = [Action(Verb.CASES, (number,)) for number in (page.number - 1, page.number + 1)]
    turns = pager("the cases", page.number, page.number + 1 + page.has_more, actions)
    return Drawing(
        text("## Open cases", note, *lines), *([row(*opened)] if opened else []), *([row(*turns)] if turns else [])
    )


def _head(view: CaseView) -> str:
    case, place = view.case, view.shown_at
    link = "" if place is None else f" · {jump_link(place.guild_id, place.channel_id, place.message_id)}"
    voices = [case_texts.voice_line(voice) for voice in view.voices[:MAX_LINES]]
    more = len(view.voices) - MAX_LINES
    return "\n".join(
        [
            f"### Case {case.id}: {case_texts.about(view.subject)}",
            f"{case_texts.state(view)} · <#{case.channel_id}>{link}",
            *voices,
            *([f"and {more} more"] if more > 0 else []),
            f"-# {case_texts.writer(view)}",
        ]
    )


def _before(view: CaseView) -> str:
    """The end of what came before, as members read it."""
    if not view.subject.before:
        return ""
    told = " ".join(view.subject.before.split())
    tail = told if len(told) <= BEFORE_LIMIT else f"{CUT_MARK.strip()} {told[-BEFORE_LIMIT:].split(' ', 1)[-1]}"
    return f"**Before it:** {excerpt(tail, BEFORE_LIMIT * 2)[0]}"


def _replaced(view: CaseView) -> str:
    if view.subject.replaced is None:
        return ""
    return f"**It replaces** (what is new is bold below): {excerpt(view.subject.replaced, REPLACED_LIMIT)[0]}"


def _shown(view: CaseView, room: int) -> tuple[str, bool]:
    """The text itself, the original whatever was done to it; where it is a rewrite, with its new words marked."""
    subject = view.subject
    if subject.replaced is not None:
        marked = mark_changes(subject.replaced, subject.text)
        if width(marked) <= room:
            return marked or "(nothing readable)", False
    shown, is_cut = excerpt(subject.text, room)
    return shown or "(nothing readable)", is_cut


def _acts(view: CaseView) -> str:
    return "\n".join(case_texts.act_line(done) for done in view.acts[-MAX_LINES:])


def _act_button(view: CaseView, act: Act) -> InertButton:
    style = discord.ButtonStyle.danger if act is Act.REWIND else discord.ButtonStyle.secondary
    action = Action(Verb.ACT, (view.case.id, ACT_NUMBERS[act]))
    return button(case_texts.label(act, view.subject), action, style)


def _optional(part: str) -> list[discord.ui.Item[Any]]:
    return [text(part)] if part else []


def _line(view: CaseView, *, is_mine: bool) -> str:
    case = view.case
    if not is_mine:
        return f"**Case {case.id}** · <#{case.channel_id}>\n-# {case_texts.NOT_YOURS}"
    said = excerpt(" ".join(view.subject.text.split()), 120)[0]
    return (
        f"**Case {case.id}**: {case_texts.about(view.subject)} · <#{case.channel_id}> · {len(view.voices)}×\n-# {said}"
    )
