"""What a check costs, counted in look-ups: no text makes them many."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

import pytest

from bot.filters import Action, Levels, Rule, RuleKind, RuleSet, TextKind, compile_rules
from bot.filters.lexicon import Lexicon
from bot.filters.runs import LONGEST_RUN
from bot.filters.wordfinder import MAX_EFFORT

LENGTH = 4000
MADE_OF = {
    "digits and symbols": "1!|lI0@$5 ",
    "digits and symbols without blanks": "1!|lI0@$5",
    "one character": "f",
    "letters and blanks": "a ",
    "single letters": " ".join(string.ascii_lowercase) + " ",
    "marks": "a\u0301\u200b\u0336ﬁ🅰 ",
    "marks of other scripts": "aſ\u0e31\u0e34 \u0903b",
    "masks": "f*u*c*k ",
    "drawings": "\\/|()<3_ ",
    "hyphens": "fu-ck ",
    "anything": string.printable,
}


def mixed(characters: str) -> Callable[[random.Random], str]:
    return lambda rng: "".join(rng.choices(characters, k=LENGTH))


def in_turn(characters: str) -> Callable[[random.Random], str]:
    return lambda rng: (characters * LENGTH)[:LENGTH]


def words_of(letters: str, longest: int) -> Callable[[random.Random], str]:
    def make(rng: random.Random) -> str:
        words: list[str] = []
        while sum(map(len, words)) + len(words) < LENGTH:
            words.append("".join(rng.choices(letters, k=rng.randint(1, longest))))
        return " ".join(words)[:LENGTH]

    return make


TEXTS: dict[str, Callable[[random.Random], str]] = {
    **{name: mixed(of) for name, of in MADE_OF.items()},
    **{f"{name} in turn": in_turn(of) for name, of in MADE_OF.items()},
    "short words": words_of(string.ascii_lowercase, 4),
    "long words": words_of(string.ascii_lowercase, 40),
    "longer words": words_of(string.ascii_lowercase, 400),
    "short words with symbols": words_of(string.ascii_lowercase + "1@$!.*-", 8),
    "masked words": lambda rng: "f**k s*** c**t b***h " * (LENGTH // 20),
}


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every reading that is looked up for disguises."""
    seen: list[str] = []

    def counted(name: str) -> None:
        real = getattr(Lexicon, name)

        def look(self: Lexicon, word: str) -> tuple[int, ...]:
            seen.append(word)
            found: tuple[int, ...] = real(self, word)
            return found

        monkeypatch.setattr(Lexicon, name, look)

    for name in ("loosely", "repeated", "masked", "core_masked"):
        counted(name)
    return seen


@pytest.mark.parametrize("name", TEXTS)
def test_the_readings_of_a_hostile_text_are_bounded(name: str, looked_up: list[str]) -> None:
    text = TEXTS[name](random.Random(1))
    rules = compile_rules(())
    looked_up.clear()
    assert rules.check(text, TextKind.PASSAGE).category != "filter error"
    one_run = 64 * LONGEST_RUN  # a run that was begun when the last letters were spent
    assert sum(map(len, looked_up)) <= 2 * (MAX_EFFORT + one_run)
    assert len(looked_up) <= LENGTH


def test_a_new_passage_is_read_in_full() -> None:
    """Four hundred different words, as no passage of 4,000 characters has, leave readings for what is behind them."""
    rng = random.Random(1)
    words = {"".join(rng.choices(string.ascii_lowercase, k=9)) for _ in range(400)}
    text = " ".join(sorted(words)) + " sh1tt"
    assert RULES.check(text, TextKind.PASSAGE).start is not None


def test_behind_what_uses_every_reading_plain_words_are_found() -> None:
    rng = random.Random(1)
    text = "".join(rng.choices("1!|lI0@$5 ", k=20 * LENGTH))
    hits = RULES.check(f"{text} bullshit", TextKind.PASSAGE).hits
    assert any(hit.start == len(text) + 1 for hit in hits)


def test_a_disguise_in_a_long_row_of_single_letters_is_found() -> None:
    row = "q z " * 30
    assert not RULES.check(row + "b u l l s h i t " + row, TextKind.PASSAGE).allowed


def test_each_of_a_thousand_finds_meets_its_own_exception() -> None:
    rules = compile_rules(
        [
            Rule("bad", RuleKind.WORDS, ("wolf",)),
            Rule("good", RuleKind.WORDS, ("good wolf",), action=Action.ALLOW),
            Rule("better", RuleKind.WORDS, ("a very good",), action=Action.ALLOW),
        ],
        levels=Levels({}),
    )
    text = "a very good wolf. " * 1000
    assert rules.check(text, TextKind.PASSAGE).allowed
    assert [hit.start for hit in rules.check(f"{text}wolf {text}", TextKind.PASSAGE).hits] == [len(text)]


RULES: RuleSet = compile_rules(())
