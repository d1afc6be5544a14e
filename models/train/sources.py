"""Where training text comes from: files on disk → `Story` values.

Two layouts are understood, by file ending:

* ``.txt``: stories separated by a line ``<|endoftext|>``; within a piece, a line ``# Title`` starts a new titled
  story, so a book with chapter headings becomes one story per chapter. Paragraphs are separated by a blank line.
* ``.jsonl``: one object a line with ``text`` or ``fable``, and optionally ``title``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.train.errors import NoTextError

__all__ = ["SEPARATOR", "NoTextError", "Story", "clean_text", "iter_stories", "read_stories"]

SEPARATOR = "<|endoftext|>"
_HEADING = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)
_MISDECODED = "â€"
"""How typographic quotes and dashes look when their UTF-8 was once read as Windows-1252."""
_MARKER = re.compile(r"<\|[^|<>\n]*\|>")


@dataclass(frozen=True)
class Story:
    """One story as the corpus has it: `text` with paragraphs separated by a blank line, `tags` of genre or mood."""

    text: str
    title: str | None = None
    premise: str | None = None
    tags: tuple[str, ...] = ()


def read_stories(path: Path, *, min_chars: int = 200) -> list[Story]:
    """`iter_stories`, all at once."""
    return list(iter_stories(path, min_chars=min_chars))


def iter_stories(path: Path, *, min_chars: int = 200) -> Iterator[Story]:
    """The stories of a file, or of every ``.txt``/``.jsonl`` file below a folder, in sorted order, one at a time.

    Stories shorter than `min_chars` characters (front matter, stray headings) are left out, and so are those whose
    quotes were lost to a wrong encoding: a model would learn to write the debris.
    Raises `NoTextError` at the end where there was none.
    """
    files = sorted(p for p in path.rglob("*") if p.suffix in {".txt", ".jsonl"}) if path.is_dir() else [path]
    is_empty = True
    for file in files:
        if file.name == "NOTICE.txt":
            continue
        for story in _read_file(file):
            if len(story.text) >= min_chars and _MISDECODED not in story.text:
                is_empty = False
                yield story
    if is_empty:
        raise NoTextError(f"no story of at least {min_chars} characters in {path}")


def _read_file(path: Path) -> Iterator[Story]:
    if not path.is_file():
        raise NoTextError(f"no such text: {path}")
    if path.suffix == ".jsonl":
        yield from _read_lines(path)
        return
    for piece in _pieces(path):
        yield from _split_at_headings(piece)


def _read_lines(path: Path) -> Iterator[Story]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                text, title = record.get("text") or record["fable"], record.get("title")
            except (ValueError, KeyError, AttributeError) as error:
                raise NoTextError(f"{path}, line {number}: an object with text is wanted ({error})") from error
            yield Story(clean_text(text), title)


def _pieces(path: Path) -> Iterator[str]:
    """What stands between separators; memory holds one piece."""
    piece: list[str] = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            *ended, rest = line.split(SEPARATOR)
            for end in ended:
                yield "".join([*piece, end])
                piece = []
            piece.append(rest)
    yield "".join(piece)


def _split_at_headings(piece: str) -> Iterator[Story]:
    headings = list(_HEADING.finditer(piece))
    first = headings[0].start() if headings else len(piece)
    if piece[:first].strip():
        yield Story(clean_text(piece[:first]))
    ends = [heading.start() for heading in headings[1:]] + [len(piece)]
    for here, end in zip(headings, ends, strict=bool(headings)):
        body = piece[here.end() : end]
        yield Story(clean_text(body), here.group(1).strip().title() if here.group(1).isupper() else here.group(1))


def clean_text(text: str) -> str:
    """One newline style, single spaces, paragraphs apart by exactly one blank line, no special-token look-alikes."""
    text = _MARKER.sub(" ", text.replace("\r\n", "\n"))
    # A single newline between two lines of one story separates paragraphs in some sources; a blank line in others.
    paragraphs = re.split(r"\n\s*\n" if "\n\n" in text.strip() else r"\n", text)
    return "\n\n".join(" ".join(p.split()) for p in paragraphs if p.strip())
