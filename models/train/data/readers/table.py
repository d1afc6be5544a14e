"""Which reader reads which kind of source, and what is the same for all of them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from models.train.data.document import Document
from models.train.data.errors import SourceError
from models.train.data.readers.community import read_community
from models.train.data.readers.gutenberg import read_gutenberg
from models.train.data.readers.hub import read_hub
from models.train.data.readers.jsonl import read_jsonl
from models.train.data.readers.log import Credit, SourceLog
from models.train.data.readers.nltk_corpus import read_nltk
from models.train.data.readers.text import read_text
from models.train.data.settings import SourceSettings

READERS: dict[str, Callable[[Any, Path, SourceLog], Iterator[Document]]] = {
    "text": read_text,
    "gutenberg": read_gutenberg,
    "nltk": read_nltk,
    "jsonl": read_jsonl,
    "hf": read_hub,
    "community": read_community,
}


def read_source(source: SourceSettings, root: Path, log: SourceLog) -> Iterator[Document]:
    """The documents of a source, one at a time, with the source's tags; paths start at `root`.

    Raises `SourceError`, also where there is no document at all.
    """
    if source.attribution is not None:
        log.credits.append(Credit(source.label, "", source.attribution, source.licence))
    if source.attribution_file is not None:
        log.credits.extend(_read_credits(root / source.attribution_file, source.label, source.licence))
    is_empty = True
    for document in islice(READERS[source.kind](source, root, log), source.limit):
        is_empty = False
        yield document.with_story(replace(document.story, tags=(*document.story.tags, *source.tags)))
    if is_empty and not log.notes:
        raise SourceError(f"{source.label}: no text in {source.place}")


def _read_credits(path: Path, label: str, licence: str) -> Iterator[Credit]:
    """Rows of a table with tabs whose header has ``title``, perhaps ``author`` (or ``text_author``), ``licence``."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"cannot read the attribution file {path}: {error}") from error
    for row in rows:
        if "title" not in row:
            raise SourceError(f"{path}: no column `title`; there are {', '.join(map(repr, row))}")
        author = row.get("author") or row.get("text_author") or ""
        yield Credit(label, row["title"] or "", author, row.get("licence") or row.get("license") or licence)
