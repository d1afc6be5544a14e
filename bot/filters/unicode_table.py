"""Makes the table of look-alikes from Unicode's own: ``python -m bot.filters.unicode_table confusables.txt``.

Taken are characters that UTS #39 says look like one to three ASCII letters, and that do not decompose into
them by themselves. Left out are the scripts below: nobody writes Latin with them (their text runs from right to left,
or their signs are digits and vowel signs of living languages), and their own words must stay what they are.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

TABLE = Path(__file__).parent / "lists" / "confusables.txt"
SOURCE_URL = "https://www.unicode.org/Public/security/14.0.0/confusables.txt"

_LEFT_OUT = (
    "ARABIC HEBREW DEVANAGARI BENGALI GUJARATI GURMUKHI ORIYA TAMIL TELUGU KANNADA MALAYALAM SINHALA THAI MYANMAR "
    "EXTENDED ETHIOPIC HANGUL CJK KATAKANA HIRAGANA NKO GEORGIAN TIRHUTA AHOM ARABIC-INDIC"
).split()

_NOTICE = """\
# Characters that look like Latin letters: what each line begins with, and the characters that look so.
# Made by bot/filters/unicode_table.py from Unicode's confusables.txt (UTS #39, version 14.0.0):
#
# © 2021 Unicode®, Inc.
# Unicode and the Unicode Logo are registered trademarks of Unicode, Inc. in the U.S. and other countries.
# For terms of use, see https://www.unicode.org/terms_of_use.html
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of the Unicode data files to deal in
# them without restriction, provided that this copyright and permission notice appear with all copies. They are
# provided "as is", without warranty of any kind.
"""


def make_table(source: str) -> str:
    """The table's text from that of confusables.txt."""
    likes: dict[str, list[str]] = {}
    for line in source.lstrip("\ufeff").splitlines():
        fields = [field.strip() for field in line.split("#")[0].split(";")]
        if len(fields) >= 2:
            character, target = _characters(fields[0]), _plain(_characters(fields[1]))
            if _is_wanted(character, target):
                likes.setdefault(_as_written(character, target), []).append(character)
    return _NOTICE + "".join(f"{target} {''.join(sorted(likes[target]))}\n" for target in sorted(likes))


def _characters(points: str) -> str:
    return "".join(chr(int(point, 16)) for point in points.split())


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(character for character in folded if not unicodedata.combining(character))


def _is_wanted(character: str, target: str) -> bool:
    return (
        len(character) == 1
        and 1 <= len(target) <= 3
        and target.isascii()
        and target.isalpha()
        and not _plain(character).isascii()
        and unicodedata.name(character, "").split(" ")[0] not in _LEFT_OUT
    )


def _as_written(character: str, target: str) -> str:
    """UTS #39 has one class for l, I and 1. A letter that is called an i is one."""
    name = unicodedata.name(character, "").split()
    return "i" if target == "l" and ("I" in name or "IOTA" in name) else target


def read_table() -> dict[int, str]:
    """Code point → what it looks like, for `str.translate`."""
    table: dict[int, str] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            target, _, likes = line.partition(" ")
            table.update(dict.fromkeys(map(ord, likes), target))
    return table


if __name__ == "__main__":
    TABLE.write_text(make_table(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8")
