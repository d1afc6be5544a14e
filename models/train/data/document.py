"""A story on its way into a dataset: the text, where it came from, and what it must not be parted from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from models.train.sources import Story


@dataclass(frozen=True)
class Document:
    """A story with its source's name, its licence, and its group: what one split holds whole (a book, a story)."""

    story: Story
    source: str
    group: str
    licence: str

    @property
    def num_words(self) -> int:
        return len(self.story.text.split())

    def with_story(self, story: Story) -> Document:
        """The same place with another text."""
        return replace(self, story=story)

    def to_record(self) -> dict[str, Any]:
        """A line of a dataset's ``.jsonl``."""
        return {
            "text": self.story.text,
            "title": self.story.title,
            "premise": self.story.premise,
            "tags": list(self.story.tags),
            "source": self.source,
            "group": self.group,
            "licence": self.licence,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Document:
        """Reads back what `to_record` made; raises `KeyError` or `TypeError` on anything else."""
        return cls(story_of(record), record["source"], record["group"], record["licence"])


def story_of(record: Mapping[str, Any]) -> Story:
    """The story in a line of a dataset; raises `KeyError` or `TypeError` where the line is none."""
    if not isinstance(record["text"], str):
        raise TypeError("text is no string")
    return Story(record["text"], record["title"], record["premise"], tuple(record["tags"]))
