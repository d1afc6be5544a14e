"""A change holds from the moment on at which its moderator is answered, and what did not change is not made again."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bot.errors import RuleError
from bot.filters import Level, Levels, Mode, Rule, RuleKind, RuleSet, TextKind, Tier, build, compile_rules
from bot.service.filtering import book as book_module
from bot.service.filtering.book import RuleBook
from bot.service.filtering.judging import Judge
from bot.service.filtering.known import Known
from bot.service.filtering.lab import FilterLab
from bot.service.filtering.scoring import Scorer
from bot.service.filtering.shared import Shared
from tests.bot.service.filtering.moderators import BY, place, words
from tests.bot.service.world import CHANNEL, GUILD, World

HARM = Rule("harm", RuleKind.CATEGORY, ("violence",), "harm")


@dataclass
class Compiler:
    """The real one, which can be made to wait, and tells what it was asked for."""

    asked: list[frozenset[str]] = field(default_factory=list)
    made: list[weakref.ref[RuleSet]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def __call__(self, rules: Sequence[Rule], tier: Tier, levels: Levels) -> RuleSet:
        self.asked.append(frozenset(rule.name for rule in rules))
        self.gate.wait()
        made = compile_rules(rules, tier, levels)
        self.made.append(weakref.ref(made))
        return made


@dataclass
class Classifier:
    """Answers when it is let, and says when it was asked."""

    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def moderate(self, texts: Sequence[str]) -> Sequence[Mapping[str, float]]:
        self.was_asked.set()
        await self.may_answer.wait()
        return [{} for _ in texts]


@dataclass
class Bench:
    """A lab and a judge over one book."""

    compiler: Compiler
    book: RuleBook
    lab: FilterLab
    judge: Judge

    async def allows(self, text: str, channel_id: int = CHANNEL) -> bool:
        return (await self.judge.judge(place(channel_id), text, TextKind.HINT)).verdict.allowed


def bench_over(world: World, classifier: Classifier | None = None) -> Bench:
    compiler, scorer = Compiler(), Scorer(classifier, world.clock)
    compiler.gate.set()
    book = RuleBook(world.store, compiler)
    lab = FilterLab(world.store, book, scorer, world.clock)
    return Bench(compiler, book, lab, Judge(book, scorer, world.store, None, world.clock))


@pytest.fixture
def bench(world: World) -> Bench:
    return bench_over(world)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - a thread makes it so
            await asyncio.sleep(0.001)


async def until_asked(compiler: Compiler, *names: str) -> None:
    await until(lambda: frozenset(names) in compiler.asked)


async def test_a_text_that_waits_for_the_old_rules_is_judged_by_the_new(bench: Bench) -> None:
    entry = await bench.lab.add(GUILD, words("toad"), BY)
    bench.compiler.gate.clear()
    judging = asyncio.create_task(bench.allows("a newt"))
    await until_asked(bench.compiler, "toad")
    await bench.lab.add(GUILD, words("newt"), BY)
    await bench.lab.remove(GUILD, entry.stored.id, BY)
    bench.compiler.gate.set()
    assert await judging is False
    assert await bench.allows("a toad")


async def test_a_change_while_the_classifier_is_asked_holds_for_the_text(world: World) -> None:
    classifier = Classifier()
    bench = bench_over(world, classifier)
    await bench.lab.add(GUILD, HARM, BY)
    judging = asyncio.create_task(bench.allows("a toad"))
    await classifier.was_asked.wait()
    await bench.lab.add(GUILD, words("toad"), BY)
    classifier.may_answer.set()
    assert await judging is False


async def test_the_rules_of_places_that_judged_are_compiled_before_the_next_text(bench: Bench) -> None:
    other = CHANNEL + 1
    await bench.lab.add(GUILD, words("toad", channel_id=CHANNEL), BY)
    assert await bench.allows("a newt")
    assert await bench.allows("a newt", other)
    await bench.lab.add(GUILD, words("newt"), BY)
    await until_asked(bench.compiler, "newt", "toad")
    await until_asked(bench.compiler, "newt")
    asked = len(bench.compiler.asked)
    assert not await bench.allows("a newt")
    assert not await bench.allows("a newt", other)
    assert len(bench.compiler.asked) == asked


async def test_who_asks_makes_no_other_place_of_it(bench: Bench) -> None:
    for user_id in range(3):
        await bench.book.rules_for(place(known=Known(user_id, frozenset({user_id}))))
    assert len(bench.compiler.asked) == 1
    assert len(bench.book._uses) == 1


async def test_compiled_rules_that_no_place_judges_by_are_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book_module, "MAX_IDLE", 0)
    await bench.lab.add(GUILD, words("toad"), BY)
    assert await bench.allows("a newt")
    assert await bench.allows("a newt", CHANNEL + 1)  # by the same rules
    await bench.lab.set_level(GUILD, CHANNEL, "insult", Level.OFF, BY)
    assert await bench.allows("a newt")
    gc.collect()
    assert bench.compiler.made[0]() is not None
    await bench.lab.add(GUILD, words("newt"), BY)
    assert not await bench.allows("a newt")
    assert not await bench.allows("a newt", CHANNEL + 1)
    gc.collect()
    assert [made() is not None for made in bench.compiler.made] == [False, False, True, True]


async def test_what_is_taken_back_is_still_compiled_for_a_while(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "MAX_IDLE", 2)
    assert await bench.allows("a toad")
    await bench.lab.add(GUILD, words("toad"), BY)
    for _ in range(3):
        assert not await bench.allows("a toad")
        await bench.lab.undo(GUILD, BY)
        assert await bench.allows("a toad")
        await bench.lab.undo(GUILD, BY)
    assert len(bench.compiler.asked) == 2
    for word in ("newt", "eft", "frog"):
        assert await bench.allows(f"a {word}")
        await bench.lab.add(GUILD, words(word), BY)
    assert not await bench.allows("a frog")
    gc.collect()
    assert [made() is not None for made in bench.compiler.made] == [False, False, True, True, True]


async def test_a_rule_that_did_not_change_is_not_read_again(bench: Bench) -> None:
    await bench.lab.add(GUILD, words("toad"), BY)
    await bench.lab.add(GUILD, words("newt"), BY)
    toad, newt = (await bench.book.server(GUILD)).rules
    await bench.book.rules_for(place())
    assert newt.id is not None
    await bench.lab.switch(GUILD, newt.id, Mode.SHADOW, BY)
    again, changed = (await bench.book.server(GUILD)).rules
    assert again is toad
    assert changed == replace(newt, mode=Mode.SHADOW)


async def test_what_a_channel_has_too_much_of_is_refused_and_the_rest_of_the_server_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "MAX_TERMS", 3)
    await bench.lab.add(GUILD, words("toads", "toad", "newt"), BY)
    await bench.lab.add(GUILD, words("here", "eft", channel_id=CHANNEL), BY)
    await bench.lab.add(GUILD, words("there", "eft", channel_id=CHANNEL + 1), BY)
    with pytest.raises(RuleError, match="these are 4"):
        await bench.lab.add(GUILD, words("too much", "frog", channel_id=CHANNEL), BY)
    with pytest.raises(RuleError, match="these are 4"):
        await bench.lab.add(GUILD, words("one more", "frog"), BY)
    assert await bench.allows("a frog")
    assert not await bench.allows("an eft")


async def test_rules_that_cannot_be_compiled_in_advance_are_said_in_the_log_and_again_with_the_text(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert await bench.allows("a toad")

    def broken(*_: object) -> RuleSet:
        raise ZeroDivisionError

    monkeypatch.setattr(bench.book, "_compile_set", broken)
    await bench.lab.add(GUILD, words("newt"), BY)
    with pytest.raises(ZeroDivisionError):
        await bench.allows("a toad")
    await until(lambda: "were not made ready" in caplog.text)


async def test_who_waits_for_what_is_forgotten_gets_it_made_anew() -> None:
    shared: Shared[str, int] = Shared(10)
    gates = [asyncio.get_running_loop().create_future() for _ in range(2)]
    begun: list[int] = []

    async def make() -> int:
        number = len(begun)
        begun.append(number)
        await gates[number]
        return number

    waiting = [asyncio.create_task(shared.get("key", make)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[2].cancel()
    shared.forget("key")
    gates[0].set_result(None)
    gates[1].set_result(None)
    assert await asyncio.gather(*waiting[:2]) == [1, 1]
    assert shared.holds("key", 1)
    assert not shared.holds("key", 0)
    shared.drop("key")
    assert not shared.holds("key", 1)
