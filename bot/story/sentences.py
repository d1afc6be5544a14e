"""Where sentences end.

English prose first: titles and initials ("Mr. J. Fox"), decimals, numbers of lists, ellipses, speech with its closing
quotes, and speech that is followed by who said it ("Go away!" said the fox.). Full stops of Chinese and Japanese need
no blank after them. In doubt there is no end: a text that is cut here loses a sentence rather than keeps half of one.
"""

from __future__ import annotations

import re
from itertools import pairwise

_CLOSERS = r"\"'”’»›)\]}」』】）*_~"
# A full stop, its closing quotes, and marks that belong to the last character (so that no grapheme is split).
_STOP = re.compile(
    rf"""
    (?P<wide> [。！？｡]+ (?: [{_CLOSERS}] | “(?=[{_CLOSERS}“]*(?:\s|\Z)) )* )
    | (?P<mark> [.!?…‽⁇⁈⁉؟۔।॥]+ | (?: [—–] | --+ )+ (?=["”’'»」』]) )
      (?: [{_CLOSERS}“] | [ \u00a0\u202f]» )*
    """,
    re.VERBOSE,
)
_EXTENDERS = re.compile(r"[\u0300-\u036f\u20d0-\u20f0\u3099\u309a\ufe00-\ufe0f\u200d]*")
_FOLLOWING = re.compile(r"(?P<gap>\s*)[\"'“‘„«‹(\[{「『*_~—–-]*(?P<letter>\w?)")
_WORD_BEFORE = re.compile(r"[\w.'’-]*\Z")
_LONGEST_ABBREVIATION = 24
_INITIAL = re.compile(r"[^\W\d_]")
_DOTTED = re.compile(r"(?:\w\.)+\w")
_LIST_NUMBER = re.compile(r"[ \t]*(?:\d{1,3}|[IVXLC]{1,6}|[a-z])\Z")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")

TITLES = frozenset(
    """mr mrs ms messrs mme mlle dr prof rev hon capt cpt col gen lt sgt maj cmdr adm gov pres sen rep supt st mt ft
    fr bro mgr msgr viz vs cf ca approx""".split()
)
"""What always stands before something: a full stop after these never ends a sentence."""
BEFORE_NUMBERS = frozenset("no nos vol ch fig p pp sec art".split())
"""These are abbreviations only where a number follows: "No. 5", but "No." is a whole answer."""
TIMES = frozenset({"a.m", "p.m"})


def sentence_ends(text: str) -> list[int]:
    """Offsets right after each whole sentence, with its closing quotes; ascending."""
    ends: list[int] = []
    begin = 0
    for stop in _STOP.finditer(text):
        end = _extend(text, stop.end())
        # "…", "* * *" or the "2." of a list is no sentence: there must be a word in it.
        if _is_end(text, stop, end) and any(c.isalpha() for c in text[begin : stop.start()]):
            ends.append(end)
            begin = end
    return ends


def split_sentences(text: str) -> list[str]:
    """The sentences without the blanks around them; a rest that is no whole sentence comes last."""
    borders = [0, *sentence_ends(text), len(text)]
    pieces = (text[begin:end].strip() for begin, end in pairwise(borders))
    return [piece for piece in pieces if piece]


def count_words(text: str) -> int:
    """Words between blanks; in scripts without blanks every character counts as one."""
    return sum(1 for _ in _WORD.finditer(text))


def _extend(text: str, end: int) -> int:
    extended = _EXTENDERS.match(text, end)
    return extended.end() if extended else end


def _is_end(text: str, stop: re.Match[str], end: int) -> bool:
    if stop["wide"]:
        return True
    following = _FOLLOWING.match(text, end)
    gap, letter = (following["gap"], following["letter"]) if following else ("", "")
    if end < len(text) and not gap:
        return False  # 3.5, U.S.A, a quote that opens
    if "\n\n" not in gap and letter.islower():
        return False  # "Go away!" said the fox; well... yes
    return stop["mark"] != "." or not _is_abbreviation(text, stop, letter)


def _is_abbreviation(text: str, stop: re.Match[str], letter: str) -> bool:
    dot = stop.start()
    found = _WORD_BEFORE.search(text, max(0, dot - _LONGEST_ABBREVIATION), dot)
    word = found.group().lstrip(".'’-") if found else ""
    lower = word.lower()
    if lower in TITLES or (lower in BEFORE_NUMBERS and letter.isdigit()):
        return True
    if _INITIAL.fullmatch(word):
        # "So did I." and “Plan B.” end; "J. Fox" does not.
        return _is_list_number(text, dot) or (word != "I" and stop.end() == dot + 1)
    if _DOTTED.fullmatch(word):
        return lower not in TIMES
    return _is_list_number(text, dot)


def _is_list_number(text: str, dot: int) -> bool:
    line_start = text.rfind("\n", 0, dot) + 1
    return dot - line_start < _LONGEST_ABBREVIATION and bool(_LIST_NUMBER.match(text, line_start, dot))
