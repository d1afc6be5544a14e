"""How soon a change of the filters' rules holds: from a moderator's click to the first verdict by the new rules.

`python -m bot.service.filtering.measure` works on a database file of its own and prints the figures as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.filters import Level, Mode, Rule, RuleKind, TextKind
from bot.filters.measure.bench import many_rules
from bot.service.filtering.book import RuleBook, compiler
from bot.service.filtering.judging import Judge
from bot.service.filtering.known import Place
from bot.service.filtering.lab import Author, FilterLab
from bot.service.filtering.scoring import Scorer
from bot.store import Store

SIZES = ((10, 0), (1000, 20), (10_000, 200))
"""Words and patterns of the server."""
PLACE = Place(1, 2)
BY = Author(3)
QUIET = "A quiet morning."
TAUNT = "You scumbag, said the toad."
"""What one of the ready-made lists stops."""

Change = Callable[[], Awaitable[object]]


class Measured:
    """A server with rules, whose moderators change one after another and then have a text judged at once."""

    def __init__(self, store: Store) -> None:
        book, scorer = RuleBook(store, compiler()), Scorer(None, _now)
        self._lab = FilterLab(store, book, scorer, _now)
        self._judge = Judge(book, scorer, store, None, _now)
        self._taken: dict[str, list[tuple[float, float]]] = {}

    async def begin(self, rules: Sequence[Rule]) -> None:
        """The server has these rules."""
        await self._lab.take_over(PLACE.guild_id, None, rules, BY)

    async def round(self, number: int) -> None:
        """Every kind of change once."""
        guild_id, word = PLACE.guild_id, f"zyxwv{'abcdefghij'[number % 10] * 2}qu{number}"
        rule = Rule(f"new {number}", RuleKind.WORDS, (word,))
        await self._time("a rule is added", lambda: self._lab.add(guild_id, rule, BY), word, is_allowed=False)
        entry = next(one for one in (await self._lab.look(PLACE)).entries if one.stored.name == rule.name)
        rule_id = entry.stored.id
        wider = replace(rule, patterns=(f"{word}s", f"{word}en"))
        await self._time("the words of a rule", lambda: self._lab.change(guild_id, rule_id, wider, 1, BY), word)
        await self._time("the last change is undone", lambda: self._lab.undo(guild_id, BY), word, is_allowed=False)
        await self._time("the level of a list", lambda: self._set_level(Level.OFF), TAUNT)
        await self._set_level(None)
        await self._time("a rule is switched off", lambda: self._lab.switch(guild_id, rule_id, Mode.OFF, BY), word)
        pattern = Rule(f"pattern of {number}", RuleKind.REGEX, (rf"\b{word}\b",))
        await self._time("a pattern is added", lambda: self._lab.add(guild_id, pattern, BY), word, is_allowed=False)
        await self._lab.undo(guild_id, BY)

    def figures(self) -> dict[str, Mapping[str, float]]:
        """Milliseconds until the moderator was answered, and until the text was judged; both from the click on."""
        return {what: _spread(taken) for what, taken in self._taken.items()}

    async def _time(self, what: str, change: Change, text: str, *, is_allowed: bool = True) -> None:
        await self._allows(QUIET)  # by the rules as they are, so nothing of an earlier change is still at work
        began = time.perf_counter()
        await change()
        answered = time.perf_counter()
        if await self._allows(text) is not is_allowed:
            raise RuntimeError(f"after “{what}” the text was judged by the old rules")
        self._taken.setdefault(what, []).append((answered - began, time.perf_counter() - began))

    async def _allows(self, text: str) -> bool:
        return (await self._judge.judge(PLACE, text, TextKind.HINT)).verdict.allowed

    async def _set_level(self, level: Level | None) -> None:
        await self._lab.set_level(PLACE.guild_id, None, "insult", level, BY)


def measure(changes: int, sizes: Sequence[tuple[int, int]] = SIZES) -> list[dict[str, Any]]:
    """The figures of a server of each size, over so many changes of each kind."""
    return [asyncio.run(_measure_size(words, patterns, changes)) for words, patterns in sizes]


async def _measure_size(words: int, patterns: int, changes: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder) / "talewright.db")
        try:
            measured = Measured(store)
            rules = many_rules(random.Random(1), words, patterns, words_of_rule=50)
            await measured.begin(rules)
            for number in range(changes):
                await measured.round(number)
        finally:
            await store.close()
    return {"words": words, "patterns": patterns, "rules": len(rules), "changes": changes, **measured.figures()}


def _spread(taken: Sequence[tuple[float, float]]) -> dict[str, float]:
    answered, judged = ([1000 * seconds for seconds in column] for column in zip(*taken, strict=True))
    figures = {"answered_ms": statistics.median(answered), "judged_ms": statistics.median(judged)}
    return {name: round(value, 1) for name, value in (figures | {"judged_ms_max": max(judged)}).items()}


def _now() -> datetime:
    return datetime.now(UTC)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the figures, and writes them where asked."""
    parser = argparse.ArgumentParser(prog="python -m bot.service.filtering.measure", description=__doc__)
    parser.add_argument("--changes", type=int, default=9, metavar="N", help="of each kind")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the figures as JSON")
    args = parser.parse_args(argv)
    text = json.dumps(measure(args.changes), indent=2)
    sys.stdout.write(text + "\n")
    if args.out is not None:
        args.out.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
