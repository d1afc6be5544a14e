"""Rules and what becomes of a text: actions, exceptions, modes, kinds, roles, tiers, scores; and failing closed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.filters import (
    Action,
    Hit,
    Level,
    Levels,
    Mode,
    Rule,
    RuleKind,
    RuleSet,
    TextKind,
    Tier,
    Verdict,
    compile_rules,
)
from bot.filters.base import ALLOWED
from bot.filters.finders import Found, Text
from bot.filters.terms import parse_term

NONE = Levels({})
WOLF = Rule("no wolves", RuleKind.WORDS, ("wolf",), "animals")


def rules_of(*rules: Rule, tier: Tier = Tier.GENERAL) -> RuleSet:
    return compile_rules(rules, tier, NONE)


def verdict_of(text: str, *rules: Rule, **more: Any) -> Verdict:
    return rules_of(*rules).check(text, TextKind.PASSAGE, **more)


def rule(kind: RuleKind, *patterns: str, **more: Any) -> Rule:
    return Rule(f"no {kind}", kind, patterns, **more)


def test_without_rules_and_lists_everything_is_allowed() -> None:
    assert verdict_of("anything") == ALLOWED == Verdict(allowed=True)


def test_a_block_names_the_rule_the_category_and_the_place() -> None:
    verdict = verdict_of("There was a wolf.", WOLF)
    hit = Hit("no wolves", None, "animals", Action.BLOCK, 12, 16, Mode.ON, None, "wolf")
    assert verdict == Verdict(False, "animals", "no wolves", 12, 16, Action.BLOCK, (hit,), None)


def test_the_strongest_action_decides_and_of_equals_the_first_in_the_text() -> None:
    fox = Rule("fox", RuleKind.WORDS, ("fox",), action=Action.FLAG)
    owl = Rule("owl", RuleKind.WORDS, ("owl",), action=Action.MASK)
    assert verdict_of("fox and owl and wolf", fox, owl, WOLF).rule == "no wolves"
    assert verdict_of("fox and owl", fox, owl).action is Action.MASK
    assert verdict_of("fox", fox, owl).action is Action.FLAG
    assert verdict_of("fox fox", fox).start == 0
    assert len(verdict_of("fox and owl and wolf", fox, owl, WOLF).hits) == 3


def test_a_mask_covers_its_places_in_the_original_and_keeps_the_length() -> None:
    mask = Rule("m", RuleKind.WORDS, ("wolf", "big bad"), action=Action.MASK)
    verdict = verdict_of("A w\u200bÖlf, the big\nbad one.", mask)
    assert (verdict.allowed, verdict.action) == (True, Action.MASK)
    assert verdict.masked == "A ▒▒▒▒▒, the ▒▒▒\n▒▒▒ one."


def test_a_flag_shows_the_text_as_it_is() -> None:
    verdict = verdict_of("wolf", Rule("f", RuleKind.WORDS, ("wolf",), action=Action.FLAG))
    assert (verdict.allowed, verdict.action, verdict.masked, verdict.rule) == (True, Action.FLAG, None, "f")


def test_an_exception_covers_what_lies_within_it_and_nothing_else() -> None:
    exception = Rule("the pub", RuleKind.WORDS, ("the wolf inn",), action=Action.ALLOW)
    assert verdict_of("We met at The Wolf Inn.", WOLF, exception) == ALLOWED
    assert verdict_of("A wolf at The Wolf Inn.", WOLF, exception).start == 2
    partly = Rule("part", RuleKind.WORDS, ("wol",), action=Action.ALLOW)
    assert not verdict_of("wolf wol", WOLF, partly).allowed


def test_a_rule_in_the_shadow_reports_and_changes_nothing() -> None:
    shadow = Rule("trial", RuleKind.WORDS, ("wolf",), mode=Mode.SHADOW)
    verdict = verdict_of("wolf", shadow)
    assert (verdict.allowed, verdict.action, verdict.rule) == (True, None, None)
    assert [(hit.rule, hit.mode) for hit in verdict.hits] == [("trial", Mode.SHADOW)]
    exception = Rule("trial 2", RuleKind.WORDS, ("wolf",), action=Action.ALLOW, mode=Mode.SHADOW)
    assert not verdict_of("wolf", WOLF, exception).allowed


def test_a_rule_that_is_off_is_not_there() -> None:
    assert verdict_of("wolf", Rule("off", RuleKind.WORDS, ("wolf",), mode=Mode.OFF)) == ALLOWED


def test_a_rule_holds_for_its_kinds_of_text_only() -> None:
    titles = rules_of(Rule("t", RuleKind.WORDS, ("wolf",), text_kinds=frozenset({TextKind.TITLE})))
    assert [kind for kind in TextKind if not titles.check("wolf", kind).allowed] == [TextKind.TITLE]


def test_a_role_bypasses_a_rule_and_no_other_role_does() -> None:
    bypassed = Rule("b", RuleKind.WORDS, ("wolf",), bypass_roles=frozenset({7}))
    assert verdict_of("wolf", bypassed, roles=frozenset({6, 7})).allowed
    assert not verdict_of("wolf", bypassed, roles=frozenset({6})).allowed


def test_a_rule_holds_in_its_tiers_only() -> None:
    mature = Rule("m", RuleKind.WORDS, ("wolf",), tiers=frozenset({Tier.MATURE}))
    allowed = [tier for tier in Tier if rules_of(mature, tier=tier).check("wolf", TextKind.HINT).allowed]
    assert allowed == [Tier.GENERAL, Tier.TEEN]
    assert Tier("something new") is Tier.GENERAL


SCORED = Rule("c", RuleKind.CATEGORY, ("violence",), "violence", options={"flag": 0.5, "block": 0.8})


@pytest.mark.parametrize(
    ("score", "action"),
    [(0.49, None), (0.5, Action.FLAG), (0.79, Action.FLAG), (0.8, Action.BLOCK), (float("nan"), None)],
)
def test_a_classifiers_score_flags_and_blocks(score: float, action: Action | None) -> None:
    verdict = verdict_of("a text", SCORED, scores={"violence": score, "other": 1.0})
    assert verdict.action is action
    if action is not None:
        assert (verdict.start, verdict.end, verdict.hits[0].score) == (0, 6, score)


def test_without_a_score_a_category_is_skipped_unless_the_rule_says_block() -> None:
    closed = Rule("c", RuleKind.CATEGORY, ("violence",), options={"fail": "block"})
    assert verdict_of("a text", SCORED).allowed
    assert verdict_of("a text", SCORED, scores={"other": 1.0}).allowed
    assert not verdict_of("a text", closed).allowed
    assert rules_of(SCORED).wants_scores
    assert not rules_of(WOLF).wants_scores


@pytest.mark.parametrize(
    ("one", "text", "hits"),
    [
        (rule(RuleKind.REGEX, r"w[o0]lf\d*"), "Wolf12 and w0lf", ["Wolf12", "w0lf"]),
        (rule(RuleKind.REGEX, "wolf"), "a ｗｏｌｆ", ["ｗｏｌｆ"]),
        (rule(RuleKind.REGEX, "wolf", options={"disguises": False}), "a ｗｏｌｆ", []),
        (rule(RuleKind.REGEX, "wolf", options={"case_sensitive": True}), "Wolf wolf", ["wolf"]),
        (rule(RuleKind.REGEX, "^wolf$"), "wolf", ["wolf"]),
        (rule(RuleKind.REGEX, "ö+"), "😀 öö \ud800ö", ["öö", "ö"]),
        (rule(RuleKind.WORDS, "wolf", options={"disguises": False}), "w0lf", []),
        (rule(RuleKind.WORDS, "*wolf", "wolf*", "*lupin*"), "werewolf wolves alupinine wolfen", None),
        (rule(RuleKind.LINKS), "see https://a.example/x?y=1, b.com/z and c.org.", None),
        (rule(RuleKind.LINKS, "bad.com"), "www.bad.com good.com notbad.com", ["www.bad.com"]),
        (rule(RuleKind.LINKS, "good.com", options={"only_listed": True}), "x.good.com evil.com", ["evil.com"]),
        (rule(RuleKind.LINKS), "It was the end.The next day, etc. e.g. this; 3.14 and a.b", []),
        (rule(RuleKind.LINKS), "hxxp://a[.]com", ["hxxp://a[.]com"]),
        (rule(RuleKind.INVITES), "discord.gg/abc discord.com/invite/x-y discord .gg/ qq", None),
        (rule(RuleKind.INVITES, "Ours"), "discord.gg/ours discord.gg/theirs", ["discord.gg/theirs"]),
        (rule(RuleKind.MENTIONS), "<@1> <@!2> <@&3> @everyone @here a@b.c <#4>", None),
        (rule(RuleKind.MENTIONS, "roles"), "<@1> <@&3>", ["<@&3>"]),
        (rule(RuleKind.MENTIONS, options={"max": 2}), "<@1> <@2>", []),
        (rule(RuleKind.MENTIONS, options={"max": 1}), "<@1> <@2>", ["<@1>", "<@2>"]),
        (rule(RuleKind.SHAPE, "caps"), "THIS IS SHOUTING", ["THIS IS SHOUTING"]),
        (rule(RuleKind.SHAPE, "caps"), "OK, the FBI.", []),
        (rule(RuleKind.SHAPE, "repeats"), "no" + "o" * 20 + "!", ["o" * 21]),
        (rule(RuleKind.SHAPE, "repeats", options={"repeats": 30}), "no" + "o" * 20 + "!", []),
        (rule(RuleKind.SHAPE, "newlines", options={"newlines": 2}), "a\nb\nc\nd", ["a\nb\nc\nd"]),
        (rule(RuleKind.SHAPE, "newlines", options={"newlines": 3}), "a\nb\nc\nd", []),
        (rule(RuleKind.SHAPE, "marks"), "a\u0301\u0302\u0303\u0304b\u0301", ["a\u0301\u0302\u0303\u0304"]),
        (rule(RuleKind.SHAPE, "length", options={"length": 3}), "four", ["four"]),
        (rule(RuleKind.SHAPE, "length", options={"length": 4}), "four", []),
        (rule(RuleKind.SHAPE, "emojis", options={"emojis": 2}), "🦊🦊🦊", ["🦊🦊🦊"]),
    ],
)
def test_each_kind_of_rule_finds_its_own(one: Rule, text: str, hits: list[str] | None) -> None:
    found = [text[hit.start : hit.end] for hit in verdict_of(text, one).hits]
    expected = {
        "werewolf wolves alupinine wolfen": ["werewolf", "alupinine", "wolfen"],
        "see https://a.example/x?y=1, b.com/z and c.org.": ["https://a.example/x?y=1,", "b.com/z", "c.org"],
        "discord.gg/abc discord.com/invite/x-y discord .gg/ qq": [
            "discord.gg/abc",
            "discord.com/invite/x-y",
            "discord .gg/ qq",
        ],
        "<@1> <@!2> <@&3> @everyone @here a@b.c <#4>": ["<@1>", "<@!2>", "<@&3>", "@everyone", "@here"],
    }
    assert found == (expected[text] if hits is None else hits)


def test_the_words_of_a_refusal_are_given_as_written_for_the_decoder_to_avoid() -> None:
    flag = Rule("f", RuleKind.WORDS, ("fox",), action=Action.FLAG)
    length = Rule("l", RuleKind.SHAPE, ("length",), options={"length": 1})
    rules = rules_of(WOLF, flag, length)
    text = "fox, W0lf, W0lf, wolf"
    assert rules.banned_phrases(rules.check(text, TextKind.CANDIDATE), text) == ("W0lf", "wolf")


def test_an_explanation_has_every_reading_and_every_find_with_its_fate() -> None:
    rules = rules_of(
        WOLF,
        Rule("inn", RuleKind.WORDS, ("wolf inn",), action=Action.ALLOW),
        Rule("trial", RuleKind.WORDS, ("inn",), mode=Mode.SHADOW),
        Rule("titles", RuleKind.WORDS, ("wolf",), text_kinds=frozenset({TextKind.TITLE})),
    )
    trace = rules.explain("Ｗ0lf inn", TextKind.PASSAGE)
    assert [(reading.name, reading.text) for reading in trace.readings] == [
        ("folded", "w0lf inn"),
        ("symbols as letters", "wolf inn"),
    ]
    assert trace.readings[0].changed == ((0, 1, "w"),)
    fates = {judged.hit.rule: (judged.counts, judged.why) for judged in trace.judged}
    assert fates["no wolves"] == (False, "lies within an exception, inn")
    assert fates["inn"][0] is True
    assert fates["titles"][0] is False
    assert fates["trial"] == (False, "lies within an exception, inn")
    assert trace.verdict == rules.check("Ｗ0lf inn", TextKind.PASSAGE) == ALLOWED


class Breaks:
    def find(self, text: Text) -> Iterator[Found]:
        raise ZeroDivisionError("in the middle of it")


def test_a_rule_that_breaks_refuses_the_text(caplog: pytest.LogCaptureFixture) -> None:
    """Fails closed: what could not be judged is not shown. The log has the cause, and not the member's text."""
    with caplog.at_level(logging.ERROR):
        verdict = RuleSet([Breaks()], ()).check("a private thought", TextKind.CANDIDATE)
    assert verdict == Verdict(False, "filter error", "RuleSet", None, None, Action.BLOCK)
    assert "ZeroDivisionError" in caplog.text
    assert "private thought" not in caplog.text


def test_two_rules_with_one_term_are_both_reported() -> None:
    other = Rule("also", RuleKind.WORDS, ("wolf",), "animals")
    assert {hit.rule for hit in verdict_of("wolf", WOLF, other).hits} == {"no wolves", "also"}


def test_words_are_compiled_once_for_all_whose_words_are_the_same_and_are_nobody_elses() -> None:
    pattern = Rule("no foxes", RuleKind.REGEX, ("fox",))
    one, other = rules_of(WOLF), rules_of(pattern, replace(WOLF))
    assert one._finders[0] is other._finders[0]
    assert [hit.rule for hit in other.check("A fox, a wolf", TextKind.PASSAGE).hits] == ["no foxes", "no wolves"]
    assert one.check("A fox", TextKind.PASSAGE) == ALLOWED
    for changed in (
        rules_of(replace(WOLF, action=Action.FLAG)),
        rules_of(replace(WOLF, options={"disguises": False})),
        compile_rules([WOLF], levels=Levels({"insult": Level.MILD})),
        compile_rules([WOLF], levels=NONE, extra_terms=[parse_term("animals", "fox")]),
    ):
        assert changed._finders[0] is not one._finders[0]
