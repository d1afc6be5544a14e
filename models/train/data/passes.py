"""The passes over the corpus that come before splitting: each reads documents one at a time and writes what is left.

What stays in memory: for each story up to twice `edge_paragraphs` hashes of 8 bytes, a digest (16 bytes and Python's
overhead for a member of a set, about 120 in all), two counters of 8 bytes, and its place in the near-duplicate index
(see `duplicates`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.train.data.cleaning.boilerplate import EdgeCounter
from models.train.data.cleaning.chain import Tally, clean_document, selecting_steps, text_steps
from models.train.data.document import Document
from models.train.data.duplicates import NearIndex, Signer, find_near_duplicates, open_signatures
from models.train.data.progress import show_progress
from models.train.data.readers.log import SourceLog
from models.train.data.readers.table import read_source
from models.train.data.settings import DataSettings
from models.train.data.shingles import text_digest
from models.train.data.spool import Spool, read_spool

NEAR, EXACT = "near_duplicates", "exact_duplicates"


@dataclass(frozen=True)
class Gathered:
    """The first pass's result: mended stories on disk, paragraphs that are boilerplate, what the sources said."""

    path: Path
    num_stories: int
    repeated: frozenset[int]
    logs: Mapping[str, SourceLog]


def gather(settings: DataSettings, root: Path, work: Path, tally: Tally) -> Gathered:
    """Reads every source and mends each story."""
    steps, edges = text_steps(settings.cleaning), EdgeCounter(settings.cleaning.boilerplate)
    logs = {source.label: SourceLog() for source in settings.sources}
    with Spool(work / "gathered.jsonl") as spool:
        for source in settings.sources:
            documents = read_source(source, root, logs[source.label])
            for document in show_progress(documents, f"reading {source.label}"):
                cleaned = clean_document(document, steps, tally)
                if cleaned is not None:
                    edges.count(cleaned.story)
                    spool.write(cleaned)
    return Gathered(spool.path, spool.num_stories, edges.repeated(), logs)


@dataclass(frozen=True)
class Selected:
    """The second pass's result: the stories that stay on disk, one signature for each, and which are near-duplicates.

    `signatures` is None where nothing needs them.
    """

    path: Path
    num_stories: int
    signatures: Path | None
    near: frozenset[int]

    def kept(self) -> Iterator[tuple[int, Document]]:
        """The stories that are no near-duplicates, with their rows among the signatures."""
        for number, document in enumerate(read_spool(self.path)):
            if number not in self.near:
                yield number, document


def select(settings: DataSettings, root: Path, work: Path, gathered: Gathered, tally: Tally) -> Selected:
    """Chooses among the stories, one by one, then by their likeness."""
    duplicates = settings.cleaning.duplicates
    steps = selecting_steps(settings.cleaning, root, gathered.repeated)
    is_signed = duplicates.near or (settings.leakage.measure and settings.leakage.near_duplicates)
    signer = Signer(duplicates) if is_signed else None
    seen: set[bytes] = set()
    lengths = array("Q")
    with Spool(work / "selected.jsonl") as spool, (work / "signatures.bin").open("wb") as signatures:
        for document in show_progress(read_spool(gathered.path), "selecting", gathered.num_stories):
            cleaned = clean_document(document, steps, tally)
            if cleaned is None or (duplicates.exact and _is_copy(cleaned, seen, tally)):
                continue
            spool.write(cleaned)
            lengths.append(cleaned.num_words)
            if signer is not None:
                signer.sign(cleaned.story.text).tofile(signatures)
    selected = Selected(spool.path, spool.num_stories, work / "signatures.bin" if is_signed else None, frozenset())
    return _without_near_duplicates(selected, settings, lengths, tally) if duplicates.near else selected


def _is_copy(document: Document, seen: set[bytes], tally: Tally) -> bool:
    digest = text_digest(document.story.text)
    is_copy = digest in seen
    seen.add(digest)
    tally.drop(document, EXACT, dropped=is_copy)
    return is_copy


def _without_near_duplicates(selected: Selected, settings: DataSettings, lengths: array[int], tally: Tally) -> Selected:
    duplicates = settings.cleaning.duplicates
    assert selected.signatures is not None  # noqa: S101 - near-duplicates are looked for by signature
    rows = open_signatures(selected.signatures, duplicates.permutations)
    order = range(selected.num_stories)
    by_length = sorted(order, key=lambda n: -lengths[n]) if duplicates.keep == "longest" else order
    comparing = show_progress(by_length, "comparing", selected.num_stories)
    near = find_near_duplicates(rows, comparing, NearIndex(duplicates))
    for number, document in enumerate(read_spool(selected.path)):
        tally.drop(document, NEAR, dropped=number in near)
    return Selected(selected.path, selected.num_stories, selected.signatures, near)
