"""A small discord.py bot of the tests' own, to try the stand-in before trusting it with the real one."""

from __future__ import annotations

import asyncio

import discord
from discord import app_commands, ui


class Button(ui.DynamicItem[ui.Button[ui.View]], template=r"count:(?P<number>\d+)"):
    """Knows its number from its id alone, and says it privately."""

    def __init__(self, number: int) -> None:
        super().__init__(ui.Button(label=f"Number {number}", custom_id=f"count:{number}"))
        self.number = number

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction, item: ui.Item, match: object) -> Button:
        return cls(int(match["number"]))  # type: ignore[index]

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"You pressed {self.number}.", ephemeral=True)


class Panel(ui.LayoutView):
    """Text above a button, as components V2."""

    def __init__(self, text: str) -> None:
        super().__init__(timeout=None)
        self.add_item(ui.Container(ui.TextDisplay(text), ui.ActionRow(Button(7))))


class Question(ui.Modal, title="A question"):
    """One field; its answer is said back."""

    words = ui.Label(text="Words", component=ui.TextInput(custom_id="words"))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"You wrote {self.words.component.value}.")


class MinimalClient(discord.AutoShardedClient):
    """Commands for each way of answering."""

    def __init__(self) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.05,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.tree = app_commands.CommandTree(self)
        self._failures: asyncio.Queue[BaseException] = asyncio.Queue()
        for name, callback in (("ping", ping), ("slow", slow), ("ask", ask), ("post", post)):
            self.tree.add_command(app_commands.Command(name=name, description=f"Does {name}", callback=callback))
        self.tree.error(self.note_failure)

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Button)
        await self.tree.sync()

    async def note_failure(self, interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        self._failures.put_nowait(getattr(error, "original", error))

    async def failure(self) -> BaseException:
        """The next error that a command has ended with."""
        async with asyncio.timeout(20):
            return await self._failures.get()


async def ping(interaction: discord.Interaction, words: str = "Pong") -> None:
    await interaction.response.send_message(words)


async def slow(interaction: discord.Interaction) -> None:
    await interaction.response.defer(thinking=True)
    view = Panel("It took a while.")
    await interaction.edit_original_response(view=view, allowed_mentions=discord.AllowedMentions.none())


async def ask(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Question())


async def post(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("Posting.", ephemeral=True)
    channel = interaction.client.get_partial_messageable(interaction.channel_id)
    message = await channel.send("First")
    await message.edit(content="Second", allowed_mentions=discord.AllowedMentions.none())
    await interaction.followup.send("Posted.", ephemeral=True)
