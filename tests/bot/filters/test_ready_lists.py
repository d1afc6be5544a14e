"""The ready-made lists: what they stop, at which level, and, as important in fairy tales, what they let pass."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bot.filters import Level, Levels, Severity, TextKind, Tier, compile_rules
from bot.filters.levels import LISTED
from bot.filters.ready import LISTS, all_terms, innocent_words

ROOT = Path(__file__).resolve().parents[3]

RULES = compile_rules(())

INNOCENT = """
Scunthorpe Penistone Cockermouth Lightwater Clitheroe Sussex Essex Middlesex Arsenal Dickens Hancock
Hitchcock Wankel Cummings Fukushima assassin assess assume bass brass class classic compass embarrass glass grass
harass mass massage pass passion cassock cockerel cocktail peacock woodcock cockatoo cockle
shuttlecock weathercock titmouse titan title titillate pussycat pussywillow nuthatch
analysis analyst banal canal cumulus document circumstance accumulate cucumber scum shiitake shitake mishit niggardly
niggle snigger sniggered spicy conspicuous despicable grapes drape rapeseed rapier therapist
country count discount countess basement sextant sexton unisex sextet bitumen hoard horehound whorl swank swanky
twattle hello shell raccoon gay gypsy retardant organ organism virginal bullock
""".split()


@pytest.mark.parametrize("word", INNOCENT)
def test_innocent_words_pass_in_every_case(word: str) -> None:
    for written in (word.upper(), word.capitalize(), f"the {word}-like"):
        assert RULES.check(f"{written} there", TextKind.PASSAGE).allowed, written


IN_STORIES = """
ass asses jackass cock cocks tit tits pussy booby damn hell bloody bastard dyke chink coon queer Dick Willy
Fanny knob prick pricked horny
ejaculated intercourse naked breast bosom virgin butt suck stupid idiot fat ugly slave
""".split()


@pytest.mark.parametrize("word", IN_STORIES)
def test_words_with_an_innocent_life_pass_in_a_sentence(word: str) -> None:
    assert RULES.check(f"So the old {word} went down to the river again.", TextKind.PASSAGE).allowed


@pytest.mark.parametrize("word", ["ass", "Cock!", "“Dick.”", "pussy", "tits", "A$$"])
def test_such_a_word_is_stopped_where_it_is_all_of_the_text(word: str) -> None:
    assert not RULES.check(word, TextKind.HINT).allowed


@pytest.mark.parametrize("word", ["c0ck", "d1ck", "pu$$y", "@ss", "t1ts", "c.o.c.k"])
def test_and_in_a_disguise_since_nobody_disguises_the_bird(word: str) -> None:
    assert not RULES.check(f"So the old {word} went down to the river again.", TextKind.PASSAGE).allowed


SENTENCES = [
    "The old ass brayed, and the cock crew thrice upon the weathercock.",
    "Pussy-cat, pussy-cat, where have you been? Pussy said nothing; the wet pussy shook herself.",
    "Dick picked up his bundle, and Dick Whittington went to London.",
    "They took Jack off the ship. With a jerk, off went the cart.",
    "She washed the dirty jewels until all was spic and span.",
    "“What!” he ejaculated. “A chink in the wall of the dyke!”",
    "In 1984 he had 455 sheep, $50, and a 4x4; the 1st, 2nd and 8th were his.",
    "A blow! Job’s patience was at an end.",
    "He was called a bastard, for the king was his father.",
    "Мальчик сказал: «Это мой дом, а тут сосна, и кот на ней».",
    "Το παιδί είπε στη μητέρα του: και τι θα φάμε τώρα;",
    "Der Dickhäuter fuhr nach Wien, und die Fähre legte ab.",
    "हिन्दी में एक कहानी थी।",
    "昔々、あるところに、おじいさんとおばあさんが住んでいました。",
    "🦊👩‍👩‍👧 🇬🇧 🇮🇹 ❤️‍🔥",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_innocent_sentences_pass(sentence: str) -> None:
    assert RULES.check(sentence, TextKind.CANDIDATE).allowed


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("What the fuck.", "profanity"),
        ("mother-fucker", "profanity"),
        ("bull5hit", "profanity"),
        ("you son of a bitch", "profanity"),
        ("nigger", "slur"),
        ("n1gg3rs", "slur"),
        ("you faggot!", "slur"),
        ("pornographic", "sexual"),
        ("a blow-job", "sexual"),
        ("wh0re", "sexual"),
        ("Go and kill yourself.", "violence"),
        ("卐", "slur"),
    ],
)
def test_the_words_it_is_for_are_stopped(text: str, category: str) -> None:
    verdict = RULES.check(text, TextKind.HINT)
    assert verdict.allowed is False
    assert category in {hit.category for hit in verdict.hits}


def test_every_listed_term_is_stopped_by_itself() -> None:
    for term in all_terms():
        verdict = RULES.check(term.written.strip("*"), TextKind.PASSAGE)
        assert not verdict.allowed, term
        assert {hit.term for hit in verdict.hits} & {term.written}, term


def test_no_term_is_listed_twice_in_a_category() -> None:
    terms = [(term.category, term.written) for term in all_terms()]
    assert sorted({term for term in terms if terms.count(term) > 1}) == []


def test_the_lists_have_the_categories_that_levels_name() -> None:
    terms = all_terms()
    assert {term.category for term in terms} == set(LISTED)
    # But for what would be a broken one, `pen+is`, all are single words.
    assert not {word for word in innocent_words() if not all(map(str.isalpha, word.split("+")))}


def test_a_level_stops_its_severity_and_what_is_worse() -> None:
    assert [Level.MODERATE.stops(severity) for severity in Severity] == [False, True, True]
    assert not any(Level.OFF.stops(severity) for severity in Severity)
    text = "You asshole."
    for level, is_allowed in ((Level.OFF, True), (Level.STRONG, True), (Level.MODERATE, False), (Level.MILD, False)):
        chosen = Levels({"profanity": level})
        assert compile_rules((), levels=chosen).check(text, TextKind.HINT).allowed is is_allowed


def test_a_wider_tier_stops_less() -> None:
    texts = ["What the fuck.", "You asshole.", "stupid", "a blow-job", "nigger", "Go kill yourself."]
    allowed = {tier: [compile_rules((), tier).check(text, TextKind.HINT).allowed for text in texts] for tier in Tier}
    assert allowed[Tier.GENERAL] == [False] * 6
    assert allowed[Tier.TEEN] == [False, False, True, False, False, False]
    assert allowed[Tier.MATURE] == [True, True, True, False, False, False]


def test_the_notices_of_the_sources_lie_beside_the_lists_and_are_packaged() -> None:
    notice = (LISTS / "NOTICE.txt").read_text(encoding="utf-8")
    for part in ("Copyright (c) 2021 Finn Bear", "Copyright (c) 2021 Surge AI", "Shutterstock", "licenses/by/4.0/"):
        assert part in notice
    assert notice.count("The above copyright notice and this permission notice shall be included in all") == 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "lists/*.txt" in project["tool"]["setuptools"]["package-data"]["bot.filters"]
