"""What one check costs beside 10,000 terms and 200 patterns: texts of 2,000 characters, and hostile ones of 4,000."""

from __future__ import annotations

import random
import statistics
import string
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bot.filters.base import TextKind
from bot.filters.build import compile_rules
from bot.filters.measure.sets import book_lines
from bot.filters.rules import Rule, RuleKind
from bot.filters.ruleset import RuleSet

CHARACTERS = 2000
TERMS = 10_000
PATTERNS = 200
TEXTS = 1000
HOSTILE_CHARACTERS = 4000


def many_rules(
    rng: random.Random, num_words: int = TERMS, num_patterns: int = PATTERNS, words_of_rule: int = 1000
) -> list[Rule]:
    """A large server's: made-up words, prefixes, phrases, and patterns of the usual shapes."""
    words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(5, 12))) for _ in range(num_words)]
    for index in range(0, num_words, 10):
        words[index] += "*"
        words[index + 1] = f"{words[index + 1]} {words[index + 2]}"
    shapes = (r"\b{}\w{{0,3}}\b", r"{}[\s._-]*{}", r"(?:{}|{})\d+", r"[{}]{{4,}}{}")
    patterns = [rng.choice(shapes).format(*rng.sample(words[2::10], 2)) for _ in range(num_patterns)]
    rules = [
        Rule(f"words {at}", RuleKind.WORDS, tuple(words[at : at + words_of_rule]))
        for at in range(0, num_words, words_of_rule)
    ]
    return [*rules, *(Rule(f"pattern {n}", RuleKind.REGEX, (one,)) for n, one in enumerate(patterns))]


def measure(folder: Path) -> dict[str, Any]:
    """Milliseconds of a check: of texts never seen before, of a bot that has run for a while, and of hostile texts."""
    rng = random.Random(1)
    began = time.perf_counter()
    rules = compile_rules(many_rules(rng))
    compiled_s = time.perf_counter() - began
    book = "\n".join(book_lines(folder))
    starts = [rng.randrange(max(1, len(book) - CHARACTERS)) for _ in range(2 * TEXTS)]
    texts = [book[at : at + CHARACTERS] for at in starts]
    return {
        "characters": CHARACTERS,
        "hostile_characters": HOSTILE_CHARACTERS,
        "terms": TERMS,
        "patterns": PATTERNS,
        "compile_s": round(compiled_s, 3),
        "first_ms": _times(rules, texts[:TEXTS]),
        "later_ms": _times(rules, texts[TEXTS:]),
        "hostile_ms": {name: _times(rules, [make(rng) for _ in range(20)]) for name, make in HOSTILE.items()},
    }


def _letters(rng: random.Random) -> str:
    return " ".join("".join(rng.choices(string.ascii_lowercase, k=8)) for _ in range(HOSTILE_CHARACTERS // 9))


def _short(rng: random.Random) -> str:
    return " ".join("".join(rng.choices(string.ascii_lowercase, k=3)) for _ in range(HOSTILE_CHARACTERS // 4))


def _singles(rng: random.Random) -> str:
    return " ".join(rng.choices(string.ascii_lowercase, k=HOSTILE_CHARACTERS // 2))


def _masked(rng: random.Random) -> str:
    words = (f"{rng.choice('bcfs')}{'*' * rng.randint(1, 4)}{rng.choice('dkt')}" for _ in range(HOSTILE_CHARACTERS))
    return " ".join(words)[:HOSTILE_CHARACTERS]


def _of(characters: str) -> Callable[[random.Random], str]:
    return lambda rng: "".join(rng.choices(characters, k=HOSTILE_CHARACTERS))


HOSTILE: dict[str, Callable[[random.Random], str]] = {
    "words that nobody has used": _letters,
    "short words that nobody has used": _short,
    "digits and symbols": _of("1!|lI0@$5 "),
    "printable characters": _of(string.printable),
    "single letters": _singles,
    "one letter": _of("a"),
    "one word": _of("as"),
    "words with covered letters": _masked,
    "stars between letters": _of("f*u*c*k "),
    "brackets and strokes": _of("\\/|()<3_ "),
    "marks and invisible characters": _of("a\u0301\u200b\u0336ﬁ🅰"),
    "marks of other scripts": _of("aſ\u0e31\u0e34 \u0903b"),
}


def _times(rules: RuleSet, texts: Sequence[str]) -> dict[str, float]:
    """Of the clock, and of the processor: on a busy machine the second says what the check itself costs."""
    clock, processor = [], []
    for text in texts:
        began, began_processor = time.perf_counter(), time.process_time()
        rules.check(text, TextKind.PASSAGE)
        clock.append(1000 * (time.perf_counter() - began))
        processor.append(1000 * (time.process_time() - began_processor))
    return {**_spread("", clock), **_spread("cpu_", processor)}


def _spread(prefix: str, taken: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(taken, n=100)
    figures = {"median": cuts[49], "p95": cuts[94], "max": max(taken)}
    return {prefix + name: round(value, 3) for name, value in figures.items()}
