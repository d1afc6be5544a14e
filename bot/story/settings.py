"""The table of settings: their bounds, defaults and words, and how a channel's value wins over its server's.

Some rows are no settings of rounds: `training`, a server's consent, which its channels cannot give or take back, and
the limits of `story.limits`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import BadInput
from bot.story.limits import LIMITS, Quotas
from bot.story.model import Hints, Method, RoundSettings, Tally

SettingValue = int | float | bool | Method | Tally | Hints
NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
"""Python's own conversions would also take "1e3", "1_0", "nan" and digits of other scripts."""
TRAINING = "training"
SWITCH = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}


class Origin(StrEnum):
    """Where the value that holds comes from."""

    CHANNEL = "channel"
    SERVER = "server"
    DEFAULT = "default"


@dataclass(frozen=True)
class Setting:
    """One row of the table. `parse` gives the value of a lower-case text, None where it is not within `bounds`.

    `is_server_wide`: it holds for the whole server, and its channels have no value of their own. `is_of_rounds`: a
    round keeps the value that it began with.
    """

    name: str
    default: SettingValue
    bounds: str
    help: str
    parse: Callable[[str], SettingValue | None]
    is_server_wide: bool = False
    is_of_rounds: bool = True

    def read(self, text: str) -> SettingValue | None:
        """The value that `text` means, None where it is not within `bounds`."""
        return self.parse(text.strip().casefold())


@dataclass(frozen=True)
class Explained:
    """A setting as it holds in a channel: its value, and where that comes from."""

    setting: Setting
    value: SettingValue
    origin: Origin

    @property
    def text(self) -> str:
        """The value as a member would type it."""
        return write_value(self.value)


def parse_setting(name: str, text: str) -> SettingValue:
    """The value that `text` means. Raises BadInput that names the bounds, or the settings if there is no such one."""
    setting = SETTINGS.get(name)
    if setting is None:
        raise BadInput(f"There is no setting “{name}”. There are: {', '.join(SETTINGS)}.", name)
    value = setting.read(text)
    if value is None:
        raise BadInput(f"“{text.strip()[:50]}” does not work for {name}: it must be {setting.bounds}.", text)
    return value


