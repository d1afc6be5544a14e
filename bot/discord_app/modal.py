"""The form of /write, and how submitted forms are read: from the interaction alone, so that a restart loses no text."""

from __future__ import annotations

from typing import Any

import discord

from bot.discord_app.buttons import Action, Verb

TEXT_FIELD = "passage"
MAX_CHARS = 4000
"""Discord's limit for a text field, and the service's for a member's passage."""


class WriteModal(discord.ui.Modal):
    """Finished from the start, like every `Drawing`: discord.py forgets it, and `router` gets what is submitted.

    (A modal that discord.py keeps would leak whenever a member closes it, and be gone after a restart.)
    """

    def __init__(self) -> None:
        super().__init__(title="Your passage", custom_id=Action(Verb.WRITE).custom_id)
        field: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id=TEXT_FIELD, style=discord.TextStyle.paragraph, max_length=MAX_CHARS, required=True
        )
        self.add_item(
            discord.ui.Label(
                text="What happens next?",
                description="It joins the ballot; nobody sees that it is yours before the vote closes.",
                component=field,
            )
        )
        self.stop()


def submitted_text(interaction: discord.Interaction, name: str = TEXT_FIELD) -> str:
    """What was typed into the form's field; empty where there is no such field."""
    return str(_field(interaction, name).get("value") or "")


def submitted_choice(interaction: discord.Interaction, name: str) -> str:
    """What was chosen in the form's menu; empty where there is no such menu."""
    values = _field(interaction, name).get("values") or [""]
    return str(values[0])


def _field(interaction: discord.Interaction, name: str) -> dict[str, Any]:
    data: Any = interaction.data or {}
    return next((field for field in _fields(data) if field.get("custom_id") == name), {})


def submitted(interaction: discord.Interaction) -> str | None:
    """Everything that was typed into a form, whichever it is; None for a click, or where nothing was typed."""
    if interaction.type is not discord.InteractionType.modal_submit:
        return None
    data: Any = interaction.data or {}
    typed = [value for field in _fields(data) if isinstance(value := field.get("value"), str) and value.strip()]
    return "\n\n".join(typed) or None


def submitted_fields(interaction: discord.Interaction) -> dict[str, str | list[str]]:
    """Every field of a submitted form by its id: what was typed, or the values that were chosen."""
    data: Any = interaction.data or {}
    return {
        str(field["custom_id"]): list(map(str, field["values"])) if "values" in field else str(field.get("value") or "")
        for field in _fields(data)
        if "custom_id" in field
    }


def _fields(node: Any) -> list[dict[str, Any]]:
    """Every component of a submitted form, however deep: labels hold one, rows hold several."""
    children = [*node.get("components", []), *([node["component"]] if "component" in node else [])]
    return [*children, *(field for child in children for field in _fields(child))]
