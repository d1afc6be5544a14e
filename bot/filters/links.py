"""Links, invitations and mentions in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MENTION_NAMES = ("users", "roles", "everyone")

_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.){1,8}[a-z][a-z0-9-]{0,22}[a-z]")
_CODE = re.compile(r"[A-Za-z0-9-]{2,64}")
# Endings that are no words of a language, so that a missing blank after a full stop makes no link ("end.It was").
_ENDINGS = (
    "com net org gg io dev app xyz info biz ru uk de fr nl pl jp cn eu us ca au br ir tv cc ly co edu gov mil onion "
    "online site shop club link page blog wiki games chat live video fun top icu vip pro store tech cloud zip mov"
).split()
_DOT = r"(?:\.|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\))"
_LABELS = rf"(?:[a-z0-9_-]{{1,63}}{_DOT}){{1,8}}"
_TAIL = r"(?::\d{1,5})?(?:[/?#][^\s<>|)\]]*)?"
_LINK = re.compile(
    # With a scheme, anything that follows is a link; without one the ending has to be known.
    rf"h(?:tt|xx)ps?:/{{1,3}}(?:[^\s/@<>]{{1,100}}@)?(?P<host>{_LABELS}[a-z0-9-]{{2,24}}|localhost|\[[0-9a-f:.]+\]){_TAIL}"
    rf"|(?<![a-z0-9@_.-])(?P<bare>{_LABELS}(?:{'|'.join(_ENDINGS)}))(?![a-z0-9_-]){_TAIL}"
)
_REAL_DOT = re.compile(_DOT)
_INVITE = re.compile(
    r"(?:discord(?:app)?\s{0,2}[.,]\s{0,2}com\s{0,2}/\s{0,2}invite|discord\s{0,2}[.,]\s{0,2}gg|dsc\s{0,2}\.\s{0,2}gg"
    r"|discord\s{0,2}\.\s{0,2}(?:me|io|li)|invite\s{0,2}\.\s{0,2}gg)\s{0,2}/\s{0,2}(?P<code>[a-z0-9-]{2,64})"
)
_MENTION = re.compile(r"<@(?P<role>&)?!?\d{1,20}>|@(?P<all>everyone|here)\b")


class Place(NamedTuple):
    """A find and where it is; `what` is a domain, an invitation's code, or the name of a kind of mention."""

    what: str
    start: int
    end: int


def is_domain(written: str) -> bool:
    """Whether it reads as `example.com`."""
    return _DOMAIN.fullmatch(written.lower()) is not None


def is_invite_code(written: str) -> bool:
    """Whether it can follow discord.gg/."""
    return _CODE.fullmatch(written) is not None


def find_links(folded: str) -> Iterator[Place]:
    """Links in a folded text, also without a scheme, with [.] for the dot and hxxp for http."""
    for match in _LINK.finditer(folded):
        host = _REAL_DOT.sub(".", match["host"] or match["bare"])
        yield Place(host, match.start(), match.end())


def is_under(host: str, domain: str) -> bool:
    """Whether the host is the domain or within it."""
    return host == domain or host.endswith("." + domain)


def find_invites(folded: str) -> Iterator[Place]:
    """Invitations to servers in a folded text."""
    for match in _INVITE.finditer(folded):
        yield Place(match["code"], match.start(), match.end())


def find_mentions(text: str) -> Iterator[Place]:
    """Mentions as Discord reads them, so in the original text."""
    for match in _MENTION.finditer(text):
        what = "everyone" if match["all"] else "roles" if match["role"] else "users"
        yield Place(what, match.start(), match.end())
