"""How a model was taught to read a story: the templates of its prompt.

A model of ours announces its format beside its name; for every other model there is a plain one, which looks like
the beginning of a book.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.errors import WorkerBroken

PLACE = "{text}"
KNOWN_VERSION = 1
ANNOUNCED_HINT_WORDS = 6
"""Models of version 1 were taught hints of one to four content words; a few more still steer them."""
_WITH_TEXT = ("title", "premise", "hint")
_WITHOUT_TEXT = ("start", "body", "passage_end")


@dataclass(frozen=True)
class PromptFormat:
    """Templates around a story's parts; `{text}` is the place of the text. `stop` ends a generation.

    A prompt is start, title, premise, body, then every passage followed by `passage_end`, then the hint.
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

    @classmethod
    def from_announced(cls, announced: Mapping[str, object]) -> PromptFormat:
        """The format that a worker announces with its model.

        Raises WorkerBroken, its detail naming the field, where it is not a format of the version known here: writing
        prompts in a format the model was not taught would give bad stories and no error at all.
        """
        if announced.get("version") != KNOWN_VERSION:
            raise WorkerBroken(f"story_format: version {announced.get('version')!r} is not {KNOWN_VERSION}")
        unknown = sorted(set(announced) - {"version", *_WITH_TEXT, *_WITHOUT_TEXT})
        if unknown:
            raise WorkerBroken(f"story_format: unknown fields {', '.join(unknown)}")
        parts = {name: _template(announced, name) for name in (*_WITH_TEXT, *_WITHOUT_TEXT)}
        if not parts["passage_end"]:
            raise WorkerBroken("story_format: passage_end is empty, so no generation would end")
        return cls(**parts, stop=(parts["passage_end"],), max_hint_words=ANNOUNCED_HINT_WORDS)

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
        templates = (self.start, self.title, self.premise, self.body, self.passage_end, self.hint)
        literals = {piece.strip() for template in templates for piece in template.split(PLACE)}
        # A lone bracket or the like is no sign of a leak; the shortest marker that one could mean has three characters.
        return tuple(sorted((piece for piece in literals if len(piece) >= 3), key=lambda piece: (-len(piece), piece)))


def fill(template: str, text: str) -> str:
    """The template with `text` in its place. Braces within the text stay what they are."""
    return template.replace(PLACE, text)


def _template(announced: Mapping[str, object], name: str) -> str:
    value = announced.get(name)
    if not isinstance(value, str):
        raise WorkerBroken(f"story_format: {name} is {type(value).__name__}, not a text")
    places = 1 if name in _WITH_TEXT else 0
    if value.count(PLACE) != places:
        raise WorkerBroken(f"story_format: {name} has {value.count(PLACE)} places {PLACE}, not {places}")
    return value
