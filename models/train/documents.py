"""Which documents a run makes of a story: with the story format's markers, plain, or for a masked model."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from models.engine.story_format import StoryFormat
from models.train.config import ExampleOptions
from models.train.examples import make_documents
from models.train.sources import Story

Teach = Callable[[Story, random.Random], list[str]]
"""What a story teaches: its documents. The same random state gives the same documents."""


@dataclass(frozen=True)
class Form:
    """How a run's documents look: `fmt` is None without markers, `begin` and `end` are texts of special tokens.

    With markers, `begin` is what the tokenizer puts before a text by itself, such as Llama's ``<s>``: a pretrained
    model leans on it.
    """

    fmt: StoryFormat | None
    begin: str
    end: str


def choose_documents(form: Form, options: ExampleOptions) -> Teach:
    """How stories become documents of this form; `options` is for those with markers."""
    fmt = form.fmt
    if fmt is None:
        return lambda story, rng: [form.begin + plain_text(story) + form.end]
    return lambda story, rng: [form.begin + document for document in make_documents(story, fmt, options, rng)]


def plain_text(story: Story) -> str:
    """Title and text as a reader sees them."""
    return f"{story.title}\n\n{story.text}" if story.title else story.text
