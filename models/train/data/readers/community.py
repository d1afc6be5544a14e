"""A community's export of its own stories: only what is explicitly marked free for training is read.

The export is one JSON object (``.json``), or JSON lines whose first line is the object without its stories and whose
other lines are stories (``.jsonl``, read a story at a time)::

    {"format": "talewright-community-export", "version": 1, "stories": [
      {"id": "42", "title": "The Bell", "title_training": true, "premise": "…", "tags": [],
       "passages": [{"text": "…", "author": "model", "training": true},
                    {"text": "…", "author": "member"}]}]}

A mark that is absent means no: for passages, and for titles, premises and tags, which members type as well. A passage
that is held back leaves a gap, and the runs on both sides become pieces of their own; only the piece that begins the
story carries its premise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from models.train.data.document import Document
from models.train.data.errors import SourceError
from models.train.data.files import TextFile, find_files
from models.train.data.readers.jsonl import parse_object
from models.train.data.readers.log import SourceLog
from models.train.data.settings import CommunitySource, Strict
from models.train.sources import Story

FORMAT, VERSION = "talewright-community-export", 1
M = TypeVar("M", bound=Strict)


class ExportedPassage(Strict, strict=True):
    """A passage of canon; `training` is the mark of consent, and nothing but true is consent."""

    text: str
    author: Literal["model", "member"]
    training: bool = False


class ExportedStory(Strict, strict=True):
    """A story's canon in order, with marks of their own for the title, the premise and the tags."""

    id: str = Field(min_length=1)
    title: str | None = None
    title_training: bool = False
    premise: str | None = None
    premise_training: bool = False
    tags: list[str] = Field(default_factory=list)
    tags_training: bool = False
    passages: list[ExportedPassage]


class ExportHead(Strict, strict=True):
    """What an export says of itself; `community` is for the reader's eyes."""

    format: Literal["talewright-community-export"]
    version: Literal[1]
    community: str | None = None


def read_community(source: CommunitySource, root: Path, log: SourceLog) -> Iterator[Document]:
    """One document for each unbroken run of passages that are free for training."""
    for file in find_files(root / source.path, (".json", ".jsonl")):
        log.files.append(file)
        for number, record in enumerate(_stories(file), start=1):
            story = _checked(ExportedStory, record, f"{file.path}, story {number}")
            for piece in free_pieces(story, log):
                yield Document(piece, source.label, f"{source.label}/{story.id}", source.licence)


def free_pieces(story: ExportedStory, log: SourceLog) -> Iterator[Story]:
    """The runs of free passages as stories; what is withheld is counted in `log`."""
    title = _consented(story.title, story.title_training, "titles withheld", log)
    premise = _consented(story.premise, story.premise_training, "premises withheld", log)
    tags = (
        tuple(story.tags) if _consented(" ".join(story.tags) or None, story.tags_training, "tags withheld", log) else ()
    )
    runs: list[tuple[int, list[str]]] = []
    gap = True
    for position, passage in enumerate(story.passages):
        if not passage.training:
            log.notes[f"passages withheld ({passage.author})"] += 1
            gap = True
            continue
        log.notes[f"passages taken ({passage.author})"] += 1
        if gap:
            runs.append((position, []))
        runs[-1][1].append(passage.text.strip())
        gap = False
    if not runs:
        log.notes["stories withheld whole"] += 1
    for start, texts in runs:
        yield Story("\n\n".join(texts), title, premise if start == 0 else None, tags)


def _consented(text: str | None, allowed: bool, what: str, log: SourceLog) -> str | None:
    if text is not None and not allowed:
        log.notes[what] += 1
        return None
    return text


def _stories(file: TextFile) -> Iterator[Any]:
    if file.path.suffix == ".jsonl":
        lines = (line for line in file.lines() if line.strip())
        _checked(ExportHead, parse_object(next(lines, "{}"), f"{file.path}, line 1"), str(file.path))
        for number, line in enumerate(lines, start=2):
            yield parse_object(line, f"{file.path}, line {number}")
        return
    whole = parse_object("".join(file.lines()), str(file.path))
    stories = whole.pop("stories", None)
    _checked(ExportHead, whole, str(file.path))
    if not isinstance(stories, list):
        raise SourceError(f"{file.path}: wanted a list under the key stories")
    yield from stories


def _checked(model: type[M], record: Any, origin: str) -> M:
    try:
        return model.model_validate(record)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        # Neither the value nor the cause, which shows it: it may be a text that its writer keeps to themselves.
        raise SourceError(f"{origin}: {key}: {first['msg']} (not a {FORMAT} of version {VERSION}?)") from None
