"""The demo's server: who is there, with which ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import discord

from bot.demo.clock import WallClock
from bot.demo.world import BOT_NAME, CHANNEL_NAME, GUILD_NAME, MEMBERS, World, build_world


def build() -> World:
    return build_world(discord.Client(intents=discord.Intents.none()), WallClock())


async def test_ids_never_change_since_the_stories_in_a_data_folder_hang_on_them() -> None:
    world = build()
    assert world.guild.id == 1456074443980800005
    assert world.channel.id == 1456074443980800007
    assert [member.id for member in world.members] == [1456074443980800002, 1456074443980800003, 1456074443980800004]
    assert world.env.backend.bot_user.id == 1456074443980800001


async def test_names_are_what_the_page_shows() -> None:
    world = build()
    assert (world.guild.name, world.channel.name) == (GUILD_NAME, CHANNEL_NAME)
    assert tuple(member.user.global_name for member in world.members) == MEMBERS
    assert world.env.backend.bot_user.name == BOT_NAME


async def test_the_first_member_may_moderate_and_the_others_may_not() -> None:
    world = build()
    rights = [
        discord.Permissions(world.env.backend.compute_permissions(world.guild.id, member.id, world.channel.id))
        for member in world.members
    ]
    assert [r.manage_messages for r in rights] == [True, False, False]
    assert [r.manage_guild for r in rights] == [True, False, False]
    assert all(r.use_application_commands for r in rights)


async def test_the_moderators_channel_is_for_the_first_member_and_the_bot_alone() -> None:
    world = build()
    compute = world.env.backend.compute_permissions
    accounts = [world.env.backend.bot_user, *world.members]
    rights = [discord.Permissions(compute(world.guild.id, one.id, world.moderators.id)) for one in accounts]
    assert [r.view_channel for r in rights] == [True, True, False, False]
    assert rights[0].send_messages
    assert world.viewers(world.moderators) == world.members[:1]
    assert world.viewers(world.channel) == world.members


async def test_it_is_now_in_a_finished_world() -> None:
    assert abs(build().env.now() - datetime.now(UTC)) < timedelta(minutes=1)


async def test_everybody_has_a_picture_of_their_own() -> None:
    world = build()
    pictures = [picture for _, picture in world.avatars().values()]
    assert len(pictures) == len(MEMBERS) + 1
    assert len(set(pictures)) == len(pictures)
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
