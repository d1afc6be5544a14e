"""One way to write the same text: composed characters, one kind of space, one kind of line end."""

from __future__ import annotations

import re
import unicodedata

from models.train.data.cleaning.step import Step, change_all
from models.train.data.settings import NormalFormSettings

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
"""Soft hyphens, zero-width spaces, marks of direction, byte order marks. Joiners stay: scripts and emoji need them."""
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")
_PLAIN = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "–": "-", "—": "--", "…": "..."}
)


def normal_form_step(settings: NormalFormSettings) -> Step:
    """Every part of a story in normal form; with `plain_quotes` in ASCII's quotes and dashes."""

    def change(text: str) -> str:
        text = normal_form(text)
        return text.translate(_PLAIN) if settings.plain_quotes else text

    return Step("normal_form", lambda story: change_all(story, change))


def normal_form(text: str) -> str:
    """Unicode's NFC (UAX #15), single spaces, lines without edges of space, at most one blank line in a row."""
    text = _LINE_END.sub("\n", unicodedata.normalize("NFC", text))
    text = _SPACES.sub(" ", _CONTROL.sub("", _INVISIBLE.sub("", text)))
    text = re.sub(r" ?\n ?", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
