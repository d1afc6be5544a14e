"""Titles as a reader would write them: no shouting, no stray full stop."""

from __future__ import annotations

import re

ROMAN = re.compile(r"(?=[MDCLXVI])M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})", re.IGNORECASE)
SMALL_WORDS = frozenset("a an and as at but by for from in into nor of on or the to upon with".split())


def tidy_title(title: str) -> str:
    """One line, without a full stop at the end; a title in capitals gets ordinary ones."""
    title = " ".join(title.split())
    if title.startswith("[") and title.endswith("]"):
        title = title[1:-1]
    if title.endswith(".") and not title.endswith("..") and title.count(".") == 1:
        title = title[:-1]
    return title_case(title) if title.isupper() else title


def title_case(title: str) -> str:
    """``THE RABBIT-HOLE: CHAPTER II`` → ``The Rabbit-Hole: Chapter II``."""
    words = title.split()
    return " ".join(_word_case(word, first=i == 0 or words[i - 1][-1] in ":.!?") for i, word in enumerate(words))


def _word_case(word: str, *, first: bool) -> str:
    bare = word.strip("\"'“”‘’()[].,:;!?")
    if ROMAN.fullmatch(bare) and bare not in {"MIX", "DIM", "MILD", "I'LL"}:
        return word
    if not first and bare.lower() in SMALL_WORDS:
        return word.lower()
    return re.sub(r"(^|[-—\"“‘(\[])(\w+)", _capital, word.lower())


def _capital(part: re.Match[str]) -> str:
    """``grassley-in-the-hole``: small words stay small inside a compound."""
    mark, word = part.groups()
    is_small = mark == "-" and word in SMALL_WORDS
    return mark + (word if is_small else word[:1].upper() + word[1:])
