"""Long texts, whole and privately, in pages: a candidate, a story, the server's list of stories."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from itertools import pairwise

import discord

from bot.discord_app import texts
from bot.discord_app.buttons import MAX_TEXT, Action, Drawing, Verb, button, pager, row, text
from bot.discord_app.forms import MAX_OPTIONS
from bot.discord_app.markup import day, jump_link, pages, pieces
from bot.service.views import StoryLine, StoryPage, StoryView
from bot.story.hygiene import neutralise
from bot.story.model import Candidate, Passage, Story

PAGE_LIMIT = MAX_TEXT - 500
"""What a page's own text may take; the rest is for title, numbers and links."""


def candidate_page(candidate: Candidate, page: int) -> Drawing:
    """One page of a candidate's whole text; a number past the end shows the last page."""
    found = pages(candidate.text, PAGE_LIMIT)
    page = min(page, len(found) - 1)
    place = f"{candidate.letter}"
    actions = [Action(Verb.TURN, (candidate.round_id, candidate.id, number)) for number in (page - 1, page + 1)]
    buttons = pager(place, page, len(found), actions) if len(found) > 1 else []
    head = f"### {candidate.letter}" + (f" · page {page + 1} of {len(found)}" if len(found) > 1 else "")
    return Drawing(text(head, found[page]), *([row(*buttons)] if buttons else []))


def story_pieces(view: StoryView) -> list[str]:
    """A story, premise, style and canon, as the raw texts of its pages. Long ones take long: not for the event loop.

    A page has no more passages than a form offers to choose from.
    """
    body = "\n\n".join([*_before_canon(view), *(passage.text for passage in view.passages)])
    found: list[str] = []
    spans, first = _spans(view), 0
    for piece in pieces(body, PAGE_LIMIT):
        last = first + len(piece)
        starts = [start for start, end in spans if start < last and end > first]
        borders = [first, *starts[MAX_OPTIONS::MAX_OPTIONS], last]
        found += [body[start:end] for start, end in pairwise(borders)]
        first = last
    return found


def passages_of_page(view: StoryView, found: Sequence[str], page: int) -> list[tuple[int, Passage]]:
    """The passages of which something stands on the page, with their numbers in the story."""
    page = max(0, min(page, len(found) - 1))
    first = sum(map(len, found[:page]))
    last = first + len(found[page]) if found else first
    return [
        (number, passage)
        for number, (passage, (start, end)) in enumerate(zip(view.passages, _spans(view), strict=True), start=1)
        if start < last and end > first
    ]


def _spans(view: StoryView) -> list[tuple[int, int]]:
    """Where each passage begins and ends in the whole text of a story."""
    start = sum(len(part) + 2 for part in _before_canon(view))
    spans = []
    for passage in view.passages:
        spans.append((start, start + len(passage.text)))
        start += len(passage.text) + 2
    return spans


def _before_canon(view: StoryView) -> list[str]:
    premise = [f"Premise: {view.story.premise}"] if view.story.premise else []
    style = [f"Style: {view.story.style}"] if view.story.style else []
    return [*premise, *style]


def story_page(view: StoryView, found: Sequence[str], page: int) -> Drawing:
    """One page of the story that was cut into `found`. A number past the end shows the last page."""
    page = max(0, min(page, len(found) - 1))
    shown = neutralise(found[page]).strip() if found else ""
    story = view.story
    actions = [Action(Verb.STORY, (story.id, number)) for number in (page - 1, page + 1)]
    buttons = pager("the story", page, len(found), actions)
    if view.passages:
        buttons.append(button("Download as text", Action(Verb.FILE, (story.id,))))
        buttons.append(button(texts.REPORT, Action(Verb.REPORT_PAGE, (story.id, page))))
    return Drawing(
        text(f"## {texts.title(story)}", f"-# {_facts(view, page, len(found))}"),
        text(shown or texts.NOTHING_READABLE),
        *([text(_round_link(view))] if view.unfinished is not None else []),
        *([row(*buttons)] if buttons else []),
    )


def story_file(story: Story, passages: tuple[Passage, ...]) -> discord.File:
    """The whole story as Markdown, as it was written."""
    premise = [f"*{story.premise}*"] if story.premise else []
    style = [f"*Style: {story.style}*"] if story.style else []
    parts = [f"# {story.title}", *premise, *style, *(p.text for p in passages)]
    name = re.sub(r"[^a-z0-9]+", "-", story.title.casefold()).strip("-")[:40] or "story"
    return discord.File(io.BytesIO(("\n\n".join(parts) + "\n").encode()), filename=f"{name}.md")


def list_page(page: StoryPage) -> Drawing:
    """A page of the server's stories."""
    lines = [_line(line) for line in page.lines]
    if not lines:
        lines = ["There is no story here yet. Begin one with /story start." if page.number == 0 else "No more stories."]
    actions = [Action(Verb.LIST, (number,)) for number in (page.number - 1, page.number + 1)]
    buttons = pager("the list", page.number, page.number + 1 + page.has_more, actions)
    return Drawing(text("## Stories of this server", *lines), *([row(*buttons)] if buttons else []))


def _facts(view: StoryView, page: int, num_pages: int) -> str:
    number = f"page {page + 1} of {num_pages} · " if num_pages > 1 else ""
    return f"{number}{texts.count(len(view.passages), 'passage', 'passages')} · begun {day(view.story.started_at)}"


def _round_link(view: StoryView) -> str:
    round_ = view.unfinished
    if round_ is None or round_.message_id is None:
        return "A round is under way."
    return f"A round is under way: {jump_link(round_.guild_id, round_.channel_id, round_.message_id)}"


def _line(line: StoryLine) -> str:
    story = line.story
    state = "" if story.is_running else " · ended"
    length = texts.count(line.num_passages, "passage", "passages")
    return f"**{texts.title(story)}** · {length} · <#{story.channel_id}> · begun {day(story.started_at)}{state}"
