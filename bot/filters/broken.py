"""The worst words broken by a blank: "ass hole" is one word wherever it stands, "pen is" is two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.filters.terms import Term

LEAST_BROKEN = 5
"""Letters of a word that is looked for with a blank within."""
LEAST_PIECE = 2


def splits_of(term: Term) -> Iterator[tuple[str, str]]:
    """Both pieces of one of the worst words, for each place where a blank may break it."""
    if not term.is_core or term.is_ambiguous or len(term.words) != 1 or not term.words[0].isalpha():
        return
    word = term.words[0]
    if len(word) >= LEAST_BROKEN:
        for at in range(LEAST_PIECE, len(word) - LEAST_PIECE + 1):
            yield word[:at], word[at:]


def broken_terms(term: Term, innocent: frozenset[str]) -> Iterator[Term]:
    """The phrases that the term is when a blank breaks it, but for two words that stand in a row innocently: `pen+is`
    among the innocent."""
    for first, second in splits_of(term):
        if f"{first}+{second}" not in innocent:
            yield replace(term, words=(first, second), is_prefix=False, is_suffix=False)
