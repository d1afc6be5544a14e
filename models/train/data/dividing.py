"""Stories go into their splits: what is held out is compared with train, and leaks are dropped where asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.train.data.cleaning.chain import Tally
from models.train.data.document import Document
from models.train.data.duplicates import NearIndex, open_signatures
from models.train.data.leakage import HeldOut
from models.train.data.manifest import file_hash
from models.train.data.passes import Selected
from models.train.data.progress import show_progress
from models.train.data.reading import SplitFacts
from models.train.data.settings import DataSettings
from models.train.data.splits import SPLITS, split_of
from models.train.data.spool import Spool

LEAK = "leakage"
HELD_OUT = ("validation", "test")


@dataclass(frozen=True)
class Divided:
    """What stands in the splits, by split and by source, and what leaks (None where it was not measured)."""

    splits: Mapping[str, SplitFacts]
    by_source: Mapping[str, Mapping[str, int]]
    leakage: Mapping[str, Any] | None


class _Writer:
    """The three files of a dataset and the counts of what goes in."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._spools = {split: stack.enter_context(Spool(folder / f"{split}.jsonl")) for split in SPLITS}
        self._groups: dict[str, set[int]] = {split: set() for split in SPLITS}
        self.by_source: dict[str, Counter[str]] = {}

    def write(self, split: str, document: Document) -> None:
        self._spools[split].write(document)
        self._groups[split].add(hash(document.group))  # a number is smaller than a name; only how many is asked
        self.by_source.setdefault(document.source, Counter())[split] += 1

    def facts(self) -> dict[str, SplitFacts]:
        """Read after the files are closed."""
        return {
            split: SplitFacts(
                spool.path.name,
                spool.num_stories,
                len(self._groups[split]),
                spool.num_words,
                spool.num_bytes,
                file_hash(spool.path),
            )
            for split, spool in self._spools.items()
        }


def divide(settings: DataSettings, selected: Selected, folder: Path, tally: Tally) -> Divided:
    """Writes the splits. Held-out stories go first, so that each train story can be compared as it passes."""
    divider = _Divider(settings, selected)
    with ExitStack() as stack:
        writer = _Writer(folder, stack)
        for number, document in divider.stories("holding out"):
            split = divider.split(document)
            if split != "train":
                writer.write(split, document)
                if settings.leakage.measure:
                    divider.held_out.add(split, document.story.text, number)
        leakage = _write_train(settings, divider, writer, tally)
    return Divided(writer.facts(), writer.by_source, leakage)


class _Divider:
    """Where each story goes, and what the held-out ones are compared by."""

    def __init__(self, settings: DataSettings, selected: Selected) -> None:
        self._settings, self._selected = settings, selected
        self._use_for = {source.label: source.use_for for source in settings.sources}
        has_near = settings.leakage.near_duplicates and selected.signatures is not None
        duplicates = settings.cleaning.duplicates
        self.held_out = HeldOut(
            settings.leakage,
            NearIndex(duplicates) if has_near else None,
            open_signatures(selected.signatures, duplicates.permutations)
            if has_near and selected.signatures is not None
            else None,
        )

    def split(self, document: Document) -> str:
        use = self._use_for[document.source]
        return split_of(document.group, self._settings.splits) if use == "auto" else use

    def stories(self, what: str) -> Iterator[tuple[int, Document]]:
        total = self._selected.num_stories - len(self._selected.near)
        return show_progress(self._selected.kept(), what, total)


def _write_train(settings: DataSettings, divider: _Divider, writer: _Writer, tally: Tally) -> dict[str, Any] | None:
    train = ((n, d) for n, d in divider.stories("writing train") if divider.split(d) == "train")
    if not settings.leakage.measure:
        for _, document in train:
            writer.write("train", document)
        return None
    divider.held_out.close()
    before, after = divider.held_out.measure(), divider.held_out.measure()
    dropped = 0
    for number, document in train:
        overlap = divider.held_out.compare(document.story.text, number)
        before.add(overlap)
        is_dropped = settings.leakage.drop and overlap.is_leak(settings.leakage)
        if settings.leakage.drop:
            tally.drop(document, LEAK, dropped=is_dropped)
        if is_dropped:
            dropped += 1
            continue
        after.add(overlap)
        writer.write("train", document)
    return {
        "ngram": settings.leakage.ngram,
        "train_stories_dropped": dropped,
        "before_dropping": {split: before.report(split) for split in HELD_OUT},
        "after_dropping": {split: after.report(split) for split in HELD_OUT},
    }


def split_records(divided: Divided) -> dict[str, Any]:
    """The splits as the manifest has them."""
    return {split: asdict(facts) for split, facts in divided.splits.items()}
