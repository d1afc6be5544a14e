"""How a model was taught to read a story: the templates of its prompt.

A model of ours announces its format beside its name; for every other model there is a plain one, which looks like
the beginning of a book.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.errors import WorkerBroken
from bot.story.hygiene.markers import remove_markers

PLACE = "{text}"
ANNOUNCED_HINT_WORDS = 6
"""Models of ours were taught hints of one to four content words; a few more still steer them."""


@dataclass(frozen=True)
class _Version:
    """The fields of one version of an announced format."""

    with_text: tuple[str, ...]
    without_text: tuple[str, ...]
    may_be_empty: bool
    """Whether a template with text may be "": the model was not taught that part."""


_VERSIONS = {
    1: _Version(("title", "premise", "hint"), ("start", "body", "passage_end"), may_be_empty=False),
    2: _Version(
        ("title", "premise", "tags", "hint", "suffix"), ("start", "body", "passage_end", "answer"), may_be_empty=True
    ),
}


@dataclass(frozen=True)
class PromptPassage:
    """A passage of canon as the prompt needs it. `tokens` counts its text alone, without the end marker."""

    id: int
    text: str
    tokens: int


@dataclass(frozen=True)
class PromptFormat:
    """Templates around a story's parts; `{text}` is the place of the text. `stop` ends a generation.

    A prompt is start, title, premise, tags, body, then every passage followed by `passage_end`, then the hint, then
    `answer`. `tags` takes a story's style. A template that is empty is a part that the model was not taught. What comes
    after the passage that is asked for is filled into `suffix` by the worker, before `answer`: here it only says what
    that costs.
    `max_hint_words`: the model was taught hints of at most so many content words; None takes the hint as it is.
    """

    start: str
    title: str
    premise: str
    body: str
    passage_end: str
    hint: str
    stop: tuple[str, ...]
    max_hint_words: int | None = None
    tags: str = ""
    suffix: str = ""
    answer: str = ""

    @classmethod
    def from_announced(cls, announced: Mapping[str, object]) -> PromptFormat:
        """The format that a worker announces with its model, of version 1 or 2.

        Raises WorkerBroken, its detail naming the field, where it is not a format of a version known here: writing
        prompts in a format the model was not taught would give bad stories and no error at all.
        """
        number = announced.get("version")
        version = _VERSIONS.get(number) if type(number) is int else None
        if version is None:
            raise WorkerBroken(f"story_format: version {number!r} is none of {', '.join(map(str, _VERSIONS))}")
        names = (*version.with_text, *version.without_text)
        unknown = sorted(set(announced) - {"version", *names, *(["stop"] if number == 2 else [])})
        if unknown:
            raise WorkerBroken(f"story_format: unknown fields {', '.join(unknown)}")
        parts = {name: _template(announced, name, version) for name in names}
        if number == 1 and not parts["passage_end"]:
            raise WorkerBroken("story_format: passage_end is empty, so no generation would end")
        stop = (parts["passage_end"],) if number == 1 else _stops(announced)
        # A model that answers in a chat reads sentences; ours were taught lists of words.
        max_hint_words = None if parts.get("answer") else ANNOUNCED_HINT_WORDS
        return cls(**parts, stop=stop, max_hint_words=max_hint_words)

    @classmethod
    def plain(cls) -> PromptFormat:
        """For models that announce none: title and premise are the first paragraphs, the passages follow as theirs.

        The hint is a note in brackets, as writers' tools use it; `stop` keeps the model from writing notes of its own.
        It ends a generation at no paragraph: a passage may have several, and its length is bounded by `max_tokens`.
        """
        return cls(
            start="",
            title=f"{PLACE}\n\n",
            premise=f"{PLACE}\n\n",
            body="",
            passage_end="\n\n",
            hint=f"[Next: {PLACE}]\n\n",
            stop=("\n[",),
        )

    @property
    def markers(self) -> tuple[str, ...]:
        """The literal pieces of the templates, longest first: whatever of them appears in a text has leaked."""
        head = (self.start, self.title, self.premise, self.tags, self.body)
        templates = (*head, self.passage_end, self.hint, self.suffix, self.answer)
        literals = {piece.strip() for template in templates for piece in template.split(PLACE)}
        # A lone bracket or the like is no sign of a leak; the shortest marker that one could mean has three characters.
        return tuple(sorted((piece for piece in literals if len(piece) >= 3), key=lambda piece: (-len(piece), piece)))


def safe(fmt: PromptFormat, text: str) -> str:
    """The text without the format's markers: what somebody typed must not become structure."""
    return remove_markers(text, fmt.markers)


def fill(template: str, text: str) -> str:
    """The template with `text` in its place. Braces within the text stay what they are."""
    return template.replace(PLACE, text)


def _template(announced: Mapping[str, object], name: str, version: _Version) -> str:
    value = announced.get(name)
    if not isinstance(value, str):
        raise WorkerBroken(f"story_format: {name} is {type(value).__name__}, not a text")
    if name in version.with_text and version.may_be_empty and not value:
        return value
    places = 1 if name in version.with_text else 0
    if value.count(PLACE) != places:
        raise WorkerBroken(f"story_format: {name} has {value.count(PLACE)} places {PLACE}, not {places}")
    return value


def _stops(announced: Mapping[str, object]) -> tuple[str, ...]:
    """What ends a generation; none at all where the model ends by itself."""
    stops = announced.get("stop")
    if not isinstance(stops, list | tuple) or not all(isinstance(stop, str) and stop for stop in stops):
        raise WorkerBroken("story_format: stop is not a list of texts")
    return tuple(stops)
