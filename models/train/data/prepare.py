"""`talewright data prepare`: all the passes, and the folder that comes of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.train.data.cleaning.chain import Tally, selecting_steps
from models.train.data.dividing import Divided, divide, split_records
from models.train.data.duplicates import NearIndex
from models.train.data.errors import EmptyResult
from models.train.data.manifest import describe_source, write_attribution, write_manifest
from models.train.data.output import unfinished_folder
from models.train.data.passes import gather, select
from models.train.data.readers.log import SourceLog
from models.train.data.reading import Manifest, read_manifest
from models.train.data.settings import DataSettings

WORK = "work"


def prepare(settings: DataSettings, root: Path, out: Path, *, force: bool = False) -> Manifest:
    """Makes the dataset folder `out` from the sources, whose paths start at `root`; returns its manifest.

    The same sources, settings and library versions give the same bytes. Raises `DataError`; whatever stops the work,
    `out` is either the whole dataset or what it was before.
    """
    selecting_steps(settings.cleaning, root, frozenset())  # a bad word list is told now, not after the first pass
    tally = Tally()
    with unfinished_folder(out, force=force) as folder:
        work = folder / WORK
        work.mkdir()
        gathered = gather(settings, root, work, tally)
        selected = select(settings, root, work, gathered, tally)
        divided = divide(settings, selected, folder, tally)
        if not divided.splits["train"].stories:
            raise EmptyResult(_nothing_left(tally, divided, gathered.logs))
        shutil.rmtree(work)
        credits = [credit for log in gathered.logs.values() for credit in log.credits]
        attribution = write_attribution(folder, credits)
        write_manifest(folder, settings, _body(settings, gathered.logs, tally, divided, attribution))
    return read_manifest(out)


def _body(
    settings: DataSettings,
    logs: Mapping[str, SourceLog],
    tally: Tally,
    divided: Divided,
    attribution: Mapping[str, Any] | None,
) -> dict[str, Any]:
    sources = []
    for source in settings.sources:
        steps = tally.steps.get(source.label, {})
        counts = {
            "steps": {name: count.to_record() for name, count in steps.items()},
            "stories": dict(divided.by_source.get(source.label, {})),
        }
        sources.append(describe_source(source, logs[source.label], counts))
    duplicates = settings.cleaning.duplicates
    return {
        "sources": sources,
        "splits": split_records(divided),
        "near_duplicate_index": NearIndex(duplicates).describe() if duplicates.near else None,
        "leakage": divided.leakage,
        "attribution": attribution,
        "remarks": _remarks(settings, divided),
    }


def _remarks(settings: DataSettings, divided: Divided) -> list[str]:
    """What whoever uses the dataset should know and might not look for."""
    wanted = {"validation": settings.splits.validation, "test": settings.splits.test}
    remarks = [
        f"{split} is empty: none of {divided.splits['train'].groups} groups fell into a share of {share}"
        for split, share in wanted.items()
        if share and not divided.splits[split].stories
    ]
    unknown = [source.label for source in settings.sources if source.licence == "unknown"]
    if unknown:
        remarks.append(f"no licence is stated for {', '.join(unknown)}")
    lost = [source.label for source in settings.sources if source.label not in divided.by_source]
    if lost:
        remarks.append(f"nothing is left of {', '.join(lost)}")
    return remarks


def _nothing_left(tally: Tally, divided: Divided, logs: Mapping[str, SourceLog]) -> str:
    held_out = sum(facts.stories for split, facts in divided.splits.items() if split != "train")
    drops = [f"{step} dropped {count}" for step, count in tally.dropped_by_step().items() if count]
    drops += [f"{label}: {count} {note}" for label, log in logs.items() for note, count in sorted(log.notes.items())]
    if held_out:
        drops.append(f"{held_out} went to validation and test")
    return f"no story is left to train on: {', '.join(drops) or 'the sources gave none'}"
