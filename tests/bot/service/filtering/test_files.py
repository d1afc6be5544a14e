from __future__ import annotations

import pytest

from bot.errors import RuleError
from bot.filters import Action, Level, Mode, Rule, RuleKind, TextKind, Tier
from bot.service.filtering.automod import AutoModRule, Trigger, translate
from bot.service.filtering.files import MAX_FILE_BYTES, RuleFile, read_file, to_csv, to_json

RULES = [
    Rule(
        *("toads", RuleKind.WORDS, ("toad*", "green, slimy thing", 'a "toad"'), "amphibians", Action.MASK, Mode.SHADOW),
        text_kinds=frozenset({TextKind.HINT, TextKind.PASSAGE}),
        bypass_roles=frozenset({7, 2**60}),
        tiers=frozenset({Tier.GENERAL}),
        options={"disguises": False},
    ),
    Rule("links", RuleKind.LINKS),
    Rule("digits", RuleKind.REGEX, (r"\d{5,}", "a;b|c d"), options={"case_sensitive": True}),
    Rule("harm", RuleKind.CATEGORY, ("violence",), options={"block": 0.8, "flag": 0.5}),
]


@pytest.mark.parametrize(("write", "name"), [(to_json, "rules.JSON"), (to_csv, "rules.csv")])
def test_what_is_written_is_read_back(write: object, name: str) -> None:
    assert read_file(write(RULES).encode(), name) == RuleFile(tuple(RULES))  # type: ignore[operator]


def test_levels_go_with_the_rules_or_alone_into_json() -> None:
    levels = {"slur": Level.STRONG, "insult": Level.OFF}
    assert read_file(to_json(RULES, levels).encode(), "a.json") == RuleFile(tuple(RULES), levels)
    assert read_file(to_json([], levels).encode(), "a.json") == RuleFile((), levels)
    assert read_file(b'{"levels": {"slur": "mild"}}', "a.json") == RuleFile((), {"slur": Level.MILD})


def test_a_plain_list_of_words_is_enough() -> None:
    assert read_file(b"\xef\xbb\xbfWord\ntoad\nnewt*\n", "list.csv").rules == (
        Rule("imported", RuleKind.WORDS, ("toad", "newt*")),
    )
    assert read_file(b'[{"name": "a", "kind": "words", "patterns": ["toad"]}]', "a.json").rules == (
        Rule("a", RuleKind.WORDS, ("toad",)),
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "not JSON"),
        ("a.json", "{}", "no list of rules"),
        ("a.json", '{"talewright_rules": 9, "rules": []}', "version 9"),
        ("a.json", "[]", "no rule"),
        ("a.json", '{"rules": [], "levels": {}}', "no rule"),
        ("a.json", '{"levels": []}', "“levels” has a level for each list"),
        ("a.json", '{"levels": {"toads": "off"}}', "no list “toads”"),
        ("a.json", '{"levels": {"slur": "inherit"}}', "level of “slur” can’t be “inherit”"),
        ("a.json", '{"levels": {"slur": 1}}', "can’t be “1”"),
        ("a.json", '{"levels": {"slur": ["off"]}}', "can’t be"),
        ("a.json", "[1]", "Rule 1 of the file"),
        ("a.json", '[{"name": "a", "kind": "words", "patterns": ["x"], "colour": 1}]', "no field “colour”"),
        ("a.json", '[{"name": "a", "kind": "magic"}]', "can’t be “magic”"),
        ("a.json", '[{"name": 5, "kind": "words"}]', "“name” is a text"),
        ("a.json", '[{"name": "a", "kind": "words", "patterns": ["x", 5]}]', "list of texts"),
        ("a.json", '[{"name": "a", "kind": "words", "bypass_roles": [true]}]', "list of numbers"),
        ("a.json", '[{"name": "a", "kind": "words", "options": [5]}]', "“options”"),
        ("a.json", '[{"name": "a", "kind": "regex", "patterns": ["(?=a)"]}]', "The rule “a”"),
        ("a.json", '[{"name": "a", "kind": "links"}, {"name": "A", "kind": "links"}]', "two rules"),
        ("a.csv", "name,kind\na,links\n", "no column “pattern”"),
        ("a.csv", "pattern,colour\na,b\n", "a column “colour”"),
        ("a.csv", "pattern\na,b\n", "Line 2 has more cells"),
        ("a.csv", 'pattern,options\na,"{"\n', "“options” must be JSON"),
        ("a.csv", "pattern,bypass_roles\na,mods\n", "ids of roles"),
        ("a.csv", "name,pattern,action\na,x,block\na,y,flag\n", "Line 3 says something else"),
        ("a.csv", 'pattern\n"a\n', "not CSV"),
        ("a.csv", "pattern\n", "no rule"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(name: str, text: str, said: str) -> None:
    with pytest.raises(RuleError, match="(?s).*" + said.replace("(", r"\(")):
        read_file(text.encode(), name)


def test_a_file_is_bounded_and_text() -> None:
    with pytest.raises(RuleError, match="larger"):
        read_file(b"x" * (MAX_FILE_BYTES + 1), "a.csv")
    with pytest.raises(RuleError, match="UTF-8"):
        read_file(b"\xff\xfe\x00", "a.csv")


def test_automods_rules_become_ours_as_far_as_they_can() -> None:
    rules, notes = translate(
        [
            AutoModRule(
                *("Words", Trigger.KEYWORDS, True, ("toad*", " newt ", "*"), (r"\d+x", "(?=a)")),
                allowed=("toadstool",),
                exempt_roles=frozenset({5}),
                has_exempt_channels=True,
            ),
            AutoModRule("Words", Trigger.KEYWORDS, False, ("eft",)),
            AutoModRule("Pings", Trigger.MENTIONS, True, mention_limit=4),
            AutoModRule("Bad", Trigger.PRESETS, True),
            AutoModRule("Spam", Trigger.OTHER, True),
        ]
    )
    assert rules == [
        Rule("Words", RuleKind.WORDS, ("toad*", "newt"), bypass_roles=frozenset({5})),
        Rule("Words (patterns)", RuleKind.REGEX, (r"\d+x",), bypass_roles=frozenset({5})),
        Rule("Words (allowed)", RuleKind.WORDS, ("toadstool",), action=Action.ALLOW),
        Rule("Words 2", RuleKind.WORDS, ("eft",), mode=Mode.OFF),
        Rule("Pings", RuleKind.MENTIONS, category="mentions", options={"max": 4}),
    ]
    assert [note.split("”")[0].split("“")[1] for note in notes] == ["Words", "Words (patterns)", "Words", "Bad", "Spam"]
