"""Plain text: pieces apart by a line ``<|endoftext|>``, and in a piece stories that begin with a line ``# Title``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from models.train.data.document import Document
from models.train.data.files import TextFile, find_files
from models.train.data.readers.log import SourceLog
from models.train.data.settings import TextSource
from models.train.data.shingles import text_digest
from models.train.data.titles import tidy_title
from models.train.sources import SEPARATOR, Story

_HEADING = re.compile(r"^# +(.+?)\s*$", re.MULTILINE)


def read_text(source: TextSource, root: Path, log: SourceLog) -> Iterator[Document]:
    """One document a story; a piece is in memory at a time, so a book is and a file of many stories is not."""
    for file in find_files(root / source.path, (".txt", ".md", ".text")):
        log.files.append(file)
        for group, piece in _named_pieces(file, f"{source.label}/{file.name}"):
            for story in split_at_headings(piece):
                yield Document(story, source.label, _group(source, file, group, story), source.licence)


def _group(source: TextSource, file: TextFile, piece: str, story: Story) -> str:
    if source.group == "file":
        return f"{source.label}/{file.name}"
    return piece if source.group == "piece" else f"{source.label}/{text_digest(story.text).hex()}"


def _named_pieces(file: TextFile, name: str) -> Iterator[tuple[str, str]]:
    """Pieces with their group's name: the file's for its only piece, else one made from the piece's own words.

    So a story that is added to a file moves no other one between splits.
    """
    pieces = split_pieces(file.lines())
    first, second = next(pieces, None), next(pieces, None)
    if first is not None and second is None:
        yield name, first
        return
    for piece in chain((p for p in (first, second) if p is not None), pieces):
        yield f"{name}#{text_digest(piece).hex()}", piece


def split_pieces(lines: Iterable[str]) -> Iterator[str]:
    """The texts between separators, without empty ones."""
    current: list[str] = []
    for line in lines:
        before, *others = line.split(SEPARATOR)
        current.append(before)
        for other in others:
            yield from _joined(current)
            current = [other]
    yield from _joined(current)


def _joined(lines: list[str]) -> Iterator[str]:
    piece = "".join(lines)
    if piece.strip():
        yield piece


def split_at_headings(piece: str) -> Iterator[Story]:
    """The text before the first heading, and each heading with what follows it."""
    headings = list(_HEADING.finditer(piece))
    starts = [heading.start() for heading in headings] + [len(piece)]
    if piece[: starts[0]].strip():
        yield Story(lay_out(piece[: starts[0]]))
    for heading, end in zip(headings, starts[1:], strict=True):
        if body := lay_out(piece[heading.end() : end]):
            yield Story(body, tidy_title(heading.group(1)))


def lay_out(text: str) -> str:
    """Paragraphs apart by one blank line, each on one line.

    Blank lines separate paragraphs where there are any; else every line is a paragraph.
    """
    paragraphs = re.split(r"\n\s*\n" if re.search(r"\n\s*\n", text.strip()) else r"\n", text)
    return "\n\n".join(" ".join(p.split()) for p in paragraphs if p.strip())
