"""The command as its entry point adds it, and short ways to the states that are exported."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bot.export.cli import add_parser
from bot.story.model import Source
from tests.bot.service.world import ANNA, BEN, CHANNEL, GUILD, World


def talewright(*args: object) -> int:
    """The exit code of ``talewright ARGS``."""
    parser = argparse.ArgumentParser(prog="talewright")
    add_parser(parser.add_subparsers(required=True, dest="command"))
    parsed = parser.parse_args([str(arg) for arg in args])
    code = parsed.run(parsed)
    assert isinstance(code, int)
    return code


def export_stories(world: World, folder: Path, guild: int = GUILD) -> list[dict[str, Any]]:
    """The exported stories of a server, by way of the file."""
    out = folder / "stories.json"
    assert talewright("export", "stories", "--guild", guild, "--out", out, "--database", world.path) == 0
    stories: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["stories"]
    return stories


def export_rounds(world: World, folder: Path, *more: object) -> list[dict[str, Any]]:
    """The exported rounds, by way of the file."""
    out = folder / "votes.json"
    assert talewright("export", "votes", "--out", out, "--database", world.path, *more) == 0
    rounds: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["rounds"]
    return rounds


async def tell_as_member(world: World, text: str, user_id: int = BEN) -> None:
    """A round that a member's own text wins."""
    written = await world.services.rounds.write(GUILD, CHANNEL, user_id, text, next(world.interactions))
    view = await world.services.rounds.generate(written.round.id)
    mine = next(candidate for candidate in view.candidates if candidate.source is Source.MEMBER)
    await world.vote(view, ANNA, mine)
    await world.vote(view, user_id, mine)
    await world.settle(view, forced_by=ANNA)
