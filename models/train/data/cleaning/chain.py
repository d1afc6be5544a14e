"""The steps of cleaning in their order, and what each of them did to each source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.train.data.cleaning.boilerplate import line_step, repeated_step
from models.train.data.cleaning.encoding import encoding_step
from models.train.data.cleaning.markers import marker_step
from models.train.data.cleaning.normal_form import normal_form_step
from models.train.data.cleaning.selection import language_step, length_step, load_words, word_step
from models.train.data.cleaning.step import Step
from models.train.data.document import Document
from models.train.data.settings import CleaningSettings


@dataclass
class StepCount:
    """Stories that came to a step, that it changed, that it dropped, and the words that it took away in all."""

    came: int = 0
    changed: int = 0
    dropped: int = 0
    words_lost: int = 0

    def to_record(self) -> dict[str, int]:
        return {
            "stories_before": self.came,
            "stories_changed": self.changed,
            "stories_dropped": self.dropped,
            "stories_after": self.came - self.dropped,
            "words_lost": self.words_lost,
        }


@dataclass
class Tally:
    """Counts by source and step, in the order in which they were first met."""

    steps: dict[str, dict[str, StepCount]] = field(default_factory=dict)

    def at(self, source: str, step: str) -> StepCount:
        """The count to add to."""
        return self.steps.setdefault(source, {}).setdefault(step, StepCount())

    def drop(self, document: Document, step: str, *, dropped: bool) -> None:
        """Counts a document that came to a step which only keeps or drops."""
        count = self.at(document.source, step)
        count.came += 1
        if dropped:
            count.dropped += 1
            count.words_lost += document.num_words

    def dropped_by_step(self) -> dict[str, int]:
        """Over all sources."""
        total: dict[str, int] = {}
        for steps in self.steps.values():
            for name, count in steps.items():
                total[name] = total.get(name, 0) + count.dropped
        return total


def clean_document(document: Document, steps: Sequence[Step], tally: Tally) -> Document | None:
    """The document after all the steps, or None where one of them dropped it or left nothing of it."""
    story = document.story
    words = len(story.text.split())
    for step in steps:
        count = tally.at(document.source, step.name)
        count.came += 1
        after = step.apply(story)
        if after is None or not after.text:
            count.dropped += 1
            count.words_lost += words
            return None
        if after != story:
            count.changed += 1
            left = len(after.text.split())
            count.words_lost += words - left
            story, words = after, left
    return document.with_story(story)


def text_steps(settings: CleaningSettings) -> list[Step]:
    """The steps that look at one story alone and mend it."""
    return [
        *_if(settings.encoding.enabled, encoding_step(settings.encoding)),
        *_if(settings.normal_form.enabled, normal_form_step(settings.normal_form)),
        *_if(settings.markers.enabled, marker_step()),
        *_if(settings.boilerplate.urls or settings.boilerplate.page_numbers, line_step(settings.boilerplate)),
    ]


def selecting_steps(settings: CleaningSettings, root: Path, repeated: frozenset[int]) -> list[Step]:
    """The steps that need to have seen all stories, or that choose among them."""
    words = settings.words.file
    return [
        *_if(settings.boilerplate.repeated, repeated_step(settings.boilerplate, repeated)),
        length_step(settings.length),
        *([language_step(settings.language)] if settings.language.keep else []),
        *([word_step(load_words(root / words))] if words is not None else []),
    ]


def _if(enabled: bool, step: Step) -> Iterable[Step]:
    return [step] if enabled else []
