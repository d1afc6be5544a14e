"""What may be said: text in, verdict out. The same rules for hints, members' text and the model's."""

from bot.filters.base import Action, Filter, Hit, Mode, TextKind, Verdict
from bot.filters.build import build_chain, check_rules, compile_rules
from bot.filters.levels import Level, Levels, Severity, Tier
from bot.filters.rules import Rule, RuleKind, check_rule
from bot.filters.ruleset import RuleSet, Trace
from bot.filters.words import load_words

__all__ = [
    "Action",
    "Filter",
    "Hit",
    "Level",
    "Levels",
    "Mode",
    "Rule",
    "RuleKind",
    "RuleSet",
    "Severity",
    "TextKind",
    "Tier",
    "Trace",
    "Verdict",
    "build_chain",
    "check_rule",
    "check_rules",
    "compile_rules",
    "load_words",
]
