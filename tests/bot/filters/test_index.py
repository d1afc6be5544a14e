"""The index of phrases finds what a plain search for each of them finds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.filters.index import PhraseIndex
from bot.filters.terms import MAX_GAP, Term, parse_term, split_words

WORDS = st.sampled_from(["a", "ab", "abc", "b", "ba", "c"])
PHRASES = st.lists(WORDS, min_size=2, max_size=5).map(" ".join)
GAPS = st.sampled_from([" ", " ", " ", "-", ", ", ". ", "\n", "    ", "’"])


@st.composite
def terms(draw: st.DrawFn) -> list[Term]:
    """With stars where the word beside them has two letters at least; in half of the lists none begins with one."""
    found = []
    may_begin = draw(st.booleans())
    for phrase in draw(st.lists(PHRASES, min_size=1, max_size=4)):
        before = "*" if may_begin and len(phrase.split()[0]) > 1 and draw(st.booleans()) else ""
        behind = "*" if len(phrase.split()[-1]) > 1 and draw(st.booleans()) else ""
        found.append(parse_term("x", before + phrase + behind))
    return found


def search(term: Term, text: str) -> set[tuple[int, int]]:
    """Each place of one phrase, word by word."""
    words = split_words(text)
    places = set()
    for first in range(len(words) - len(term.words) + 1):
        some = words[first : first + len(term.words)]
        gaps = [text[one.end : other.start] for one, other in pairwise(some)]
        fits = [one.text == wanted for one, wanted in zip(some, term.words, strict=True)]
        if term.is_suffix:
            fits[0] = some[0].text.endswith(term.words[0])
        if term.is_prefix:
            fits[-1] = some[-1].text.startswith(term.words[-1])
        if all(fits) and all(len(gap) <= MAX_GAP and ". " not in gap for gap in gaps):
            places.add((some[0].start, some[-1].end))
    return places


def spoken(term: Term) -> st.SearchStrategy[tuple[str, ...]]:
    """The words of a phrase, with something for its stars."""
    before, behind = (
        st.sampled_from(["", "b", "za"]) if has_star else st.just("") for has_star in (term.is_suffix, term.is_prefix)
    )
    first, *between, last = term.words
    return st.tuples(before, behind).map(lambda ends: (ends[0] + first, *between, last + ends[1]))


@settings(max_examples=300)
@given(terms(), st.data())
def test_it_finds_each_phrase_wherever_it_stands(some: list[Term], data: st.DataObject) -> None:
    listed = st.sampled_from([word for term in some for word in term.words])
    whole = st.sampled_from(some).flatmap(spoken)
    words = data.draw(st.lists(st.one_of(whole, st.tuples(st.one_of(WORDS, listed))), max_size=4))
    text = "".join(word + data.draw(GAPS) for piece in words for word in piece)
    found = {(number, start, end) for number, start, end in PhraseIndex(some).all_in(text)}
    assert found == {(number, *place) for number, term in enumerate(some) for place in search(term, text)}
