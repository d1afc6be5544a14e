"""Where stories are kept: one SQLite file. The only importer of aiosqlite."""

from bot.store.store import Store
from bot.store.values import (
    Acted,
    Closed,
    FilterHit,
    HeldText,
    HitFigure,
    PastText,
    Revision,
    RuleChange,
    SettingChange,
    StoredRule,
    StoryLine,
    WithheldText,
)

__all__ = [
    "Acted",
    "Closed",
    "FilterHit",
    "HeldText",
    "HitFigure",
    "PastText",
    "Revision",
    "RuleChange",
    "SettingChange",
    "Store",
    "StoredRule",
    "StoryLine",
    "WithheldText",
]
