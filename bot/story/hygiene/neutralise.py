"""Text as it may be shown on Discord: read, and nothing more.

Sending without allowed mentions keeps a text from pinging; this keeps it from looking as if it did, from linking
anywhere, and from breaking the layout around it. Nothing here depends on invisible characters, which a copy of the
text would carry along: live characters are replaced by look-alikes or escaped with a backslash.
"""

from __future__ import annotations

import re

from bot.story.hygiene.characters import plain_characters

REMOVED_LINK = "(link removed)"

_BLANK_LINES = re.compile(r"\n\s*\n")
_MASKED_LINK = re.compile(r"\[([^\[\]\n]*)\]\(\s*<?[^\s()<>]*>?[^()\n]{0,200}\)")
# Any scheme, also glued to a word; and invites, which Discord's clients make live without a scheme.
_LINK = re.compile(
    r"""<?
    (?: (?<![\w+.-])[\w+.-]*+://
      | (?<!\w)www\.(?=\w)
      | (?: discord(?:app)?\.com/invite | discord\.(?:gg|me|io|li|new|gift) | dsc\.gg | invite\.gg ) /
    )
    (?: [^\s<>]* [^\s<>.,;:!?'")\]*_] )? >?""",
    re.VERBOSE | re.IGNORECASE,
)
_ENTITIES = (
    (re.compile(r"<@&\d+>"), "＠role"),
    (re.compile(r"<@!?\d+>"), "＠member"),
    (re.compile(r"<#\d+>"), "#channel"),
    (re.compile(r"<(/[^\n<>:]{1,100}):\d+>"), r"\1"),
    (re.compile(r"<t:-?\d+(?::\w)?>"), "(time)"),
    (re.compile(r"<a?(:\w{1,64}:)\d+>"), r"\1"),
)
# What would still begin an entity, an address or a phone number for Discord.
_LIVE_BRACKET = re.compile(r"<(?=[#/:&!+]|[A-Za-z][\w+.-]{0,30}:)")
# A backslash pair is consumed first, so that what is escaped already stays as it is.
_LIVE_MARK = re.compile(r"\\[^\w\s]|`|\|{2,}")
_BLOCK_START = re.compile(r"^([^\S\n]*)(#{1,3}|-\#|>>>|>|[-*+])(?=\s|\Z)", re.MULTILINE)
_LIST_NUMBER = re.compile(r"^([^\S\n]*\d{1,9})([.)])(?=\s|\Z)", re.MULTILINE)


def neutralise(text: str) -> str:
    """The text so that Discord shows it and nothing more: no mention, link, invite or block markdown is live in it.

    Emphasis by * and _ stays. Entities become words ("＠member"), links "(link removed)"; headings, lists, quotes, code
    and spoilers lose their effect and keep their characters. At most one blank line stands between lines. The result
    can be longer than the text. Idempotent.
    """
    text = _BLANK_LINES.sub("\n\n", plain_characters(text)).strip()
    return _escape_blocks(_escape_marks(_defuse_entities(_defuse_links(text))))


def _defuse_links(text: str) -> str:
    text = _LINK.sub(REMOVED_LINK, _MASKED_LINK.sub(r"\1", text))
    return text.replace("](", "] (")


def _defuse_entities(text: str) -> str:
    for pattern, words in _ENTITIES:
        text = pattern.sub(words, text)
    return _LIVE_BRACKET.sub("‹", text.replace("@", "＠"))


def _escape_marks(text: str) -> str:
    return _LIVE_MARK.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    mark = found.group()
    return mark if mark.startswith("\\") else "".join(f"\\{char}" for char in mark)


def _escape_blocks(text: str) -> str:
    return _LIST_NUMBER.sub(r"\1\\\2", _BLOCK_START.sub(r"\1\\\2", text))
