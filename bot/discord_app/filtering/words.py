"""The filters in words: rules, verdicts, figures, as sentences and lines for moderators."""

from __future__ import annotations

from collections.abc import Sequence

from bot.discord_app import texts
from bot.discord_app.markup import beginning, day, excerpt, relative
from bot.service.filtering.views import (
    Action,
    HitFigure,
    Imported,
    ImportPlan,
    JudgedHit,
    Level,
    LevelChange,
    Mode,
    Preset,
    Revision,
    Rule,
    RuleEntry,
    RuleKind,
    StoredRule,
    Tier,
    Verdict,
    WithheldText,
)

KINDS = {
    RuleKind.WORDS: "words and phrases",
    RuleKind.REGEX: "patterns (RE2)",
    RuleKind.LINKS: "links",
    RuleKind.INVITES: "invitations to servers",
    RuleKind.MENTIONS: "mentions",
    RuleKind.SHAPE: "shape of the text",
    RuleKind.CATEGORY: "categories of the classifier",
}
ENTRIES_HELP = {
    RuleKind.WORDS: "One per line: word, word*, *word*, several words",
    RuleKind.REGEX: "One pattern per line (RE2: no look-around)",
    RuleKind.LINKS: "One domain per line; none means every link",
    RuleKind.INVITES: "Codes of invitations that stay allowed",
    RuleKind.MENTIONS: "users, roles, everyone; none means all",
    RuleKind.SHAPE: "caps, repeats, newlines, marks, length …",
    RuleKind.CATEGORY: "The classifier's categories, one per line",
}
ACTIONS = {
    Action.BLOCK: "refuse the text",
    Action.MASK: "cover the place",
    Action.FLAG: "let it pass, tell moderators",
    Action.ALLOW: "exception: other rules do not count there",
}
MODES = {Mode.ON: "on", Mode.SHADOW: "shadow: only noted", Mode.OFF: "off"}
LEVELS = {
    Level.OFF: "nothing",
    Level.STRONG: "strong words",
    Level.MODERATE: "moderate and strong words",
    Level.MILD: "also mild words",
}
MAX_NOTES = 5
MAX_NAMED = 8
"""Rules that a sentence names; more are counted."""
TIERS = {Tier.GENERAL: "everybody", Tier.TEEN: "teens and older", Tier.MATURE: "adults"}


_AS_WRITTEN = {ord(mark): f"\\{mark}" for mark in "\\*_~|`"}


def name(written: str, limit: int = 60) -> str:
    """A rule's, a term's or a category's name on one line, harmless, and each `*` of it as one."""
    return excerpt(" ".join(written.split()).translate(_AS_WRITTEN), limit)[0]


def label(written: str, limit: int) -> str:
    """A name where no markdown is read: on a button."""
    return beginning(" ".join(written.split()), limit)


def fenced(written: str, limit: int) -> str:
    """A text exactly as it is, in a block that nothing is live in; cut where it is too long."""
    return f"```\n{beginning(written.replace('`', 'ˋ'), limit)}\n```"


def marked(written: str, spans: Sequence[tuple[int, int]], limit: int) -> str:
    """The text in a block, with ⟦brackets⟧ around the spans; it begins shortly before the first one."""
    borders = {(start, "⟦") for start, _ in spans} | {(end, "⟧") for _, end in spans}
    shown = written
    for place, mark in sorted(borders, key=lambda border: (border[0], border[1] == "⟦"), reverse=True):
        shown = shown[:place] + mark + shown[place:]
    first = min((start for start, _ in spans), default=0)
    lead = max(0, first - 60)
    return fenced(("…" if lead else "") + shown[lead:], limit)


def where(channel_id: int | None) -> str:
    """Where a rule holds."""
    return "the whole server" if channel_id is None else f"<#{channel_id}>"


def rule_line(entry: RuleEntry) -> str:
    """A rule in the list."""
    stored, rule = entry.stored, entry.rule
    if rule is None:
        return f"**{name(stored.name)}** · can’t be used, so every text is refused\n-# {name(entry.problem or '', 200)}"
    place = "server" if stored.channel_id is None else "this channel"
    notes = [KINDS[rule.kind], ACTIONS[rule.action], MODES[rule.mode], place]
    if entry.overrides:
        notes.append("instead of the server’s rule of that name")
    if entry.is_overridden:
        notes.append("not here: another takes its place")
    return f"**{name(stored.name)}** · {' · '.join(notes)}"


def rule_facts(rule: Rule) -> list[str]:
    """What a rule does and whom it is for."""
    facts = [
        f"Looks for: {KINDS[rule.kind]}",
        f"Does: {ACTIONS[rule.action]} · {MODES[rule.mode]} · category told to the writer: {name(rule.category)}",
        f"Texts: {', '.join(sorted(rule.text_kinds)) or 'all kinds'}",
        f"Channels for: {', '.join(TIERS[tier] for tier in Tier if tier in rule.tiers) or 'everybody and anybody'}",
    ]
    if rule.bypass_roles:
        facts.append(f"Not for: {' '.join(f'<@&{role}>' for role in sorted(rule.bypass_roles)[:20])}")
    if rule.options:
        facts.append(
            f"Options: {name(', '.join(f'{key} = {value}' for key, value in sorted(rule.options.items())), 300)}"
        )
    return facts


