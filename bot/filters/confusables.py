"""Characters that pass for Latin letters: Unicode's look-alikes, and the ones that people use besides.

Accented, wide, bold and circled letters are not here: Unicode itself decomposes them. In the other scripts a capital
and its small letter look like different Latin ones (В is a B, в is none), so each row keeps to one case.
"""

from __future__ import annotations

import string

from bot.filters.unicode_table import read_table

_ROWS = (
    ("АВЕЅІЈКМНОРСТХУԚԜ", "abesijkmhopctxyqw"),  # Cyrillic capitals
    ("аеорсухѕіјкԛԝһӏ", "aeopcyxsijkqwhl"),  # Cyrillic small letters
    ("ҚқҜҝҞҟҠҡҒғҲҳҺҮҰӨ", "kkkkkkkkffxxhyyo"),  # Cyrillic letters of other languages
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx"),  # Greek capitals
    ("αεικνορτυχ", "aeikvoptux"),  # Greek small letters
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),  # small capitals
    ("ɑɡıøłđħŧƒɩғʝ", "agioldhtfifj"),  # Latin letters that have no decomposition
    ("ᑕᗩᒪᕼᑎᔕᗯᗰ", "calhnswm"),  # Canadian syllabics
    ("卂乃匚乇千卄丨ㄥ爪几卩尺丂丅ㄩ山乂ㄚ乙", "abcefhilmnprstuwxyz"),  # of Chinese, as ready-made “fonts” use them
    *(  # white on black circles and squares, and the letters that flags are made of
        ("".join(chr(first + i) for i in range(26)), string.ascii_lowercase) for first in (0x1F150, 0x1F170, 0x1F1E6)
    ),
)

LOOK_ALIKES: dict[int, str] = read_table() | {
    ord(like): latin for likes, latins in _ROWS for like, latin in zip(likes, latins, strict=True)
}
"""Code point → Latin small letters, for `str.translate`."""

LETTERS_FOR = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "gb",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "ao",
    "$": "s",
    "!": "il",
    "+": "t",
    "€": "e",
    "£": "l",
    "¥": "y",
    "|": "il",
    "¦": "i",
    "¡": "i",
    "<": "c",
    "(": "c",
    "^": "a",
    "%": "x",
    "&": "a",
    "§": "s",
    "#": "h",
}
"""What each digit or symbol may stand for inside a word, the likelier first."""

SEVERAL_FOR_ONE = (
    ("/\\/\\", "m"),
    ("|\\/|", "m"),
    ("/\\/", "n"),
    ("|\\|", "n"),
    ("/\\|", "n"),
    ("\\/\\/", "w"),
    ("|-|", "h"),
    ("/-/", "h"),
    ("|<", "k"),
    ("|{", "k"),
    ("|)", "d"),
    ("|>", "p"),
    ("l3", "b"),
    ("|3", "b"),
    ("13", "b"),
    ("b8", "bate"),
    ("/\\", "a"),
    ("\\/", "v"),
    ("()", "o"),
    ("[]", "o"),
    ("_|_", "t"),
    ("|_|", "u"),
    ("(_)", "u"),
    ("[_]", "u"),
    ("vv", "w"),
)
"""Letters drawn with several signs."""
