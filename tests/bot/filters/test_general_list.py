"""The bundled list: what it stops and, as important in fairy tales, what it lets pass."""

from __future__ import annotations

import pytest

from bot.filters import Levels, TextKind, build_chain, compile_rules
from bot.filters.build import GENERAL
from bot.filters.words import load_words

CHAIN = build_chain([])
CATEGORIES = {"profanity", "slur", "sexual"}

INNOCENT = """
Scunthorpe Penistone Cockermouth Lightwater Clitheroe Sussex Essex Middlesex Arsenal Shitterton Dickens Hancock
Hitchcock Wankel Cummings Fukushima assassin assess assume bass brass class classic compass embarrass glass grass
harass mass massage pass passion cassock ass asses jackass cockerel cocktail peacock woodcock cock cockatoo cockle
shuttlecock weathercock tit tits titmouse titan title titillate pussycat pussy pussywillow booby nuthatch crapulent
analysis analyst banal canal cumulus document circumstance accumulate cucumber scum shiitake shitake mishit niggardly
niggle snigger sniggered spick spicy conspicuous despicable grapes drape rapeseed rapier therapist rapunzel
country count discount countess basement sextant sexton unisex sextet bitumen hoard horehound whorl swank swanky
twattle hello shell bastard damn bloody faggot faggots dyke chink raccoon coon queer gay gypsy retardant Titty Dick
Willy Fanny Roger knob prick pricked organ organism horny ejaculated intercourse naked breast bosom virgin bullock
""".split()


@pytest.mark.parametrize("word", INNOCENT)
def test_innocent_words_pass_in_every_case(word: str) -> None:
    for written in (word, word.upper(), word.capitalize(), f"“{word}!”", f"the {word}-like"):
        assert CHAIN.check(written, TextKind.PASSAGE).allowed, written


SENTENCES = [
    "The old ass brayed, and the cock crew thrice upon the weathercock.",
    "Pussy-cat, pussy-cat, where have you been? Pussy said nothing; the wet pussy shook herself.",
    "Hansel tied his faggots with a string. “I shall bring you faggots for the fire,” he said.",
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
    assert CHAIN.check(sentence, TextKind.CANDIDATE).allowed


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("What the fuck.", "profanity"),
        ("FUCKING hell", "profanity"),
        ("mother-fucker", "profanity"),
        ("bull5hit", "profanity"),
        ("$h!t", "profanity"),
        ("sh\u200bit", "profanity"),
        ("ｓｈｉｔ", "profanity"),
        ("𝖋𝖚𝖈𝖐", "profanity"),
        ("fu\u0336c\u0336k\u0336", "profanity"),
        ("fuсk", "profanity"),  # Cyrillic с
        ("🇫🇺🇨🇰", "profanity"),
        ("||fuck||", "profanity"),
        ("`fuck`", "profanity"),
        ("you son of a bitch", "profanity"),
        ("that bitch", "profanity"),
        ("a$$hole", "profanity"),
        ("nigger", "slur"),
        ("n1gg3rs", "slur"),
        ("you faggot!", "slur"),
        ("pornographic", "sexual"),
        ("a blow-job", "sexual"),
        ("wh0re", "sexual"),
    ],
)
def test_the_words_it_is_for_are_stopped(text: str, category: str) -> None:
    verdict = CHAIN.check(text, TextKind.HINT)
    assert (verdict.allowed, verdict.category) == (False, category)


def test_every_listed_term_is_stopped_and_by_its_own_category() -> None:
    for term in load_words(GENERAL):
        verdict = CHAIN.check(f"oh {term.written.rstrip('*')} oh", TextKind.PASSAGE)
        assert verdict.category == term.category, term


def test_every_listed_term_is_needed() -> None:
    """A term that another one already stops is dead weight, and hides that it could be taken out."""
    terms = load_words(GENERAL)
    assert {term.category for term in terms} == CATEGORIES
    for term in terms:
        without = compile_rules((), levels=Levels({}), extra_terms=[other for other in terms if other is not term])
        assert without.check(term.written.rstrip("*"), TextKind.PASSAGE).allowed, term
