"""What one check costs: texts of 2,000 characters against 10,000 terms and 200 patterns beside the ready-made lists."""

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


def many_rules(rng: random.Random) -> list[Rule]:
    """A large server's: made-up words, prefixes, phrases, and patterns of the usual shapes."""
    words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(5, 12))) for _ in range(TERMS)]
    for index in range(0, TERMS, 10):
        words[index] += "*"
        words[index + 1] = f"{words[index + 1]} {words[index + 2]}"
    shapes = (r"\b{}\w{{0,3}}\b", r"{}[\s._-]*{}", r"(?:{}|{})\d+", r"[{}]{{4,}}{}")
    patterns = [rng.choice(shapes).format(*rng.sample(words[2::10], 2)) for _ in range(PATTERNS)]
    rules = [Rule(f"words {at}", RuleKind.WORDS, tuple(words[at : at + 1000])) for at in range(0, TERMS, 1000)]
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
        "terms": TERMS,
        "patterns": PATTERNS,
        "compile_s": round(compiled_s, 3),
        "first_ms": _times(rules, texts[:TEXTS]),
        "later_ms": _times(rules, texts[TEXTS:]),
        "hostile_ms": {name: _times(rules, [make(rng) for _ in range(20)]) for name, make in HOSTILE.items()},
    }


def _letters(rng: random.Random) -> str:
    return " ".join("".join(rng.choices(string.ascii_lowercase, k=8)) for _ in range(CHARACTERS // 9))


def _symbols(rng: random.Random) -> str:
    return "".join(rng.choices("1!|lI0@$5 ", k=CHARACTERS))


def _singles(rng: random.Random) -> str:
    return " ".join(rng.choices(string.ascii_lowercase, k=CHARACTERS // 2))


def _one_run(rng: random.Random) -> str:
    return "".join(rng.choices("as", k=CHARACTERS))


def _marks(rng: random.Random) -> str:
    return "".join(rng.choices("a\u0301\u200b\u0336ﬁ🅰", k=CHARACTERS))


HOSTILE: dict[str, Callable[[random.Random], str]] = {
    "words that nobody has used": _letters,
    "digits and symbols": _symbols,
    "single letters": _singles,
    "one word": _one_run,
    "marks and invisible characters": _marks,
}


def _times(rules: RuleSet, texts: Sequence[str]) -> dict[str, float]:
    taken = []
    for text in texts:
        began = time.perf_counter()
        rules.check(text, TextKind.PASSAGE)
        taken.append(1000 * (time.perf_counter() - began))
    cuts = statistics.quantiles(taken, n=100)
    return {"median": round(cuts[49], 3), "p95": round(cuts[94], 3), "max": round(max(taken), 3)}
