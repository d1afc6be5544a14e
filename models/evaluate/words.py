"""Texts as words, for every measure that counts words: one rule, said once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from nltk.stem.snowball import SnowballStemmer

WORD_RULE = "lower case; letters and digits with their apostrophes and hyphens are a word, every other mark is one too"
STEM_RULE = "Snowball stems (English) of whole words are equal"
SENTENCE_RULE = "the last marks are . ! ? or …, and closing quotes or brackets behind them"
_TOKEN = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]*_]*\s*\Z")

Gram = tuple[str, ...]


def words_of(text: str) -> list[str]:
    """Words and marks, by `WORD_RULE`."""
    return _TOKEN.findall(text.lower().replace("’", "'"))


def count_words(text: str) -> int:
    """Words between blanks."""
    return len(text.split())


def grams(words: Sequence[str], size: int) -> list[Gram]:
    """All runs of `size` words, in their order; none where there are fewer words."""
    return [tuple(words[i : i + size]) for i in range(len(words) - size + 1)]


def ends_whole(text: str) -> bool:
    """Whether the text ends with a whole sentence, by `SENTENCE_RULE`."""
    return bool(_SENTENCE_END.search(text))


def stems_of(text: str) -> frozenset[str]:
    """The stems of a text's words."""
    return frozenset(stem(word) for word in words_of(text))


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """By M. F. Porter's English Snowball rules (https://snowballstem.org/algorithms/english/stemmer.html)."""
    return str(_stemmer().stem(word.lower()))


@cache
def _stemmer() -> SnowballStemmer:
    return SnowballStemmer("english")
