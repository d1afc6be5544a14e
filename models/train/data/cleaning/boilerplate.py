"""Lines that are no story: addresses, page numbers, and paragraphs that stand at the edges of many stories."""

from __future__ import annotations

import hashlib
import math
import re
from array import array
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from models.train.data.cleaning.step import Step
from models.train.data.settings import BoilerplateSettings
from models.train.sources import Story

_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|\b[\w.+-]+@[\w-]+\.[\w.]+", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"\W*(?:(?:page|pg\.?|p\.) *)?\d{1,4}(?: *(?:of|/) *\d{1,4})?\W*", re.IGNORECASE)
_NOTICE_WORDS = 25
"""A line with an address and no more words than this is a notice; in a longer one only the address goes."""


def line_step(settings: BoilerplateSettings) -> Step:
    """Takes out lines by what they look like."""

    def apply(story: Story) -> Story:
        lines = (_without_address(line) if settings.urls else line for line in story.text.split("\n"))
        kept = [line for line in lines if not (settings.page_numbers and _PAGE_NUMBER.fullmatch(line))]
        return _with_text(story, "\n".join(kept))

    return Step("boilerplate_lines", apply)


def _without_address(line: str) -> str:
    if not _ADDRESS.search(line):
        return line
    return "" if len(line.split()) <= _NOTICE_WORDS else " ".join(_ADDRESS.sub("", line).split())


class EdgeCounter:
    """How many stories have a paragraph at their edges; keeps 8 bytes for each paragraph at an edge.

    Two different paragraphs share a hash with a chance of about 2^-64.
    """

    def __init__(self, settings: BoilerplateSettings) -> None:
        self._settings = settings
        self._hashes = array("Q")
        self._stories = 0

    def count(self, story: Story) -> None:
        """Counts each paragraph at the story's edges once."""
        self._stories += 1
        self._hashes.extend({_hash(p) for _, p in edge_paragraphs(story.text, self._settings.edge_paragraphs)})

    def repeated(self) -> frozenset[int]:
        """Hashes of the paragraphs that stand at the edges of as many stories as the settings call boilerplate."""
        hashes, times = np.unique(np.frombuffer(self._hashes, dtype=np.uint64), return_counts=True)
        least = max(self._settings.min_stories, math.ceil(self._settings.min_share * self._stories))
        return frozenset(int(found) for found in hashes[times >= least])


def repeated_step(settings: BoilerplateSettings, repeated: frozenset[int]) -> Step:
    """Takes out the paragraphs at a story's edges that `EdgeCounter` found repeated."""

    def apply(story: Story) -> Story:
        edges = edge_paragraphs(story.text, settings.edge_paragraphs)
        dropped = {at for at, paragraph in edges if _hash(paragraph) in repeated}
        if not dropped:
            return story
        paragraphs = story.text.split("\n\n")
        return _with_text(story, "\n\n".join(p for at, p in enumerate(paragraphs) if at not in dropped))

    return Step("boilerplate_repeated", apply)


def edge_paragraphs(text: str, most: int) -> Iterator[tuple[int, str]]:
    """Position and text of the first and the last `most` paragraphs."""
    paragraphs = text.split("\n\n")
    for at, paragraph in enumerate(paragraphs):
        if at < most or at >= len(paragraphs) - most:
            yield at, paragraph


def _hash(paragraph: str) -> int:
    words = " ".join(paragraph.casefold().split()).encode()
    return int.from_bytes(hashlib.blake2b(words, digest_size=8).digest(), "big")


def _with_text(story: Story, text: str) -> Story:
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return story if text == story.text else replace(story, text=text)
