"""Presets: each rule can be used, stops what it is for, and lets stories pass."""

from __future__ import annotations

import pytest

from bot.filters import Action, Level, Levels, RuleKind, RuleSet, TextKind, check_rule, compile_rules
from bot.filters.levels import LISTED
from bot.filters.presets import PRESETS

NOTHING_LISTED = Levels({})

STORY = (
    "At 9 a.m. on 12-05-1999 the fox took 3 apples, 12 pears and 400 nuts to Mr. Dale’s house.\n\n"
    "“LOOK!” she cried. “I could die of laughter!!!” Her smoke rose straight up; she stoned the plums, drank the "
    "medicine and wished she was a bird. Version 1.2.3 of the map was no better. No. 555-0199 was her door.\n"
    "He wanted to diet. The acid rain fell on the pot, and the dealer of cards gave her a gift."
)


def rules_of(name: str) -> RuleSet:
    return compile_rules(PRESETS[name].rules, levels=NOTHING_LISTED)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_used_and_says_what_it_does(name: str) -> None:
    preset = PRESETS[name]
    for rule in preset.rules:
        check_rule(rule)
    assert len({rule.name for rule in preset.rules}) == len(preset.rules)
    assert 0 < len(f"{preset.title}: {preset.about}") <= 200


@pytest.mark.parametrize("name", PRESETS)
def test_a_story_passes_every_preset(name: str) -> None:
    verdict = rules_of(name).check(STORY, TextKind.PASSAGE)
    assert verdict.allowed
    assert not verdict.hits


@pytest.mark.parametrize(
    ("name", "text", "part", "action"),
    [
        ("links", "look at https://example.com/x now", "https://example.com/x", Action.BLOCK),
        ("mentions", "hello @everyone", "@everyone", Action.BLOCK),
        ("mentions", "<@&123456789012345678> come", "<@&123456789012345678>", Action.BLOCK),
        ("spam", "COME HERE NOW ALL OF YOU", "COME HERE NOW ALL OF YOU", Action.BLOCK),
        ("spam", "noooooooooooooooooooooooooooooo", "o" * 30, Action.BLOCK),
        ("privacy", "write to Ann.Lee+fox@mail.example.org soon", "Ann.Lee+fox@mail.example.org", Action.MASK),
        ("privacy", "call +44 20 7946 0958 tonight", "+44 20 7946 0958", Action.MASK),
        ("privacy", "call (555) 010-0199 tonight", "(555) 010-0199", Action.MASK),
        ("privacy", "my card is 4111 1111 1111 1111.", "4111 1111 1111 1111", Action.MASK),
        ("privacy", "to DE89 3704 0044 0532 0130 00 please", "DE89 3704 0044 0532 0130 00", Action.MASK),
        ("privacy", "on 192.168.10.254 it runs", "192.168.10.254", Action.MASK),
        ("privacy", "hey, what is your address?", "what is your address", Action.FLAG),
        ("drugs", "he sold c0caine", "c0caine", Action.BLOCK),
        ("drugs", "they were smoking weed", "smoking weed", Action.BLOCK),
        ("self-harm", "some days I want to die", "want to die", Action.FLAG),
        ("scams", "get FREE NITRO here", "FREE NITRO", Action.BLOCK),
        ("family", "see example.com", "example.com", Action.BLOCK),
    ],
)
def test_what_each_is_for(name: str, text: str, part: str, action: Action) -> None:
    verdict = rules_of(name).check(text, TextKind.PASSAGE)
    first = verdict.hits[0]
    assert (text[first.start : first.end], first.action) == (part, action)
    assert all(first.start <= hit.start and hit.end <= first.end for hit in verdict.hits)


def test_a_few_members_may_be_mentioned() -> None:
    rules = rules_of("mentions")
    assert rules.check("<@1> and <@2> and <@3>", TextKind.PASSAGE).allowed
    assert not rules.check("<@1> <@2> <@3> <@4>", TextKind.PASSAGE).allowed


def test_tokens_are_covered() -> None:
    token = "A" * 24 + "." + "b" * 6 + "." + "c" * 38  # made up, of their shape
    verdict = rules_of("scams").check(f"my token is {token}", TextKind.PASSAGE)
    assert verdict.masked is not None
    assert token not in verdict.masked


def test_what_the_model_writes_is_not_taken_for_a_member_in_need() -> None:
    assert not rules_of("self-harm").check("I want to die, said the ogre.", TextKind.CANDIDATE).hits


def test_scores_flag_first_and_block_later() -> None:
    rules = rules_of("classifier")
    assert all(rule.kind is RuleKind.CATEGORY for rule in PRESETS["classifier"].rules)
    assert rules.check("x", TextKind.PASSAGE, scores={"hate": 0.6}).hits[0].action is Action.FLAG
    assert not rules.check("x", TextKind.PASSAGE, scores={"hate": 0.9}).allowed
    assert rules.check("x", TextKind.PASSAGE, scores={"hate": 0.4, "sexual": 0.5}).hits == ()


def test_an_invitation_is_stopped_where_links_are_not_looked_at() -> None:
    (invitations,) = (rule for rule in PRESETS["links"].rules if rule.kind is RuleKind.INVITES)
    rules = compile_rules([invitations], levels=NOTHING_LISTED)
    assert not rules.check("join discord . gg/abcdef", TextKind.PASSAGE).allowed


def test_families_get_every_list_at_its_strictest() -> None:
    preset = PRESETS["family"]
    assert all(preset.levels[category] is Level.MILD for category in LISTED)
