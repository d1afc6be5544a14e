"""One step of cleaning: a story in; the story, a changed one, or none out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from models.train.sources import Story

Change = Callable[[str], str]


@dataclass(frozen=True)
class Step:
    """`apply` gives the story back (the same, or another), or None to drop it. `name` is what counts say."""

    name: str
    apply: Callable[[Story], Story | None]


def change_all(story: Story, change: Change) -> Story:
    """The change applied to the text, the title, the premise and the tags; what becomes empty is absent."""
    tags = tuple(tag for tag in map(change, story.tags) if tag)
    title, premise = (None if part is None else change(part) or None for part in (story.title, story.premise))
    return replace(story, text=change(story.text), title=title, premise=premise, tags=tags)
