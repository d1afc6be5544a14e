"""Text that was decoded with the wrong table ("mojibake"): mended where it can be, dropped where it cannot."""

from __future__ import annotations

import re

import ftfy

from models.train.data.cleaning.step import Step, change_all
from models.train.data.settings import EncodingSettings
from models.train.sources import Story

_CONFIG = ftfy.TextFixerConfig(uncurl_quotes=False, normalization=None, explain=False)
"""What else ftfy may do is done by the step of normal forms, where it can be switched off."""

# A typographic mark is three bytes in UTF-8. Read as Windows-1252 it becomes â, € and a third character; where that
# third one was then folded to plain ASCII, or lost for having no place in Windows-1252, ftfy cannot see what it was.
_FOLDED = (
    (re.compile('â€["”]'), "—"),
    (re.compile("â€-"), "–"),
    (re.compile(r"â€\.\.\."), "…"),
    (re.compile(r"(?<=\w)â€'(?=\w)"), "’"),
    (re.compile(r"(?<!\S)â€'(?=\w)"), "‘"),
    (re.compile("â€'"), "’"),
    (re.compile(r"(?<=\S)â€(?=[\s.,;:!?)\]]|\Z)"), "”"),
    (re.compile(r"(?<!\S)â€(?=[A-Za-z])"), "“"),
)
_BROKEN = re.compile("\ufffd|â€|Ã[\u0080-\u00bf\u0152-\u2122]|Â[\u0080-\u00bf](?=[\u0080-\u00ff])|[\u0080-\u009f]")


def encoding_step(settings: EncodingSettings) -> Step:
    """Mends every part of a story; drops it where debris is left, unless that is switched off."""

    def apply(story: Story) -> Story | None:
        mended = change_all(story, mend)
        return None if settings.drop_broken and is_broken(mended.text) else mended

    return Step("encoding", apply)


def mend(text: str) -> str:
    """The text as it was meant; unchanged where nothing is wrong with it."""
    if "â€" in text:
        for folded, mark in _FOLDED:
            text = folded.sub(mark, text)
    return ftfy.fix_text(text, _CONFIG)


def is_broken(text: str) -> bool:
    """Whether debris of a wrong decoding is left: replacement characters, control characters, `â€` and its like."""
    return _BROKEN.search(text) is not None
