"""How a model was taught to read a story: the templates of its prompts, kept in its checkpoint.

A checkpoint of this project carries ``story_format.json``; a chat model's is read from its chat template (see
`chat_format`); any other model has none, and whoever builds prompts writes them as plain text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

FILE_NAME = "story_format.json"
PLACE = "{text}"
VERSION = 2
_WITH_TEXT = ("title", "premise", "tags", "hint", "suffix")
_MARKER = re.compile(r"<\|[a-z]+\|>")
# What version 1 had, beside which everything is as in version 2 with the parts that it lacks left empty.
_FIRST_VERSION = ("start", "title", "premise", "body", "passage_end", "hint")


class StoryFormatError(ValueError):
    """A format that cannot be used; the message names the field, what was found and what is wanted."""


@dataclass(frozen=True)
class StoryFormat:
    """A prompt is start, title, premise, tags, body, every passage followed by `passage_end`, hint, suffix, answer.

    `title`, `premise`, `tags`, `hint` and `suffix` have one place ``{text}``; an empty one is a part that the model
    does not know. `suffix` holds the text that comes after a gap, when the gap is to be filled. `answer` ends every
    prompt; `stop` are the strings that end a generation.
    """

    version: int = VERSION
    start: str = "<|story|>"
    title: str = "<|title|>{text}"
    premise: str = "<|premise|>{text}"
    tags: str = "<|tags|>{text}"
    body: str = "<|text|>"
    passage_end: str = "<|end|>"
    hint: str = "<|hint|>{text}<|text|>"
    suffix: str = "<|after|>{text}<|text|>"
    answer: str = ""
    stop: tuple[str, ...] = ("<|end|>",)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> StoryFormat:
        """Reads version 1 or 2. Raises `StoryFormatError` for any other, and for a field that is not as described."""
        if found.get("version") == 1:
            _check_fields(found, {"version", *_FIRST_VERSION})
            parts: dict[str, Any] = {name: _text(found, name) for name in _FIRST_VERSION}
            return cls(**parts, tags="", suffix="", stop=(parts["passage_end"],))
        if found.get("version") != VERSION:
            raise StoryFormatError(f"version is {found.get('version')!r}; {VERSION} or 1 is wanted")
        names = {each.name for each in fields(cls)}
        _check_fields(found, names)
        stop = found["stop"]
        if not isinstance(stop, list | tuple) or not all(isinstance(each, str) and each for each in stop):
            raise StoryFormatError(f"stop is {stop!r}; a list of strings is wanted")
        texts: dict[str, Any] = {name: _text(found, name) for name in names - {"version", "stop"}}
        return cls(**texts, stop=tuple(stop))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {**asdict(self), "stop": list(self.stop)}

    def save(self, folder: Path) -> None:
        """Writes the format beside the weights."""
        (folder / FILE_NAME).write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    @property
    def special_tokens(self) -> list[str]:
        """Every marker of ours once; the first is the document's start, and `passage_end` ends a generation."""
        found = _MARKER.findall("".join(str(value) for value in asdict(self).values()))
        return list(dict.fromkeys(found))

    @property
    def abilities(self) -> list[str]:
        """The parts of a prompt that the model was taught, as the worker announces them."""
        return [name for name in _WITH_TEXT if getattr(self, name)]

    @property
    def document_start(self) -> str:
        """What stands before the first word of an untitled story."""
        return self.start + self.body

    def prompt(self, title: str | None, before: Sequence[str], *, hint: str = "", suffix: str = "") -> str:
        """The prompt for the passage behind `before`. Raises `StoryFormatError` for a suffix where there is none."""
        if suffix and not self.suffix:
            raise StoryFormatError("the model was not taught to fill a gap")
        head = self.start + (self.title.replace(PLACE, title) if title else "") + self.body
        told = "".join(passage + self.passage_end for passage in before)
        asked = head + told + (self.hint.replace(PLACE, hint) if hint else "") + self.answer
        return self.with_suffix(asked, suffix) if suffix else asked

    def with_suffix(self, prompt: str, suffix: str) -> str:
        """The prompt whose answer stands between `prompt` and `suffix`. Needs a format that has a `suffix`."""
        head = prompt.removesuffix(self.answer) if self.answer else prompt
        return head + self.suffix.replace(PLACE, suffix) + (self.answer if head != prompt else "")


# Titles are a first paragraph and a hint is a note in brackets, as the bot asks models without a format.
PLAIN = StoryFormat(
    start="",
    title=f"{PLACE}\n\n",
    premise=f"{PLACE}\n\n",
    tags="",
    body="",
    passage_end="\n\n",
    hint=f"[Next: {PLACE}]\n\n",
    suffix="",
    stop=("\n[",),
)


def _check_fields(found: Mapping[str, Any], wanted: set[str]) -> None:
    if missing := sorted(wanted - set(found)):
        raise StoryFormatError(f"{missing[0]} is missing")
    if unknown := sorted(set(found) - wanted):
        raise StoryFormatError(f"{unknown[0]} is not a field of version {found['version']}")


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found[name]
    if not isinstance(value, str):
        raise StoryFormatError(f"{name} is {value!r}; a text is wanted")
    places = 1 if name in _WITH_TEXT and value else 0
    if value.count(PLACE) != places:
        raise StoryFormatError(f"{name} has {value.count(PLACE)} places {PLACE}; {places} is wanted")
    return value
