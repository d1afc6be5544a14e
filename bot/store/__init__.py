"""Where stories are kept: one SQLite file. The only importer of aiosqlite."""

from bot.store.store import Store
from bot.store.values import Closed, HeldText, SettingChange, StoryLine

__all__ = ["Closed", "HeldText", "SettingChange", "Store", "StoryLine"]
