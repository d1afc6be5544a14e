"""The first message on the page: what to type, or where the story stands."""

from __future__ import annotations

from typing import Any

from bot.demo.world import World
from bot.discord_app import markup, texts
from bot.discord_app.buttons import Drawing, text
from bot.errors import NoStory
from bot.service.build import Services
from bot.service.views import StoryView
from bot.story.model import Passage

RECAP_LIMIT = 2400
"""How much of canon is told again, in Discord's units; `/story show` has all of it."""

COMPONENTS_V2 = 1 << 15
"""The message flag that Discord wants for a layout."""

FIRST_STEPS = (
    "1. Type `/story start` and give the story a title, and a premise if you like.",
    "2. Type `/continue`: the model writes three candidates.",
    "3. Vote with the buttons. At the top you choose as whom: two of you make a quorum.",
    "4. The winner becomes canon. `/continue` goes on from there, `/rewrite` asks for another version "
    "of the last passage, or of any other.",
    "5. Ada moderates: `/filters show`, `/moderation cases`, `/audit`. What Ben and Chloe report arrives in the "
    "channel “moderators”, at the top.",
)


async def post_welcome(services: Services, world: World) -> None:
    """Puts it into the demo's channel in the bot's name, before the bot is connected: its ballots come below."""
    try:
        drawing = draw_recap(await services.stories.show(world.channel.id))
    except NoStory:
        drawing = draw_first_steps()
    backend = world.env.backend
    components: list[dict[str, Any]] = drawing.to_components()  # type: ignore[no-untyped-call]
    backend.create_message(world.channel.id, backend.bot_user.id, components=components, flags=COMPONENTS_V2)


def draw_first_steps() -> Drawing:
    """What to type, for a channel without a story."""
    return Drawing(
        text("## Welcome to Talewright", "Here a story is written together. This channel has none yet:"),
        text(*FIRST_STEPS),
    )


def draw_recap(view: StoryView) -> Drawing:
    """Title, the end of canon, and how it goes on."""
    told = last_passages(view.passages, RECAP_LIMIT)
    num_before = len(view.passages) - len(told)
    title, _ = markup.excerpt(view.story.title, 200)
    premise, _ = markup.excerpt(view.story.premise, 600)
    described = (f"*{premise}*" if premise else "", texts.style(view.story)) if not told else ()
    parts = [text(f"## {title}", *described)]
    if num_before:
        before = "1 passage" if num_before == 1 else f"{num_before} passages"
        parts.append(text(f"-# {before} before this; `/story show` tells all of it."))
    parts += [text(markup.excerpt(passage.text, RECAP_LIMIT)[0]) for passage in told]
    parts.append(text(f"-# {next_step(view)}"))
    return Drawing(*parts)


def last_passages(passages: tuple[Passage, ...], limit: int) -> tuple[Passage, ...]:
    """As many of the last ones as fit into `limit` units; the very last one always."""
    start, left = len(passages), limit
    while start > 0 and (start == len(passages) or markup.width(passages[start - 1].text) <= left):
        start -= 1
        left -= markup.width(passages[start].text)
    return passages[start:]


def next_step(view: StoryView) -> str:
    """How the story can go on, in a sentence or two."""
    if view.unfinished is not None:
        return "The demo was started again. A round is under way: vote below."
    if not view.passages:
        return "The demo was started again. Nothing is told yet: `/continue` asks for a beginning."
    return (
        "The demo was started again. `/continue` goes on from here, `/rewrite` asks for another version of a passage."
    )
