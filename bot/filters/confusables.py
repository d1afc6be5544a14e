"""Characters that pass for Latin letters: the ones that people use to write a word past a filter, and no more.

Accented, wide, bold and circled letters are not here: Unicode itself decomposes them. In the other scripts a capital
and its small letter look like different Latin ones (В is a B, в is none), so each row keeps to one case.
"""

from __future__ import annotations

import string

_ROWS = (
    ("АВЕЅІЈКМНОРСТХУԚԜ", "abesijkmhopctxyqw"),  # Cyrillic capitals
    ("аеорсухѕіјкԛԝһӏ", "aeopcyxsijkqwhl"),  # Cyrillic small letters
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abezhikmnoptyx"),  # Greek capitals
    ("αεικνορτυχ", "aeikvoptux"),  # Greek small letters
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz"),  # small capitals
    ("ɑɡıøłđħŧƒɩ", "agioldhtfi"),  # Latin letters that have no decomposition
    *(  # white on black circles and squares, and the letters that flags are made of
        ("".join(chr(first + i) for i in range(26)), string.ascii_lowercase) for first in (0x1F150, 0x1F170, 0x1F1E6)
    ),
)

LOOK_ALIKES = {ord(like): latin for likes, latins in _ROWS for like, latin in zip(likes, latins, strict=True)}
"""Code point → Latin small letter, for `str.translate`."""

LETTERS_AS = str.maketrans("01345789@$!+€", "oieastbgasite")
"""Digits and symbols that stand for letters inside a word: 5 for s in 5hut. Code points, for `str.translate`."""

NEVER_LAST = "!+"
"""Those that after a word are only punctuation."""
