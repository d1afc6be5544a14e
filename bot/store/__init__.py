"""Where stories are kept: one SQLite file. The only importer of aiosqlite."""

from bot.store.store import Store
from bot.store.values import Acted, Closed, HeldText, SettingChange, StoryLine

__all__ = ["Acted", "Closed", "HeldText", "SettingChange", "Store", "StoryLine"]
