"""Held-out stories cut into cases: what was told so far, the passage that truly follows, and what comes after it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.evaluate.words import count_words, stem
from models.train.examples import content_words, split_sentences
from models.train.sources import Story, read_stories

MAX_HINT_WORDS = 4
"""Models are taught hints of one to four content words."""


class NoCases(ValueError):
    """No story is long enough; the message says what was wanted."""


@dataclass(frozen=True)
class CaseOptions:
    """Lengths in words. What came before is cut to the last `before_words`, what comes after to the first passage."""

    prompts: int = 50
    passage_words: int = 50
    before_words: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("prompts", 1), ("passage_words", 5), ("before_words", 5)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least {least}")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Case:
    """`before` are passages, oldest first; `after` is empty where the story ends with `passage`.

    `hint` are content words of `passage`.
    """

    id: str
    title: str | None
    before: tuple[str, ...]
    passage: str
    after: str
    hint: tuple[str, ...]


def read_texts(paths: Sequence[Path]) -> list[tuple[str, Story]]:
    """Stories with their names: file and number."""
    return [(f"{path.name} {i}", story) for path in paths for i, story in enumerate(read_stories(path), 1)]


def first_chars(stories: Sequence[tuple[str, Story]], max_chars: int | None) -> list[tuple[str, Story]]:
    """The first whole stories that have so many characters together at most."""
    if max_chars is None:
        return list(stories)
    kept, used = [], 0
    for name, story in stories:
        used += len(story.text)
        if used > max_chars:
            break
        kept.append((name, story))
    return kept


def draw_cases(stories: Sequence[tuple[str, Story]], options: CaseOptions) -> list[Case]:
    """One case of each of `options.prompts` stories, drawn with the seed; of all stories that are long enough if fewer.

    So cases are independent as far as stories are. Raises `NoCases`.
    """
    rng = random.Random(options.seed)
    order = rng.sample(range(len(stories)), len(stories))
    cases: list[Case] = []
    for place in order:
        name, story = stories[place]
        # The story's own generator: what is drawn from one does not hang on how many were too short before it.
        case = _cut(name, story, options, random.Random(f"{options.seed} {name}"))
        if case is not None:
            cases.append(case)
        if len(cases) == options.prompts:
            break
    if not cases:
        raise NoCases(f"no story has two passages of about {options.passage_words} words")
    return cases


def cut_passages(text: str, words: int) -> list[str]:
    """Runs of whole sentences, each ending where `words` are reached; paragraphs stay apart. A short rest is left."""
    passages: list[str] = []
    current = ""
    for paragraph in text.split("\n\n"):
        for i, sentence in enumerate(split_sentences(paragraph)):
            current += ("" if not current else " " if i else "\n\n") + sentence
            if count_words(current) >= words:
                passages.append(current)
                current = ""
    return passages + ([current] if count_words(current) >= words / 2 else [])


def _cut(name: str, story: Story, options: CaseOptions, rng: random.Random) -> Case | None:
    passages = cut_passages(story.text, options.passage_words)
    if len(passages) < 2:
        return None
    # Rather one that something follows, since infilling needs that.
    place = rng.randrange(1, len(passages) - 1) if len(passages) > 2 else 1
    first = place
    while first and sum(map(count_words, passages[first - 1 : place])) <= options.before_words:
        first -= 1
    first = min(first, place - 1)
    after = passages[place + 1] if place + 1 < len(passages) else ""
    hint = _hint(passages[place], passages[first:place], rng)
    before = tuple(passages[first:place])
    return Case(f"{name}, passage {place + 1}", story.title, before, passages[place], after, hint)


def _hint(passage: str, before: Sequence[str], rng: random.Random) -> tuple[str, ...]:
    """One to four content words of the passage, rather such as were not told before: those would come anyway."""
    words = content_words(passage)
    told = {stem(word) for text in before for word in content_words(text)}
    new = [word for word in words if stem(word) not in told] or words
    return tuple(rng.sample(new, k=min(len(new), rng.randint(1, MAX_HINT_WORDS))))
