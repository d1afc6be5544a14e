"""A server's and a channel's settings: show where each comes from, change one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.service.views import SettingLine
from bot.store import Store
from bot.story.limits import Quotas
from bot.story.model import RoundSettings
from bot.story.settings import (
    Explained,
    explain,
    parse_setting,
    require_scope,
    resolve,
    resolve_quotas,
    write_value,
)


class SettingsService:
    """Settings by name. A channel's value holds over its server's, which holds over the default."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    async def show(self, guild_id: int, channel_id: int) -> tuple[SettingLine, ...]:
        """Every setting as it holds in the channel, in the table's order."""
        explained = explain(*await self._store.get_settings(guild_id, channel_id))
        return tuple(_line(one) for one in explained.values())

    async def set(self, guild_id: int, channel_id: int | None, name: str, text: str | None, user_id: int) -> None:
        """Sets one value for a channel, or for the whole server where `channel_id` is None; text None unsets it.

        Rounds that are under way keep the settings they began with. Raises BadInput, with the bounds in its sentence;
        also for a channel's value of a setting that holds for the whole server.
        """
        require_scope(name, is_server=channel_id is None)
        value = None if text is None else write_value(parse_setting(name, text))
        await self._store.set_setting(guild_id, channel_id, name, value, user_id, self._now())

    async def resolve(self, guild_id: int, channel_id: int) -> RoundSettings:
        """The settings that a round begun now in this channel would keep."""
        return resolve(*await self._store.get_settings(guild_id, channel_id))

    async def quotas(self, guild_id: int, channel_id: int) -> Quotas:
        """The limits that hold in this channel now."""
        return resolve_quotas(*await self._store.get_settings(guild_id, channel_id))


def _line(explained: Explained) -> SettingLine:
    setting = explained.setting
    return SettingLine(
        name=setting.name,
        value=explained.text,
        origin=explained.origin,
        default=write_value(setting.default),
        bounds=setting.bounds,
        help=setting.help,
    )
