"""Moderators' patterns against the evil ones that are published, and against made-up ones."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import RuleError
from bot.filters import Levels, Rule, RuleKind, RuleSet, TextKind, compile_rules
from bot.filters.finders import PatternFinder
from bot.filters.patterns import Pattern, PatternSet

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "moderation" / "redos_patterns"
EVIL = [r"(a+)+$", r"(a|a)*$", r"(a|aa)+$", r"^(\w+\s?)*$", r"(x+x+)+y", r"(.*)*x", r"^(([a-z])+.)+[A-Z]([a-z])+$"]


def patterns_of(name: str) -> list[str]:
    path = SHARED / name
    if not path.exists():
        return []
    found = json.loads(path.read_text(encoding="utf-8"))
    rows = found if isinstance(found, list) else next(value for value in found.values() if isinstance(value, list))
    return [row["pattern"] if isinstance(row, dict) else row for row in rows]


@pytest.mark.parametrize(
    "pattern", [*EVIL, *patterns_of("evil_patterns.json"), *patterns_of("real_world_patterns.json")]
)
def test_an_evil_pattern_is_refused_or_runs_in_linear_time(pattern: str) -> None:
    """With a backtracking engine each of these attacks runs for longer than anybody waits."""
    try:
        rules = compile_rules([Rule("r", RuleKind.REGEX, (pattern,))], levels=Levels({}))
    except RuleError as error:
        assert len(str(error)) > 20  # noqa: PT017 - a refusal is a sentence
        return
    for attack in ("a" * 4000 + "!", "x" * 4000, "aA" * 2000 + "!", "0" * 4000 + "@", " " * 4000 + "b"):
        assert rules.check(attack, TextKind.PASSAGE).category != "filter error"


@given(st.text(max_size=40), st.text(max_size=60))
def test_any_pattern_is_refused_with_a_sentence_or_finds_places_in_the_text(pattern: str, text: str) -> None:
    try:
        rules = compile_rules([Rule("r", RuleKind.REGEX, (pattern,))], levels=Levels({}))
    except RuleError:
        return
    for hit in rules.check(text, TextKind.HINT).hits:
        assert 0 <= hit.start < hit.end <= len(text)


@given(
    st.lists(st.sampled_from(["wolf", "w.lf", "^a", "o{2,}", "ö", r"\d+", "W", "Ö|a{3}", "(?i)kelvin"]), max_size=7),
    st.lists(st.sampled_from([*"wolfaWöÖ😀1\ud800", "kelvin", "\u212aelvin"])).map("".join),
)
def test_the_set_finds_what_each_pattern_alone_finds(written: list[str], text: str) -> None:
    patterns = [Pattern(one, case_sensitive=one == "W") for one in written]
    encoded = text.encode("utf-8", "replace")
    alone = [
        (n, len(encoded[:a].decode()), len(encoded[:b].decode()))
        for n, p in enumerate(patterns)
        for a, b in p.spans(encoded)
    ]
    assert PatternSet(patterns).find(text) == alone


def test_a_set_that_runs_out_of_memory_asks_every_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    """RE2 then reports no match at all, which must not let a text through."""

    class Exhausted:
        def Match(self, encoded: bytes, potential: bool = False) -> list[int] | None:  # noqa: N802 - RE2's name
            return None

    patterns = PatternSet([Pattern("[a-f]{3}"), Pattern(r"w?o?l?f\b")])
    monkeypatch.setattr(patterns, "_sets", [([0, 1], Exhausted())])
    assert patterns.find("a wolf") == [(1, 2, 6)]
    patterns = PatternSet([Pattern("fox"), Pattern("wolf")])
    monkeypatch.setattr(patterns, "_letters", Exhausted())
    assert patterns.find("a wolf") == [(1, 2, 6)]


def test_compiled_rules_share_their_patterns_as_long_as_some_are_there() -> None:
    written = (r"\bw[o0]lf\b", "f[o0]x")
    rules = [Rule("r", RuleKind.REGEX, written), Rule("s", RuleKind.REGEX, ("w",), options={"case_sensitive": True})]
    first, second = compile_rules(rules), compile_rules([*rules, Rule("t", RuleKind.WORDS, ("toad",))])
    assert _set_of(first) is _set_of(second)
    changed = compile_rules([rules[0], Rule("s", RuleKind.REGEX, ("w",))])
    assert [one in _set_of(first)._patterns for one in _set_of(changed)._patterns] == [True, True, False]
    assert _set_of(changed).find("W") == [(2, 0, 1)]
    assert _set_of(first).find("W") == []
    gone = weakref.ref(_set_of(first)._patterns[0])
    del first, second, changed
    gc.collect()
    assert gone() is None


def _set_of(rules: RuleSet) -> PatternSet:
    """The one of the patterns that are read as they are written."""
    return next(finder._set for finder in rules._finders if isinstance(finder, PatternFinder))
