"""The store's front door: everything that services may ask of the database, in one object."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import TracebackType

from bot.store.announcements import Announcements
from bot.store.audit import Audit
from bot.store.ballots import Ballots
from bot.store.bars import Bars
from bot.store.case_acts import CaseActs
from bot.store.cases import Cases
from bot.store.database import Database
from bot.store.endings import Endings
from bot.store.filter_hits import FilterHits
from bot.store.filter_rules import FilterRules
from bot.store.outbox import Outbox
from bot.store.passages import Passages
from bot.store.purge import Purge
from bot.store.rounds import Rounds
from bot.store.settings import Settings
from bot.store.stops import Stops
from bot.store.stories import Stories
from bot.store.subjects import Subjects
from bot.store.texts import Texts


class Store(
    Stories,
    Passages,
    Rounds,
    Texts,
    Ballots,
    Endings,
    Settings,
    FilterRules,
    FilterHits,
    Audit,
    Outbox,
    Bars,
    Stops,
    Announcements,
    Cases,
    Subjects,
    CaseActs,
    Purge,
):
    """Everything that the bot must remember. Each part is a file named for its noun; their methods are all here.

    A method is one short transaction, or one read of what is committed. `Refusal`s carry the sentence for the member;
    `StoreError` is what the database could not do. Times are aware, and come back in UTC. Times and ids are passed in.
    A cancelled call may have happened or not: ask again, every change is guarded by the state it expects.
    """

    @staticmethod
    def open(path: Path) -> Opening:
        """`async with Store.open(path) as store`, or `store = await Store.open(path)` and later `await store.close()`.

        Creates the file where needed and brings its schema up to date. Raises StoreError where that can't be.
        """
        return Opening(path)

    async def close(self) -> None:
        """Waits for the write under way, then closes the file. Closing twice is fine."""
        await self._database.close()


class Opening:
    """A store about to be opened, to be awaited or entered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store: Store | None = None

    def __await__(self) -> Generator[object, None, Store]:
        return self._open().__await__()

    async def __aenter__(self) -> Store:
        self._store = await self._open()
        return self._store

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._store is not None:
            await self._store.close()

    async def _open(self) -> Store:
        return Store(await Database.open(self._path))