def version_line(one: StoredRule) -> str:
    """A version in a rule's history."""
    what = "taken away" if one.body is None else f"“{name(one.name)}”"
    return f"**{one.version}** · {what} · <@{one.author_id}> {relative(one.at)}{reason(one.reason)}"


def revision_line(one: Revision) -> str:
    """A change in the whole set's history."""
    parts = [texts.count(one.num_rules, "rule", "rules")] if one.num_rules else []
    parts += ["levels"] if one.num_levels else []
    return f"**{one.id}** · {' and '.join(parts)} · <@{one.author_id}> {relative(one.at)}{reason(one.reason)}"


def figure_line(one: HitFigure) -> str:
    """How often a rule hit."""
    how = "would have hit (shadow)" if one.is_shadow else "hit"
    typed = texts.count(one.num_typed, "text", "texts")
    written = texts.count(one.num_candidates, "candidate", "candidates")
    return f"**{name(one.rule)}** {how} {typed} of members and {written} ({one.action}) · last {relative(one.last_at)}"


def hit_line(one: JudgedHit) -> str:
    """A find and what became of it."""
    hit = one.hit
    score = "" if hit.score is None else f" · score {hit.score:.2f}"
    term = f" by “{name(hit.term)}”" if hit.term else ""
    place = f"characters {hit.start + 1} to {hit.end}"
    return f"**{name(hit.rule)}**{term} · {hit.action} · {place}{score}\n-# {name(one.why, 150)}"


def verdict_line(verdict: Verdict) -> str:
    """What is decided about a text."""
    if verdict.action is None:
        return "**Passes.** No rule that acts hit it."
    said = {
        Action.BLOCK: f"**Refused.** The writer is told the category “{name(verdict.category or '')}”.",
        Action.MASK: "**Passes with places covered.**",
        Action.FLAG: "**Passes**, and moderators are told.",
    }
    return f"{said[verdict.action]} Decided by “{name(verdict.rule or '')}”."


def withheld_head(one: WithheldText, number: int, total: int) -> str:
    """What stands above a withheld text."""
    return f"**{number} of {total}** · by “{name(one.rule)}”, category {name(one.category)} · {day(one.at)}"


def exported(channel_id: int | None, num_rules: int, num_levels: int, *, is_json: bool) -> str:
    """What a file holds."""
    rules, levels = texts.count(num_rules, "rule", "rules"), texts.count(num_levels, "level", "levels")
    if is_json:
        return f"{rules} and {levels} of {where(channel_id)}:"
    left_out = f" (a CSV has no levels; JSON has the {levels} too)" if num_levels else ""
    return f"{rules} of {where(channel_id)}{left_out}:"


def nothing_to_export(channel_id: int | None, num_levels: int) -> str:
    """Why there is no file."""
    if num_levels:
        return f"There is no rule for {where(channel_id)} itself, and a CSV has no levels. JSON has them."
    return f"Nothing is set for {where(channel_id)} itself: no rule, and no level."


def preset(one: Preset) -> str:
    """Which ready-made rules these are."""
    return f"**{one.title}.** {one.about}\n"


def planned(plan: ImportPlan, what: str) -> str:
    """What `what` would change."""
    same = f"-# {texts.count(plan.same, 'rule is', 'rules are')} here already." if plan.same else ""
    lines = [
        f"**Nothing is changed yet.** For {where(plan.channel_id)} {what} would",
        _planned("add", [(None, rule) for rule in plan.added]),
        _planned("change", plan.changed),
        *(f"- set the level of {level_change(one)}" for one in plan.levels),
        same,
        "-# “Take it over” does that in one change, which two clicks undo.",
    ]
    return "\n".join(filter(None, lines))


def _planned(what: str, rules: Sequence[tuple[Rule | None, Rule]]) -> str:
    if not rules:
        return ""
    named = [f"“{name(rule.name, 40)}” ({_mode_change(old, rule)})" for old, rule in rules[:MAX_NAMED]]
    more = f" and {len(rules) - MAX_NAMED} more" if len(rules) > MAX_NAMED else ""
    return f"- {what} {texts.count(len(rules), 'rule', 'rules')}: {', '.join(named)}{more}"


def _mode_change(old: Rule | None, rule: Rule) -> str:
    return f"{rule.mode}" if old is None or old.mode is rule.mode else f"{old.mode} → {rule.mode}"


def level_change(one: LevelChange) -> str:
    """A list's level before and after."""
    before = "not chosen here" if one.before is None else LEVELS[one.before]
    return f"“{name(one.category)}”: {before} → **{LEVELS[one.after]}**"


def imported(got: Imported) -> str:
    """What became of a list."""
    added = texts.count(got.added, "rule was", "rules were")
    said = f"{added} added, {got.changed} changed, {got.same} were here already."
    levels = [f"Level of {level_change(one)}" for one in got.levels]
    return "\n".join([said, *levels])


def left_out(notes: Sequence[str]) -> str:
    """What could not be taken over, a line each; empty where everything could."""
    more = len(notes) - MAX_NOTES
    lines = [f"-# {name(note, 200)}" for note in notes[:MAX_NOTES]]
    return "".join(f"{line}\n" for line in [*lines, *([f"-# … and {more} more notes like these."] if more > 0 else [])])


def reason(said: str) -> str:
    """Why a change was made, as a line ends with it; empty where nobody said."""
    return f" · {name(said, 100)}" if said else ""
