"""A run's documents, phase by phase: read, repeated, made into documents and shuffled, with bounded memory."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

from models.train.config import PhaseConfig
from models.train.data.errors import DatasetError
from models.train.data.reading import is_dataset, iter_split
from models.train.documents import Teach
from models.train.errors import NoTextError
from models.train.sources import Story, iter_stories
from models.train.spool import Spool


def iter_source(root: Path, path: str) -> Iterator[Story]:
    """The stories of a file or folder below `root`, or of a split of a prepared dataset (`train`, `my_set/train`)."""
    place = root / path
    if is_dataset(place.parent):
        try:
            yield from iter_split(place.parent, place.name)
        except DatasetError as error:
            raise NoTextError(str(error)) from error
    else:
        yield from iter_stories(place)


def spool_phase(phase: PhaseConfig, root: Path, teach: Teach, rng: random.Random, spool: Spool) -> list[int]:
    """Writes the documents of a phase into `spool`; returns their numbers in shuffled order.

    A fractional repeat takes a random share of the source. The same `rng` state gives the same documents and order.
    """
    first = len(spool)
    for number, source in enumerate(phase.sources):
        with ExitStack() as stack:
            stories = stack.enter_context(Spool(_beside(spool, f"source-{number}")))
            for story in iter_source(root, source.path):
                stories.append(_pack(replace(story, tags=story.tags or tuple(source.tags))))
            for chosen in _repeat(len(stories), source.repeat, rng):
                for document in teach(_unpack(stories[chosen]), rng):
                    spool.append(document)
    order = list(range(first, len(spool)))
    rng.shuffle(order)
    return order


def _beside(spool: Spool, name: str) -> Path:
    """A path beside the spool for another one."""
    return spool.path.with_name(f"{spool.path.name}.{name}")


def _repeat(count: int, times: float, rng: random.Random) -> list[int]:
    whole = int(times)
    return list(range(count)) * whole + rng.sample(range(count), round((times - whole) * count))


def _pack(story: Story) -> str:
    return json.dumps(asdict(story))


def _unpack(text: str) -> Story:
    record = json.loads(text)
    return Story(record["text"], record["title"], record["premise"], tuple(record["tags"]))
