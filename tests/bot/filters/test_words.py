"""The word list filter: what it finds, where, what it leaves alone, and the files it is made from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import ConfigError
from bot.filters import Levels, TextKind, build_chain, compile_rules
from bot.filters.drawn import read_symbols_as_letters
from bot.filters.normalise import normalise
from bot.filters.terms import parse_term
from bot.filters.words import load_words

TERMS = [
    parse_term(category, written)
    for category, written in [
        ("animal", "wolf"),
        ("animal", "wolves"),
        ("weather", "thunder*"),
        ("phrase", "once upon a time"),
        ("phrase", "big bad wol*"),
        ("foreign", "Übermut"),
        ("foreign", "नमस्ते"),
        ("number", "r2d2"),
    ]
]
FILTER = compile_rules((), levels=Levels({}), extra_terms=TERMS)


def found(text: str) -> tuple[str, str] | None:
    """The rule that refused and the part of the text that it names."""
    verdict = FILTER.check(text, TextKind.PASSAGE)
    if verdict.allowed:
        return None
    assert verdict.rule is not None
    return verdict.rule, text[verdict.start : verdict.end]


@pytest.mark.parametrize(
    ("text", "rule", "part"),
    [
        ("A wolf.", "wolf", "wolf"),
        ("wolf", "wolf", "wolf"),
        ("The Wolf’s den", "wolf", "Wolf"),
        ("_wolf_", "wolf", "wolf"),
        ("**w0lf**", "wolf", "w0lf"),
        ("were-wolf", "wolf", "wolf"),
        ("a w\u200bo\u0336l\u0337f\u0338\u0301 here", "wolf", "w\u200bo\u0336l\u0337f\u0338\u0301"),
        ("🦊 ＷＯＬＶＥＳ 🦊", "wolves", "ＷＯＬＶＥＳ"),
        ("Thunderstruck!", "thunder*", "Thunderstruck"),
        ("thunder", "thunder*", "thunder"),
        ("7hund3rbolt", "thunder*", "7hund3rbolt"),
        ("Now, once — upon a\n\ntime.", "once upon a time", "once — upon a\n\ntime"),
        ("once.upon.a.time", "once upon a time", "once.upon.a.time"),
        ("once upon once upon a time", "once upon a time", "once upon a time"),
        ("a BIG, bad wolfhound", "big bad wol*", "BIG, bad wolfhound"),
        ("ubermut", "Übermut", "ubermut"),
        ("u\u0308bermut", "Übermut", "u\u0308bermut"),
        ("वह नमस्ते बोला", "नमस्ते", "नमस्ते"),
        ("R2D2!", "r2d2", "R2D2"),
        ("wolf and thunder", "wolf", "wolf"),
    ],
)
def test_terms_are_found_where_they_stand(text: str, rule: str, part: str) -> None:
    assert found(text) == (rule, part)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wolfram",
        "werewolf",
        "wol",
        "athunder",
        "once upon the time",
        "once upon a ------ time",
        "Once upon a. Time passed.",
        "big bad",
        "upon a time",
        "नमस्तेजी",
        "100 455 $$$ !!!",
    ],
)
def test_parts_of_words_and_of_phrases_are_not_found(text: str) -> None:
    assert found(text) is None


def test_a_verdict_names_the_category_and_every_kind_is_judged_alike() -> None:
    verdicts = [FILTER.check("the wolf", kind) for kind in TextKind]
    assert {(v.category, v.rule, v.start, v.end) for v in verdicts} == {("animal", "wolf", 4, 8)}


NOISE = st.text(st.sampled_from("\u200b\u00ad\u0301\u0336\ufe0f\u2060"), max_size=3)
WRITINGS = {
    "w": "wWｗᴡ🅦Ԝ",
    "o": "oO0оΟｏ",
    "l": "lLｌӏʟ",
    "f": "fFｆꜰ𝐟",
}
DISGUISED = st.tuples(*(st.tuples(st.sampled_from(WRITINGS[letter]), NOISE) for letter in "wolf")).map(
    lambda pieces: "".join(letter + noise for letter, noise in pieces)
)
AROUND = st.text(st.characters(exclude_categories=("L", "N", "M", "S", "Cf", "Cc", "Lm")), max_size=30)


@given(AROUND, DISGUISED, AROUND)
@example(" ", "w0lf", "! ")
def test_a_disguised_term_is_found_and_the_hit_reads_as_the_term(before: str, word: str, after: str) -> None:
    text = f"{before} {word} {after}"
    verdict = FILTER.check(text, TextKind.HINT)
    assert (verdict.allowed, verdict.rule) == (False, "wolf")
    hit = normalise(text[verdict.start : verdict.end])
    assert "wolf" in (hit.text, read_symbols_as_letters(hit).text)


ANY = st.text(st.characters(exclude_categories=()), max_size=300)
MIXED = st.lists(
    st.sampled_from(["wolf", "w0lf", "thunder", "once upon", " a time", "\u0301", "\u200b", "5", "!", "ﬁ", " "])
)


@given(ANY | MIXED.map("".join))
def test_any_text_gets_a_verdict_whose_place_is_in_the_text_and_holds_the_term(text: str) -> None:
    verdict = FILTER.check(text, TextKind.CANDIDATE)
    if verdict.allowed:
        assert (verdict.category, verdict.rule, verdict.start, verdict.end) == (None, None, None, None)
        return
    assert verdict.start is not None
    assert verdict.end is not None
    assert 0 <= verdict.start < verdict.end <= len(text)
    hit = normalise(text[verdict.start : verdict.end])
    term = next(term for term in TERMS if term.written == verdict.rule)
    readings = (hit.text, read_symbols_as_letters(hit).text)
    assert all(any(word in reading for reading in readings) for word in term.words)


@given(ANY)
def test_the_bundled_chain_never_fails_on_a_text(text: str) -> None:
    assert CHAIN.check(text, TextKind.PASSAGE).category != "filter error"


CHAIN = build_chain([])


def test_a_file_has_categories_comments_and_blank_lines(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("\ufeff# ours\n\nanimal: wolf*\n  # more\nin this house : big: bad wolf \n", encoding="utf-8")
    terms = load_words(file)
    assert [(t.category, t.written, t.words, t.is_prefix) for t in terms] == [
        ("animal", "wolf*", ("wolf",), True),
        ("in this house", "big: bad wolf", ("big", "bad", "wolf"), False),
    ]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("wolf", "`category: word`"),
        (": wolf", "`category: word`"),
        ("animal:", "at least one letter"),
        ("animal: !?", "at least one letter"),
        ("animal: *", "beside the *"),
        ("animal: wolf *", "beside the *"),
        ("animal: * wolf", "beside the *"),
        ("animal: w*lf*", "only at the very beginning or end"),
        ("animal: w*", "at least 2 letters"),
    ],
)
def test_a_bad_line_is_named_with_its_file_number_and_what_was_wanted(tmp_path: Path, line: str, wanted: str) -> None:
    file = tmp_path / "words.txt"
    file.write_text(f"animal: fox\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        load_words(file)
    assert caught.value.name == "FILTER_WORDS"
    for part in (str(file), "line 2", repr(line), wanted):
        assert part in str(caught.value)


@pytest.mark.parametrize("content", [None, b"animal: \xff\xfe wolf"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "words.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"words\.txt"):
        build_chain([file])


def test_the_hosts_lists_come_on_top_of_the_bundled_one(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("house rule: wolf\n")
    chain = build_chain([file])
    assert chain.check("a wolf", TextKind.HINT).category == "house rule"
    assert chain.check("bullshit", TextKind.HINT).category == "profanity"


def test_a_long_text_of_beginnings_of_a_phrase_is_read_in_steps_that_do_not_grow(tmp_path: Path) -> None:
    """Ten thousand terms and a text made to restart the longest phrase at every word."""
    file = tmp_path / "words.txt"
    file.write_text("".join(f"many: {'a ' * 5}b{number}\n" for number in range(10_000)))
    chain = build_chain([file])
    assert chain.check("a " * 50_000, TextKind.PASSAGE).allowed
    assert chain.check("a " * 50_000 + "b9999", TextKind.PASSAGE).start == 2 * (50_000 - 5)
