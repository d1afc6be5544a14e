"""Which words of dictionaries the lists would stop for a disguise, so that `lists/innocent.txt` can be kept.

    python -m bot.filters.innocence /usr/share/dict/words …

reads words, one a line, and writes those that stand in no list and yet are taken for a disguise or compound of a listed
one, and pairs of words that would be taken for a broken one. A word that is what it looks like belongs into
`lists/words_en.txt`; the others are innocent.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.filters.broken import splits_of
from bot.filters.lexicon import Lexicon
from bot.filters.ready import all_terms, innocent_words


def read_words(paths: Iterable[Path]) -> frozenset[str]:
    """Words of Latin letters, in small ones, of files (also `.gz`); the parts of what is written with hyphens or blanks
    are words of their own."""
    found: set[str] = set()
    for path in paths:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        found.update(word for word in text.lower().replace("-", " ").split() if _is_plain(word))
    return frozenset(found)


def mistaken(words: Iterable[str], lexicon: Lexicon) -> Iterator[str]:
    """Those that would be stopped though no list has them; inflections of a listed word are what they are."""
    for word in words:
        if not lexicon.whole(word) and lexicon.loosely(word):
            yield word


def mistaken_pairs(words: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Where one of the worst words is broken, two words of the dictionary are."""
    for term in all_terms():
        for first, second in splits_of(term):
            if first in words and second in words:
                yield first, second


def main(arguments: list[str] | None = None) -> None:
    """See the top of the file; without `arguments`, those of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bot.filters.innocence", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("words", type=Path, nargs="+", help="files with a word a line")
    parser.add_argument("--pairs", action="store_true", help="pairs that would be taken for a broken word instead")
    options = parser.parse_args(arguments)
    words = read_words(options.words)
    if options.pairs:
        found: Iterable[str] = {f"{first}+{second}" for first, second in mistaken_pairs(words)}
    else:
        found = mistaken(words, Lexicon(all_terms(), innocent_words()))
    for one in sorted(found):
        sys.stdout.write(one + "\n")


def _is_plain(word: str) -> bool:
    return word.isascii() and word.isalpha()


if __name__ == "__main__":
    main()
