"""Books of Project Gutenberg on disk: one file or a folder of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from models.train.data.document import Document
from models.train.data.files import TextFile, find_files
from models.train.data.gutenberg.book import read_book
from models.train.data.readers.log import Credit, SourceLog
from models.train.data.settings import GutenbergSource, NltkSource
from models.train.data.shingles import text_digest


def read_gutenberg(source: GutenbergSource, root: Path, log: SourceLog) -> Iterator[Document]:
    """One document a chapter or tale; a book is in memory at a time."""
    yield from read_books(source, find_files(root / source.path, (".txt",)), log)


def read_books(source: GutenbergSource | NltkSource, files: Iterable[TextFile], log: SourceLog) -> Iterator[Document]:
    """The books in `files`. One that says it is under copyright is left out, and counted."""
    for file in files:
        log.files.append(file)
        book = read_book("".join(file.lines()), chapters=source.chapters, front_matter=source.front_matter)
        if book.is_copyrighted:
            log.notes["books under copyright left out"] += 1
            continue
        number = f"Project Gutenberg ebook {book.number}" if book.number else ""
        log.credits.append(Credit(source.label, book.title or file.name, book.author or "", source.licence, number))
        for story in book.stories:
            name = file.name if source.group == "book" else text_digest(story.text).hex()
            yield Document(story, source.label, f"{source.label}/{name}", source.licence)
