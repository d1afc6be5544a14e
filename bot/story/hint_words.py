"""A hint as the bundled model was taught it: a few content words of the passage to come.

Members type sentences ("please let the fox find a golden key"); the model learned lists ("fox, find, golden, key").
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


MAX_WANTED = 6
"""As many as a hint of ours names. A worker takes up to 16, but a passage that must have so many is a list."""
MAX_WANTED_CHARS = 40
"""The worker's own limit for a word that should appear."""


def content_words(hint: str, limit: int) -> str:
    """The first `limit` distinct content words in their order, joined by commas; the whole hint where it has none."""
    kept = _distinct(hint)[:limit]
    return ", ".join(kept) if kept else " ".join(hint.split())


def wanted_words(hint: str) -> tuple[str, ...]:
    """The content words of a hint that the passage should have in it, at most `MAX_WANTED`; empty where it has none."""
    return tuple(word for word in _distinct(hint) if len(word) <= MAX_WANTED_CHARS)[:MAX_WANTED]


def _distinct(hint: str) -> list[str]:
    words = (word.replace("’", "'").lower() for word in _WORD.findall(hint))
    return list(dict.fromkeys(word for word in words if _is_content(word)))


def _is_content(word: str) -> bool:
    # English words of two letters are function words; in scripts without spaces a short run is a word like any other.
    return word not in FUNCTION_WORDS and not (word.isascii() and len(word) < 3)


# Words that carry no picture, and the words by which members address a storyteller rather than the story.
FUNCTION_WORDS = frozenset(
    """about above after again against all almost along already also although always and another any anybody anyone
    anything are aren't around away back because been before behind being below beside between both but came can can't
    cannot come comes could couldn't did didn't does doesn't doing don't done down during each either else enough even
    ever every everybody everyone everything few first for from gets give gives goes going gone got had has hasn't have
    haven't having he'd he'll he's her here hers herself him himself his how however i'd i'll i'm i've into isn't it'll
    it's its itself just last less let let's lets like little lot made make makes making many may maybe might more most
    much must my myself need needs neither never next nobody none nor not nothing now off often once one only onto other
    others our ours ourselves out over own perhaps put quite rather really said same say says shall she she'd she'll
    she's should shouldn't since some somebody someone something sometimes soon still such take takes than that that's
    the their theirs them themselves then there there's these they they'd they'll they're they've thing things this
    those though through till together too toward towards try turn turns two under until upon very want wanted wants was
    wasn't way we'd we'll we're we've well went were weren't what what's when where whether which while who who's whom
    whose why will with within without won't would wouldn't yes yet you you'd you'll you're you've your yours yourself
    add adds continue continues describe happen happens hint introduce mention next paragraph part passage please
    scene start starts story tell tells write writes""".split()
)
