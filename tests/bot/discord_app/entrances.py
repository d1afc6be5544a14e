"""Every way into the bot, by walking what it registers: so a command or a button that is new is tested as well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import discord
import simcord
from discord import app_commands

from bot.discord_app.buttons import ARITY, Action, Verb
from tests.bot.discord_app.stage import Stage

Enter = Callable[[Stage, simcord.MemberActor], Awaitable[simcord.InteractionResult]]


@dataclass(frozen=True)
class Entrance:
    """One command or button, and how a member uses it. `root` is the command that Discord hides or shows."""

    name: str
    root: str | None
    is_of_moderators: bool
    enter: Enter


def all_commands(stage: Stage) -> Iterator[Entrance]:
    """Slash commands with whatever their required options take, and context menus on the newest message."""
    for command in stage.bot.tree.walk_commands():
        if isinstance(command, app_commands.Command):
            root = command.root_parent or command
            options = {
                parameter.name: _value(stage, parameter) for parameter in command.parameters if parameter.required
            }
            yield Entrance(
                command.qualified_name, root.name, root.default_permissions is not None, _slash(command, options)
            )
    for kind in (discord.AppCommandType.user, discord.AppCommandType.message):
        for menu in stage.bot.tree.get_commands(type=kind):
            yield Entrance(menu.name, menu.name, menu.default_permissions is not None, _menu(menu.name, kind))


def all_clicks() -> Iterator[tuple[Verb, Enter]]:
    """A button for every verb, also for those that only forms have: the router sees no difference."""
    for verb in Verb:
        yield verb, _click(Action(verb, (1,) * ARITY[verb]).custom_id)


def show_everything_to(stage: Stage, *members: simcord.MemberActor) -> None:
    """What an admin may do in the server's settings: no command is hidden from these members."""
    for number in stage.bot.command_ids.values():
        stage.guild.set_command_permissions(number, dict.fromkeys(members, True))


def _slash(command: app_commands.Command[Any, ..., Any], options: dict[str, Any]) -> Enter:
    async def enter(stage: Stage, member: simcord.MemberActor) -> simcord.InteractionResult:
        return await member.slash(stage.channel, command.qualified_name, **options)

    return enter


def _menu(name: str, kind: discord.AppCommandType) -> Enter:
    async def enter(stage: Stage, member: simcord.MemberActor) -> simcord.InteractionResult:
        target = stage.cleo if kind is discord.AppCommandType.user else stage.messages[-1]
        return await member.context_menu(stage.channel, name, target)

    return enter


def _click(custom_id: str) -> Enter:
    async def enter(stage: Stage, member: simcord.MemberActor) -> simcord.InteractionResult:
        return await member.click(await stage.post_button(custom_id), custom_id=custom_id)

    return enter


def _value(stage: Stage, parameter: app_commands.Parameter) -> Any:
    kinds = discord.AppCommandOptionType
    if parameter.choices:
        return parameter.choices[0].value
    return {
        kinds.string: "12 hours",
        kinds.integer: 1,
        kinds.number: 1.0,
        kinds.boolean: True,
        kinds.user: stage.cleo,
        kinds.channel: stage.channel,
        kinds.attachment: ("rules.json", b"[]"),
    }[parameter.type]