def write_value(value: SettingValue) -> str:
    """The text that `parse_setting` reads back as `value`: what is stored and shown."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def resolve(guild: Mapping[str, str], channel: Mapping[str, str]) -> RoundSettings:
    """The settings that a round begun now keeps: the channel's over the server's over the default."""
    everything = explain(guild, channel)
    values = {name: one.value for name, one in everything.items() if one.setting.is_of_rounds}
    return RoundSettings(**values)  # type: ignore[arg-type]  # each row reads the type of the field of its name


def resolve_quotas(guild: Mapping[str, str], channel: Mapping[str, str]) -> Quotas:
    """The limits that hold in a channel now."""
    everything = explain(guild, channel)
    return Quotas(**{name: everything[name].value for name in LIMITS})  # type: ignore[arg-type]  # likewise


def allows_training(guild: Mapping[str, str]) -> bool:
    """Whether the server with these values has turned learning on. Nothing but its own "on" is consent."""
    return explain(guild, {})[TRAINING].value is True


def require_scope(name: str, *, is_server: bool) -> None:
    """Raises BadInput where the setting is one for the whole server, and `is_server` is false."""
    setting = SETTINGS.get(name)
    if setting is not None and setting.is_server_wide and not is_server:
        raise BadInput(f"“{name}” holds for the whole server: choose scope:server.", name)


def explain(guild: Mapping[str, str], channel: Mapping[str, str]) -> dict[str, Explained]:
    """Every setting as it holds, in the table's order.

    Stored texts passed the bounds of their day. One that is outside of today's bounds counts as not set, so that
    narrowing a bound in an update cannot stop a channel's rounds; the origin then shows what holds instead.
    """
    return {name: _explain_one(setting, guild.get(name), channel.get(name)) for name, setting in SETTINGS.items()}


def _explain_one(setting: Setting, of_guild: str | None, of_channel: str | None) -> Explained:
    if setting.is_server_wide:
        of_channel = None
    for text, origin in ((of_channel, Origin.CHANNEL), (of_guild, Origin.SERVER)):
        value = None if text is None else setting.read(text)
        if value is not None:
            return Explained(setting, value, origin)
    return Explained(setting, setting.default, Origin.DEFAULT)


def _whole(low: int, high: int) -> Callable[[str], SettingValue | None]:
    def parse(text: str) -> SettingValue | None:
        if not NUMBER.fullmatch(text) or not float(text).is_integer():
            return None
        value = int(float(text))
        return value if low <= value <= high else None

    return parse


def _number(low: float, high: float) -> Callable[[str], SettingValue | None]:
    def parse(text: str) -> SettingValue | None:
        # Six figures are what `write_value` gives back, so a value survives being stored.
        value = float(f"{float(text):g}") if NUMBER.fullmatch(text) else None
        return value if value is not None and low <= value <= high else None

    return parse


def _one_of(choices: Mapping[str, SettingValue]) -> Callable[[str], SettingValue | None]:
    return choices.get


def _limit(name: str, help: str, most: int = 1000, *, is_server_wide: bool = False) -> Setting:
    bounds = f"a whole number from 0 (no limit) to {most}{', for the whole server' if is_server_wide else ''}"
    default: int = getattr(Quotas(), name)
    return Setting(name, default, bounds, help, _whole(0, most), is_server_wide, is_of_rounds=False)


_DEFAULTS = RoundSettings()
_TABLE = (
    Setting(
        "candidates",
        _DEFAULTS.candidates,
        "a whole number from 2 to 5",
        "How many candidates the storyteller offers in a round.",
        _whole(2, 5),
    ),
    Setting(
        "minutes",
        _DEFAULTS.minutes,
        "a number of minutes from 0.5 to 10080 (a week)",
        "How long a ballot stays open.",
        _number(0.5, 10080),
    ),
    Setting(
        "method",
        _DEFAULTS.method,
        "approval or plurality",
        "Approval lets a member choose every candidate they like; plurality lets them choose one.",
        _one_of({method.value: method for method in Method}),
    ),
    Setting(
        "quorum",
        _DEFAULTS.quorum,
        "a whole number from 1 to 50",
        "How many members must vote; if fewer did at the deadline, the round is extended once.",
        _whole(1, 50),
    ),
    Setting(
        "length",
        _DEFAULTS.length,
        "a whole number of words from 20 to 200",
        "About how many words a candidate has.",
        _whole(20, 200),
    ),
    Setting(
        "tally",
        _DEFAULTS.tally,
        "hidden or live",
        "Whether the counts are shown while the ballot is open, or only when it closes.",
        _one_of({tally.value: tally for tally in Tally}),
    ),
    Setting(
        "early",
        _DEFAULTS.early,
        "on or off",
        "Whether a round closes as soon as its lead can no longer be overtaken.",
        _one_of(SWITCH),
    ),
    Setting(
        "hints",
        _DEFAULTS.hints,
        "firm or loose",
        "Firm asks for a hint's own words while the storyteller writes; loose only tells it the hint.",
        _one_of({hints.value: hints for hints in Hints}),
    ),
    Setting(
        TRAINING,
        False,
        "on or off, for the whole server",
        "On: texts that the model wrote here, and that members voted into the story, may be used to train models; what "
        "members typed never is. Off: no text of this server is used for training.",
        _one_of(SWITCH),
        is_server_wide=True,
        is_of_rounds=False,
    ),
    _limit("member_rounds_per_hour", "How many rounds one member may begin within an hour."),
    _limit("member_cooldown", "How many seconds a member waits between two rounds of their own.", 3600),
    _limit("member_texts_per_hour", "How many texts of their own one member may write within an hour."),
    _limit("channel_rounds_per_hour", "How many rounds may begin in a channel within an hour."),
    _limit("server_rounds_per_hour", "How many rounds may begin in the server within an hour.", is_server_wide=True),
)
SETTINGS: Mapping[str, Setting] = {setting.name: setting for setting in _TABLE}
