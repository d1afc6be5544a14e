from __future__ import annotations

from bot.store import SettingChange, Store
from tests.bot.store.world import ALICE, BOB, CHANNEL, GUILD, LATER, NOW


async def test_servers_and_channels_have_values_of_their_own(store: Store) -> None:
    await store.set_setting(GUILD, None, "quorum", "3", ALICE, NOW)
    await store.set_setting(GUILD, CHANNEL, "quorum", "5", ALICE, NOW)
    await store.set_setting(GUILD, CHANNEL + 1, "minutes", "2", ALICE, NOW)
    await store.set_setting(GUILD + 1, None, "length", "100", ALICE, NOW)

    assert await store.get_settings(GUILD, CHANNEL) == ({"quorum": "3"}, {"quorum": "5"})
    assert await store.get_settings(GUILD, CHANNEL + 1) == ({"quorum": "3"}, {"minutes": "2"})
    assert await store.get_settings(GUILD + 2, CHANNEL) == ({}, {})


async def test_a_value_is_replaced_and_removed_in_its_own_place_only(store: Store) -> None:
    for value in ("3", "4"):
        await store.set_setting(GUILD, None, "quorum", value, ALICE, NOW)
        await store.set_setting(GUILD, CHANNEL, "quorum", value, ALICE, NOW)
    await store.set_setting(GUILD, None, "quorum", None, ALICE, NOW)
    assert await store.get_settings(GUILD, CHANNEL) == ({}, {"quorum": "4"})


async def test_changes_are_logged_newest_first_and_only_where_something_changed(store: Store) -> None:
    await store.set_setting(GUILD, None, "quorum", None, ALICE, NOW)
    await store.set_setting(GUILD, None, "quorum", "3", ALICE, NOW)
    await store.set_setting(GUILD, None, "quorum", "3", BOB, LATER)
    await store.set_setting(GUILD, CHANNEL, "tally", "live", BOB, LATER)
    await store.set_setting(GUILD, None, "quorum", None, BOB, LATER)
    assert await store.setting_changes(GUILD) == [
        SettingChange(None, "quorum", "3", None, BOB, LATER),
        SettingChange(CHANNEL, "tally", None, "live", BOB, LATER),
        SettingChange(None, "quorum", None, "3", ALICE, NOW),
    ]
    assert len(await store.setting_changes(GUILD, limit=1)) == 1
    assert await store.setting_changes(GUILD + 1) == []


async def test_the_program_keeps_notes_for_itself(store: Store) -> None:
    assert await store.get_meta("commands") is None
    await store.set_meta("commands", "abc")
    await store.set_meta("commands", "def")
    assert await store.get_meta("commands") == "def"
