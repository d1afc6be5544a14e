"""A checkpoint's story format as prompts need it, read from its JSON; and the plain one for models without any.

Versions 1 and 2 are known; version 2 adds `suffix`, which tells the model what comes after the passage to be written.
A prompt is start, title, premise, body, every passage followed by `passage_end`, then the hint, then the suffix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PLACE = "{text}"
VERSIONS = (1, 2)
_WITH_TEXT = ("title", "premise", "hint", "suffix")
_WITHOUT_TEXT = ("start", "body", "passage_end")
_ONLY_IN_2 = "suffix"


class BadFormat(ValueError):
    """The story format can't be read; the message names the field."""


@dataclass(frozen=True)
class Templates:
    """`stop` ends a generation, beside the model's own end. `suffix` is None for a model that can't look ahead."""

    start: str
    title: str
    premise: str
    body: str
    passage_end: str
    hint: str
    suffix: str | None
    stop: tuple[str, ...]
    version: int

    def prompt(self, title: str | None, before: Sequence[str], *, hint: str = "", suffix: str | None = None) -> str:
        """The prompt for the passage behind `before`. Raises `BadFormat` for a suffix that the model does not know."""
        head = self.start + (self.title.replace(PLACE, title) if title else "") + self.body
        told = "".join(passage + self.passage_end for passage in before)
        return head + told + (self.hint.replace(PLACE, hint) if hint else "") + self._after(suffix)

    def _after(self, suffix: str | None) -> str:
        if suffix is None:
            return ""
        if self.suffix is None:
            raise BadFormat("the model's story format has no suffix")
        return self.suffix.replace(PLACE, suffix)

    @property
    def document_start(self) -> str:
        """What stands before the first word of an untitled story."""
        return self.start + self.body


# Titles are a first paragraph and a hint is a note in brackets, as the bot asks models without a format.
PLAIN = Templates(
    start="",
    title=f"{PLACE}\n\n",
    premise=f"{PLACE}\n\n",
    body="",
    passage_end="\n\n",
    hint=f"[Next: {PLACE}]\n\n",
    suffix=None,
    stop=("\n[",),
    version=0,
)


def read_templates(said: Mapping[str, Any] | None) -> Templates:
    """From a ``story_format.json``; None stands for a model without one. Raises `BadFormat`."""
    if said is None:
        return PLAIN
    version = said.get("version")
    if version not in VERSIONS:
        raise BadFormat(f"story_format: version {version!r} is not one of {', '.join(map(str, VERSIONS))}")
    known = {"version", *_WITH_TEXT, *_WITHOUT_TEXT} - ({_ONLY_IN_2} if version == 1 else set())
    if unknown := sorted(said.keys() - known):
        raise BadFormat(f"story_format: unknown fields {', '.join(unknown)}")
    parts = {name: _template(said, name) for name in (*_WITH_TEXT, *_WITHOUT_TEXT) if name != _ONLY_IN_2}
    suffix = _template(said, _ONLY_IN_2) if version == 2 else None
    return Templates(**parts, suffix=suffix, stop=(parts["passage_end"],), version=version)


def _template(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise BadFormat(f"story_format: {name} is {type(value).__name__}, not a text")
    places = 1 if name in _WITH_TEXT else 0
    if value.count(PLACE) != places:
        raise BadFormat(f"story_format: {name} has {value.count(PLACE)} places {PLACE}, not {places}")
    return value
