"""A progress bar on stderr for anything long; none where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def show_progress(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """The same items, counted on stderr while they pass."""
    from tqdm import tqdm

    # None: tqdm looks whether stderr is a terminal.
    yield from tqdm(items, desc=what, total=total, unit=" stories", disable=None, mininterval=0.5, dynamic_ncols=True)
