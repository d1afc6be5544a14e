"""The lab's pages: the list of rules, one rule, versions, changes of the whole set, figures, trials, withheld texts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import discord

from bot.discord_app import texts
from bot.discord_app.buttons import MAX_TEXT, Action, Beside, Drawing, InertButton, Verb, button, pager, row, text
from bot.discord_app.filtering import words
from bot.discord_app.markup import relative, width
from bot.service.filtering.views import (
    LISTED,
    ClassifierHealth,
    Explained,
    HitFigure,
    LabView,
    Mode,
    Revision,
    RuleEntry,
    StoredRule,
    Trial,
    WithheldText,
)

PER_PAGE = 8
MODES = list(Mode)
"""A button's id names a mode by its place here."""
ROW = 5
FIGURES_PER_PAGE = 12
CHANGES_PER_PAGE = ROW
NO_RULES = "No rule of this server’s own holds here."
HOW_TO_ADD = "-# New ones: /filters add, preset, import or automod. What a text would meet: /filters test."
NOTHING_FOUND = "No rule that holds here has this in its name or entries."
MORE_HITS = "-# … and {number} more."
Items = list[discord.ui.Item[Any]]


def lab_page(view: LabView, page: int, search: str = "") -> Drawing:
    """What holds here: the rules, whom the channel is for, and how strict the ready-made lists are."""
    found = [one for one in view.entries if _matches(one, search)]
    num_pages = max(1, -(-len(found) // PER_PAGE))
    page = min(page, num_pages - 1)
    shown = found[page * PER_PAGE : (page + 1) * PER_PAGE]
    lines = [words.rule_line(one) for one in shown] or [NOTHING_FOUND if search else NO_RULES]
    asked = f"-# {texts.count(len(found), 'rule has', 'rules have')} “{words.name(search)}”." if search else ""
    opening = [
        button(f"Open “{words.label(one.stored.name, 30)}”", Action(Verb.RULE, (one.stored.id,))) for one in shown
    ]
    turning = pager(
        "the rules", page, num_pages, [Action(Verb.LAB, (number,), search) for number in (page - 1, page + 1)]
    )
    more = [
        *([button("All rules", Action(Verb.LAB, (0,)))] if search else []),
        button("Figures", Action(Verb.FIGURES, (0,))),
        button("Changes and undo", Action(Verb.CHANGES, (0,))),
    ]
    return Drawing(
        text("## What may be said here", *_state(view)),
        text(asked, *lines),
        *_rows(opening),
        row(*turning, *more),
        text(HOW_TO_ADD),
    )


def rule_page(entry: RuleEntry, viewer_id: int) -> Drawing:
    """One rule with everything that can be done to it, by `viewer_id` or anybody else who may."""
    stored, rule = entry.stored, entry.rule
    rule_id = stored.id
    head = f"## {words.name(stored.name)}"
    about = (
        f"-# Version {stored.version} of rule {rule_id}, for {words.where(stored.channel_id)}, "
        f"by <@{stored.author_id}> {relative(stored.at)}{words.reason(stored.reason)}"
    )
    last = [
        button("Versions", Action(Verb.VERSIONS, (rule_id, 0))),
        button("All rules", Action(Verb.LAB, (0,))),
        *([_why_button("Say why…", stored.revision_id, rule_id)] if _is_unexplained(stored, viewer_id) else []),
    ]
    removing = button("Take it away", Action(Verb.REMOVE, (rule_id,)), discord.ButtonStyle.danger)
    if rule is None:
        return Drawing(text(head, about, words.name(entry.problem or "", 300)), row(removing, *last))
    switches = [
        button(f"Switch {mode}", Action(Verb.SWITCH, (rule_id, MODES.index(mode))))
        for mode in Mode
        if mode != rule.mode
    ]
    notes = ["-# It takes the place of the server’s rule of that name in this channel."] if entry.overrides else []
    if entry.needs_server:
        notes.append("-# Changing it needs “Manage Server”.")
    return Drawing(
        text(head, about, *words.rule_facts(rule), *notes),
        *([text(words.fenced("\n".join(rule.patterns), 1500))] if rule.patterns else []),
        row(*switches, button("Try on past texts", Action(Verb.TRY, (rule_id,)))),
        row(
            button("Change", Action(Verb.EDIT, (rule_id,))),
            button("Change whom it is for", Action(Verb.LIMITS, (rule_id,))),
            removing,
        ),
        row(*last),
    )


def versions_page(versions: Sequence[StoredRule], page: int, viewer_id: int) -> Drawing:
    """A rule's history, with a way back to each version, and to a reason for those that `viewer_id` gave none for."""
    rule_id, per_page = versions[0].id, ROW
    num_pages = -(-len(versions) // per_page)
    page = min(page, num_pages - 1)
    shown = versions[page * per_page : (page + 1) * per_page]
    back = [
        button(f"Back to version {one.version}", Action(Verb.BACK, (rule_id, one.version)))
        for one in shown
        if one.body is not None and one is not versions[0]
    ]
    why = [
        _why_button(f"Say why of version {one.version}…", one.revision_id, rule_id)
        for one in shown
        if _is_unexplained(one, viewer_id)
    ]
    actions = [Action(Verb.VERSIONS, (rule_id, number)) for number in (page - 1, page + 1)]
    turning = pager("the versions", page, num_pages, actions)
    head = f"## Versions of {words.name(versions[0].name)}"
    return Drawing(
        text(head, *map(words.version_line, shown), "-# Going back makes a new version; nothing is lost."),
        *_rows(back),
        *_rows(why),
        row(*turning, button("All rules", Action(Verb.LAB, (0,)))),
    )


def changes_page(revisions: Sequence[Revision], viewer_id: int, *, is_newest: bool = True) -> Drawing:
    """Changes of the whole set, with a way to a reason for those that `viewer_id` gave none for.

    One more than `CHANGES_PER_PAGE` says that there are earlier ones. A button names the state that it leads to, so a
    double click is harmless.
    """
    if not revisions:
        return Drawing(text("## Changes", "Nothing was changed here yet."))
    before = [*revisions[1:], None]
    shown = list(zip(revisions, before, strict=True))[:CHANGES_PER_PAGE]
    back = [
        button(
            "Undo the last change" if is_newest and place == 0 else f"Back to before {change.id}",
            Action(Verb.RESTORE, (0 if earlier is None else earlier.id,)),
        )
        for place, (change, earlier) in enumerate(shown)
    ]
    why = [
        _why_button(f"Say why of {change.id}…", change.id) for change, _ in shown if _is_unexplained(change, viewer_id)
    ]
    turning = [
        *([] if is_newest else [button("The last changes", Action(Verb.CHANGES, (0,)))]),
        *([button("Earlier changes", Action(Verb.CHANGES, (shown[-1][0].id,)))] if len(revisions) > len(shown) else []),
    ]
    return Drawing(
        text("## Changes", *(words.revision_line(change) for change, _ in shown)),
        text("-# Going back is a change as well, and can be undone like any other. It needs “Manage Server”."),
        *_rows(back),
        *_rows(why),
        row(*turning, button("All rules", Action(Verb.LAB, (0,)))),
    )


def figures_page(figures: Sequence[HitFigure], health: ClassifierHealth, page: int) -> Drawing:
    """How often rules hit, in shadow mode too, and how the classifier is."""
    num_pages = max(1, -(-len(figures) // FIGURES_PER_PAGE))
    page = min(page, num_pages - 1)
    shown = figures[page * FIGURES_PER_PAGE : (page + 1) * FIGURES_PER_PAGE]
    lines = [words.figure_line(one) for one in shown] or ["No rule has hit anything lately."]
    actions = [Action(Verb.FIGURES, (number,)) for number in (page - 1, page + 1)]
    return Drawing(
        text("## Figures of the last 30 days", *lines, "-# Whose texts they were is not kept."),
        text(_health(health)),
        row(*pager("the figures", page, num_pages, actions), button("All rules", Action(Verb.LAB, (0,)))),
    )


def trial_page(trial: Trial, *, rule_id: int | None) -> Drawing:
    """What a rule would have done to texts of the past."""
    everything = "That is all there are." if trial.is_everything else "There are older ones, which were not looked at."
    canon = texts.count(trial.looked_at_canon, "was", "were")
    lines = [
        f"## {words.name(trial.rule.name)}: tried, nothing was changed",
        f"Looked at {texts.count(trial.looked_at, 'text', 'texts')} that stood on ballots here; {canon} chosen.",
        everything,
        f"**It would have hit {trial.hits}**, of which {trial.hits_canon} were chosen.",
        "-# As if it were on for every kind of text and channel, with the exceptions that hold here.",
    ]
    samples = [
        text(
            f"{words.where(one.channel_id)}{' · chosen' if one.is_canon else ''}",
            words.marked(one.text, [(one.start, one.end)] if (one.start, one.end) != (0, len(one.text)) else [], 280),
        )
        for one in trial.samples[:8]
    ]
    back = [] if rule_id is None else [row(button("Back to the rule", Action(Verb.RULE, (rule_id,))))]
    return Drawing(text(*lines), *samples, *back)


def withheld_page(found: Sequence[WithheldText], page: int) -> Drawing:
    """One text of the model's that a filter kept from a ballot, and what in it was why."""
    if not found:
        return Drawing(text("Nothing was withheld here lately, or it is forgotten by now (after 30 days)."))
    page = min(page, len(found) - 1)
    one = found[page]
    spans = [] if one.start is None or one.end is None else [(one.start, one.end)]
    actions = [Action(Verb.WITHHELD, (one.round_id, number)) for number in (page - 1, page + 1)]
    turning = pager("the withheld texts", page, len(found), actions)
    return Drawing(
        text("## Withheld from the ballot", words.withheld_head(one, page + 1, len(found))),
        text(words.marked(one.text, spans, 3000)),
        *([row(*turning)] if turning else []),
    )


def explained_page(got: Explained) -> Drawing:
    """Each step from a text to its verdict; where a message has no room for all, the last finds are left out."""
    trace = got.trace
    spans = [
        (one.hit.start, one.hit.end) for one in trace.judged if (one.hit.start, one.hit.end) != (0, len(trace.text))
    ]
    masked = [] if trace.verdict.masked is None else [f"-# Shown as\n{words.fenced(trace.verdict.masked, 400)}"]
    blocks = [
        f"## Tested, as if it were typed here now\n{words.verdict_line(trace.verdict)}",
        f"-# As a {trace.kind}, in a channel for {words.TIERS[got.tier]}\n{words.marked(trace.text, spans, 800)}",
        *masked,
        *(f"-# Read as ({one.name})\n{words.fenced(one.text, 400)}" for one in trace.readings),
        *([_scores(got)] if got.asked else []),
        "**What was found**" if trace.judged else "Nothing was found.",
    ]
    hits = [words.hit_line(one) for one in trace.judged]
    room = MAX_TEXT - sum(width(block) for block in blocks) - len(MORE_HITS)
    shown = [hit for hit, used in zip(hits, accumulate(width(hit) + 1 for hit in hits), strict=True) if used <= room]
    more = [] if len(shown) == len(hits) else [MORE_HITS.format(number=len(hits) - len(shown))]
    return Drawing(*map(text, blocks), *([text(*shown, *more)] if hits else []))


def why_beside(change: int | None, reason: str = "") -> Beside | None:
    """Under the sentence that confirms a change: a way to say why, where that was not said with it."""
    return None if change is None or reason.strip() else Beside(_why_button("Say why…", change))


def _why_button(label: str, change: int, rule_id: int = 0) -> InertButton:
    return button(label, Action(Verb.SAY_WHY, (change, rule_id)))


def _is_unexplained(change: StoredRule | Revision, viewer_id: int) -> bool:
    """Only whoever made a change knows why."""
    return not change.reason and change.author_id == viewer_id


def _scores(got: Explained) -> str:
    if got.scores is None:
        return "-# The classifier did not answer; rules that want it are skipped, or refuse where they say so."
    told = ", ".join(f"{words.name(name, 30)} {score:.2f}" for name, score in sorted(got.scores.items())[:15])
    return f"-# The classifier’s scores: {told}"


def _state(view: LabView) -> list[str]:
    levels = [f"{name}: {words.LEVELS[view.levels.level(name)]}" for name in LISTED]
    chosen = view.of_channel.tier or view.of_server.tier
    lines = [f"Judged as a channel for {words.TIERS[view.tier]}. Ready-made lists refuse: {' · '.join(levels)}"]
    if chosen is not None and chosen != view.tier:
        lines.append(f"-# “{chosen}” is chosen, but Discord says of no age restriction here, so it does not count.")
    if view.problem is not None:
        lines.append(f"**Every text is refused here:** {words.name(view.problem, 300)}")
    if view.health.num_failed:
        lines.append(f"-# {_health(view.health)}")
    return lines


def _health(health: ClassifierHealth) -> str:
    if not health.is_there:
        return "No classifier is connected; rules that want one are skipped, or refuse where they say so."
    said = f"The classifier was asked {texts.count(health.num_asked, 'time', 'times')} since the start"
    if health.last_failed_at is None:
        return f"{said}, and always answered."
    why = words.name(health.last_failure or "", 150)
    return f"{said} and failed {health.num_failed} of them, last {relative(health.last_failed_at)}: {why}"


def _matches(entry: RuleEntry, search: str) -> bool:
    wanted = search.strip().casefold()
    patterns = () if entry.rule is None else entry.rule.patterns
    return any(wanted in written.casefold() for written in (entry.stored.name, *patterns))


def _rows(buttons: Sequence[InertButton]) -> Items:
    return [row(*buttons[start : start + ROW]) for start in range(0, len(buttons), ROW)]
