"""Progress on stderr, where that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from models.evaluate.subject import Tick


@contextmanager
def progress(title: str, total: int) -> Iterator[Tick]:
    """A bar; what it gives is called after each part that is done."""
    with tqdm(total=total, desc=title, disable=None, leave=False) as bar:
        yield lambda: _tick(bar)


def _tick(bar: tqdm[None]) -> None:
    bar.update()
