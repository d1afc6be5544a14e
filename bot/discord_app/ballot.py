"""Draws a round: writing, open, closed, or ended without a result. One message each, within Discord's limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import discord

from bot.discord_app import texts
from bot.discord_app.buttons import MAX_TEXT, Action, Drawing, Verb, button, row, text
from bot.discord_app.changes import mark_changes
from bot.discord_app.markup import excerpt, share, width
from bot.service.views import BallotView, ResultView
from bot.story.hygiene import neutralise
from bot.story.model import NONE_OF_THESE, Candidate, Round, Source, Style

MAX_RULED = 5
"""Up to so many candidates stand apart by a line; with more, the lines would be components that Discord refuses."""
CUT_LINE = "-# Shown in part: “Read all of {letter}” has the rest."
Block = list[discord.ui.Item[Any]]


def writing(view: BallotView) -> Drawing:
    """What stands in the channel while the model writes."""
    return Drawing(text(texts.writing(view), texts.hint(view.round)))


def open_ballot(view: BallotView) -> Drawing:
    """The ballot while members vote: no authors, and counts only where the channel wants them live."""
    head, foot = _head(view), _open_foot(view)
    blocks = _blocks(view, _budget(view.candidates, head, foot, lambda c: _open_notes(view, c)))
    items: Block = [text(*head)]
    for candidate, (shown, is_cut) in zip(view.candidates, blocks, strict=True):
        items += _rule(view)
        items.append(_candidate_text(candidate, shown, is_cut, _open_notes(view, candidate)))
        items.append(row(_vote_button(view.round, candidate), *_read_button(candidate, is_cut)))
    none = button(texts.NONE_LABEL, Action(Verb.VOTE, (view.round.id, NONE_OF_THESE)))
    last = row(none, _report_button(view.round), *_withheld_button(view.round))
    return Drawing(*items, *_rule(view), text(*foot), last)


def closed_ballot(result: ResultView) -> Drawing:
    """The same ballot after the close: the winner, the rule, the numbers, who wrote what. No vote buttons."""
    view = result.ballot
    head, foot = _head(view), _closed_foot(result)
    blocks = _blocks(view, _budget(view.candidates, head, foot, lambda c: _closed_notes(result, c)))
    items: Block = [text(*head)]
    for candidate, (shown, is_cut) in zip(view.candidates, blocks, strict=True):
        items += _rule(view)
        items.append(_candidate_text(candidate, shown, is_cut, _closed_notes(result, candidate)))
        if is_cut:
            items.append(row(*_read_button(candidate, is_cut)))
    # What won stands among them: a report of it is one of the passage that it became.
    can_report = any(candidate.mark is None for candidate in view.candidates)
    return Drawing(*items, *_rule(view), text(*foot), *([row(_report_button(view.round))] if can_report else []))


def ended(view: BallotView) -> Drawing:
    """What is left of a round that was cancelled or failed."""
    return Drawing(text(texts.cancelled(view.round), texts.hint(view.round)))


def decided(result: ResultView) -> str:
    """Which rule decided, and how, in a sentence."""
    return result.outcome.sentence({candidate.id: candidate.letter for candidate in result.ballot.candidates})


def _head(view: BallotView) -> tuple[str, ...]:
    return (texts.asking(view), f"**{texts.title(view.story)}**", texts.hint(view.round))


def _open_foot(view: BallotView) -> tuple[str, ...]:
    none = "" if view.tally is None else f"{texts.NONE_LABEL}: {texts.votes(view.tally.get(NONE_OF_THESE, 0))}"
    return (
        none,
        *_about_changes(view),
        texts.how_to_vote(view.round),
        texts.standing(view.round, view.num_ballots),
        *(f"-# {neutralise(notice)}" for notice in view.notices),
        f"-# {texts.AUTHORSHIP}",
    )


def _closed_foot(result: ResultView) -> tuple[str, ...]:
    view = result.ballot
    none = (view.tally or {}).get(NONE_OF_THESE, 0)
    by = f" <@{view.round.closed_by}> closed it." if view.round.closed_by is not None else ""
    return (
        f"**{decided(result)}**",
        f"{texts.VOTING_CLOSED}{by} {texts.count(view.num_ballots, 'member', 'members')} voted; "
        f"{texts.votes(none)} for “none of these”.",
        *_about_changes(view),
        *(f"-# {neutralise(notice)}" for notice in view.notices),
    )


def _open_notes(view: BallotView, candidate: Candidate) -> tuple[str, str]:
    """What stands beside a candidate's letter, and under its text."""
    beside = " · as it stands now" if candidate.id == view.incumbent_id else ""
    return beside, "" if view.tally is None else f"-# {texts.votes(view.tally.get(candidate.id, 0))}"


