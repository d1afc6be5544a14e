"""What the lab hands to whoever draws it, and the words of the filters that those need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.filters import Action, Level, Levels, Mode, Rule, RuleKind, TextKind, Tier, Trace, Verdict
from bot.filters.levels import LISTED
from bot.filters.presets import PRESETS, Preset
from bot.filters.ruleset import Judged as JudgedHit
from bot.service.filtering.choice import Choice
from bot.service.filtering.scoring import ClassifierHealth
from bot.store import HitFigure, Revision, StoredRule, WithheldText

__all__ = [
    "LISTED",
    "PRESETS",
    "Action",
    "Choice",
    "ClassifierHealth",
    "Explained",
    "HitFigure",
    "ImportPlan",
    "Imported",
    "JudgedHit",
    "LabView",
    "Level",
    "LevelChange",
    "Levels",
    "Mode",
    "Preset",
    "Revision",
    "Rule",
    "RuleEntry",
    "RuleKind",
    "Sample",
    "StoredRule",
    "TextKind",
    "Tier",
    "Trace",
    "Trial",
    "Verdict",
    "WithheldText",
]


@dataclass(frozen=True)
class RuleEntry:
    """A rule with its present version. `rule` is None where it can't be read; `problem` says why.

    `overrides`: in its channel it takes the place of the server's rule of the same name. `is_overridden`: at the place
    that was looked at, another takes its place. `needs_server`: only who manages the server may change it.
    """

    stored: StoredRule
    rule: Rule | None
    problem: str | None = None
    overrides: bool = False
    is_overridden: bool = False
    needs_server: bool = True


@dataclass(frozen=True)
class LabView:
    """What holds at a place: its rules, those inherited included, whom it is for, and how strict the lists are.

    `problem`: rules can't be used, so every text is refused here; it says which, and why.
    """

    guild_id: int
    channel_id: int
    is_age_restricted: bool
    entries: tuple[RuleEntry, ...]
    tier: Tier
    levels: Levels
    of_server: Choice
    of_channel: Choice
    health: ClassifierHealth
    problem: str | None


@dataclass(frozen=True)
class Explained:
    """Every step from a text to its verdict at a place. `scores` are the classifier's, None where it was not asked or
    did not answer; `asked` says which.
    """

    trace: Trace
    tier: Tier
    asked: bool
    scores: Mapping[str, float] | None


@dataclass(frozen=True)
class Sample:
    """A text of the past that a rule hits, and where in it."""

    text: str
    start: int
    end: int
    channel_id: int
    is_canon: bool
    action: Action


@dataclass(frozen=True)
class Trial:
    """What a rule would have done to texts of the past: `looked_at` of them, canon among them.

    `is_everything`: there are no older ones.
    """

    rule: Rule
    looked_at: int
    looked_at_canon: int
    hits: int
    hits_canon: int
    samples: tuple[Sample, ...]
    is_everything: bool


@dataclass(frozen=True)
class LevelChange:
    """A place chooses another level for a ready-made list; `before` is None where it had chosen none."""

    category: str
    before: Level | None
    after: Level


@dataclass(frozen=True)
class ImportPlan:
    """What a file would change in a place: rules that are new there, and next versions of those it has.

    `changed` has each as it is (None where it can't be read) and as it would be. `same` rules are there already.
    `needs_server`: something of it only who manages the server may do.
    """

    channel_id: int | None
    added: tuple[Rule, ...]
    changed: tuple[tuple[Rule | None, Rule], ...]
    same: int
    levels: tuple[LevelChange, ...]
    needs_server: bool

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.levels)


@dataclass(frozen=True)
class Imported:
    """What became of a list of rules.

    `change` is the id of the change that it is, None where nothing was changed.
    """

    added: int
    changed: int
    same: int
    levels: tuple[LevelChange, ...] = ()
    change: int | None = None
