"""Which rules can be used, and the sentences that say why one can't."""

from __future__ import annotations

import pytest

from bot.errors import BadInput, RuleError
from bot.filters import Action, Rule, RuleKind, check_rule, compile_rules
from bot.filters import build as build_module
from bot.filters.patterns import MAX_LENGTH
from bot.filters.rules import MAX_PATTERNS


def refusal(rule: Rule) -> str:
    with pytest.raises(RuleError) as caught:
        check_rule(rule)
    assert isinstance(caught.value, BadInput)
    with pytest.raises(RuleError):
        compile_rules([rule])
    return str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "must not be empty"),
        ("a" * (MAX_LENGTH + 1), "may have 500 characters"),
        ("(?=wolf)", "look-ahead"),
        ("(?!wolf)", "look-ahead"),
        ("(?<=a)b", "look-behind"),
        ("(?<!a)b", "look-behind"),
        (r"(a)\1", "back-references"),
        ("(?>a)b", "atomic groups"),
        ("wolf++", "possessive"),
        ("(wolf", "cannot be read: missing )"),
        ("[wolf", "cannot be read"),
        ("wol\ud800f", "half a character"),
        ("(abc?){1000}", "too large"),
        (r"\pL{1,40}", "too large"),
        ("a*", "matches the empty text"),
        ("wolf|", "matches the empty text"),
        (".", "finds something in every text"),
        (r"\S+", "finds something in every text"),
        ("[^q]", "finds something in every text"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern: str, said: str) -> None:
    assert said in refusal(Rule("r", RuleKind.REGEX, (pattern,)))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(" ", RuleKind.WORDS, ("wolf",)), "needs a name"),
        (Rule("r" * 61, RuleKind.WORDS, ("wolf",)), "needs a name"),
        (Rule("r", RuleKind.WORDS, ("wolf",), category=""), "needs a category"),
        (Rule("r", RuleKind.WORDS), "at least one word"),
        (Rule("r", RuleKind.WORDS, ("!?",)), "at least one letter"),
        (Rule("r", RuleKind.WORDS, ("*",)), "beside the *"),
        (Rule("r", RuleKind.WORDS, ("a*",)), "at least 2 letters"),
        (Rule("r", RuleKind.WORDS, ("wolf " * 30,)), "at most 100 characters"),
        (Rule("r", RuleKind.WORDS, ("wolf",) * (MAX_PATTERNS + 1)), "1,000 entries at most"),
        (Rule("r", RuleKind.WORDS, ("wolf",), options={"max": 1}), "no option “max”"),
        (Rule("r", RuleKind.WORDS, ("wolf",), options={"disguises": 1}), "true or false"),
        (Rule("r", RuleKind.REGEX), "at least one pattern"),
        (Rule("r", RuleKind.LINKS, ("not a domain",)), "is no domain"),
        (Rule("r", RuleKind.LINKS, options={"only_listed": True}), "at least one domain"),
        (Rule("r", RuleKind.INVITES, ("a b",)), "no invitation"),
        (Rule("r", RuleKind.MENTIONS, ("cats",)), "is no mention"),
        (Rule("r", RuleKind.MENTIONS, options={"max": -1}), "a whole number"),
        (Rule("r", RuleKind.MENTIONS, options={"max": True}), "a whole number"),
        (Rule("r", RuleKind.SHAPE), "at least one shape"),
        (Rule("r", RuleKind.SHAPE, ("round",)), "is no shape"),
        (Rule("r", RuleKind.SHAPE, ("caps",), options={"length": 5}), "does not look at it"),
        (Rule("r", RuleKind.SHAPE, ("caps",), options={"caps": float("nan")}), "a number"),
        (Rule("r", RuleKind.SHAPE, ("caps",), action=Action.ALLOW), "cannot be an exception"),
        (Rule("r", RuleKind.CATEGORY), "categories"),
        (Rule("r", RuleKind.CATEGORY, ("x",), options={"block": 1.5}), "from 0 to 1"),
        (Rule("r", RuleKind.CATEGORY, ("x",), options={"fail": "maybe"}), "allow or block"),
        (Rule("r", RuleKind.CATEGORY, ("x",), action=Action.ALLOW), "cannot be an exception"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_with_the_reason(rule: Rule, said: str) -> None:
    assert said in refusal(rule)


@pytest.mark.parametrize("pattern", [r"w[o0]lf", r"\bwolf\b", "^wolf$", r"(?i)wolf|fox", r"\pL+wolf", "狼"])
def test_good_patterns_are_taken(pattern: str) -> None:
    check_rule(Rule("r", RuleKind.REGEX, (pattern,)))


def test_too_many_rules_words_patterns_or_steps_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "MAX_RULES", 3)
    monkeypatch.setattr(build_module, "MAX_TERMS", 3)
    monkeypatch.setattr(build_module, "MAX_PATTERNS", 3)
    monkeypatch.setattr(build_module, "MAX_TOTAL", 30)
    word, pattern = Rule("w", RuleKind.WORDS, ("a1", "b1")), Rule("p", RuleKind.REGEX, ("fox", "owl"))
    compile_rules([word, pattern])
    for rules, said in [
        ([word] * 4, "3 rules"),
        ([word] * 2, "3 words"),
        ([pattern] * 2, "3 patterns"),
        ([Rule("p", RuleKind.REGEX, ("f" * 40,))], "too large together"),
    ]:
        with pytest.raises(RuleError, match=said):
            compile_rules(rules)