def _closed_notes(result: ResultView, candidate: Candidate) -> tuple[str, str]:
    won = result.winner is not None and result.winner.id == candidate.id
    number = (result.ballot.tally or {}).get(candidate.id, 0)
    return " · chosen" if won else "", f"-# {texts.votes(number)} · {texts.authored(candidate)}"


def _budget(
    candidates: Sequence[Candidate],
    head: tuple[str, ...],
    foot: tuple[str, ...],
    notes: Callable[[Candidate], tuple[str, str]],
) -> int:
    """What is left of a message's text for the candidates' own words."""
    around = [*head, *foot]
    for candidate in candidates:
        around += [f"### {candidate.letter}", *notes(candidate), CUT_LINE]
    return MAX_TEXT - sum(width(line) + 1 for line in around)


def _blocks(view: BallotView, budget: int) -> list[tuple[str, bool]]:
    """Each candidate's text as far as it fits, and whether it was cut. Short ones leave their room to the others."""
    wholes = [_whole(view, candidate) for candidate in view.candidates]
    rooms = share([width(whole) for whole in wholes], budget)
    return [
        (whole, False) if width(whole) <= room else excerpt(candidate.text, room)
        for candidate, whole, room in zip(view.candidates, wholes, rooms, strict=True)
    ]


def _whole(view: BallotView, candidate: Candidate) -> str:
    """All of a candidate as it may be shown; where it is a light rewrite, with what it changes marked."""
    old = None if view.incumbent_id is None else view.candidate(view.incumbent_id)
    is_light = view.round.style is Style.LIGHT and candidate.source is Source.MODEL
    if is_light and old is not None and old.mark is None and candidate.mark is None:
        return mark_changes(old.text, candidate.text)
    return neutralise(candidate.text).strip()


def _about_changes(view: BallotView) -> tuple[str, ...]:
    return (f"-# {texts.CHANGES_ARE_BOLD}",) if view.round.style is Style.LIGHT else ()


def _rule(view: BallotView) -> Block:
    """A line between two candidates, where there is room for lines."""
    return [discord.ui.Separator()] if len(view.candidates) <= MAX_RULED else []


def _candidate_text(
    candidate: Candidate, shown: str, is_cut: bool, notes: tuple[str, str]
) -> discord.ui.TextDisplay[Any]:
    beside, under = notes
    return text(
        f"### {candidate.letter}{beside}", shown, CUT_LINE.format(letter=candidate.letter) if is_cut else "", under
    )


def _vote_button(round_: Round, candidate: Candidate) -> Any:
    action = Action(Verb.VOTE, (round_.id, candidate.id))
    return button(f"Vote {candidate.letter}", action, discord.ButtonStyle.primary)


def _report_button(round_: Round) -> Any:
    return button(texts.REPORT, Action(Verb.REPORT, (round_.id,)))


def _withheld_button(round_: Round) -> list[Any]:
    """For moderators; whoever else clicks is told so."""
    action = Action(Verb.WITHHELD, (round_.id, 0))
    return [button("See what was withheld (moderators)", action)] if round_.withheld else []


def _read_button(candidate: Candidate, is_cut: bool) -> list[Any]:
    action = Action(Verb.READ, (candidate.round_id, candidate.id))
    return [button(f"Read all of {candidate.letter}", action)] if is_cut else []
