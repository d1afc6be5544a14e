"""Says when texts repeat: themselves, canon, or each other.

Texts are compared as sequences of plain words: case, punctuation and quotation marks do not make a text new.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import Indel

from bot.story.sentences import split_sentences

Words = tuple[str, ...]

DUPLICATE_THRESHOLD = 0.6
"""Neighbouring passages of real stories reach 0.37 at most (780 pairs measured), so this leaves a wide gap."""
CANON_THRESHOLD = 0.4
SHINGLE_WORDS = 3
"""Runs of three words: continuations of one story share names and pairs of words, seldom threes."""
CANON_SHINGLE_WORDS = 5
"""Longer runs against canon: a fairy tale says "the king of the" in every passage."""
SENTENCE_WORDS = 5
"""Shorter sentences ("No!", "He ran and ran.") may come back in good prose."""
LOOP_TURNS = {1: 6, 2: 6, 3: 3, 4: 3, 5: 3}
"""How often so many words must follow each other to be a loop; longer runs twice. Two words are emphasis for long."""
LONGEST_LOOP_WORDS = 30

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


class Reason(StrEnum):
    """Why a draft was not kept."""

    LOOPS = "it repeats itself"
    REPEATS_CANON = "it repeats the story"
    TELLS_AHEAD = "it tells what comes after"
    TOO_SIMILAR = "it is too similar to another candidate"
    UNCHANGED = "it changes no word"
    SPARE = "enough others were kept"


@dataclass(frozen=True)
class Picked:
    """Indexes of the kept drafts in their given order, and a reason for each of the others."""

    kept: tuple[int, ...]
    dropped: Mapping[int, Reason]


def plain_words(text: str) -> Words:
    """The words without case and punctuation; an apostrophe joins ("didn't" is one word)."""
    return tuple(_WORD.findall(re.sub(r"(?<=\w)['’](?=\w)", "", text.casefold())))


def similarity(text: str, other: str) -> float:
    """How alike two texts are, from 0 to 1; 1 too where one is a beginning, an end or a middle of the other.

    The larger of two measures: words in the same order (rapidfuzz's indel similarity on word sequences), and the share
    of the shorter text's runs of words that the longer one has. The first sees a text with a word changed in every
    run, the second one whose sentences were moved.
    """
    ours, theirs = plain_words(text), plain_words(other)
    if not ours or not theirs:
        return float(ours == theirs)
    shorter, longer = sorted((shingles(ours, SHINGLE_WORDS), shingles(theirs, SHINGLE_WORDS)), key=len)
    return max(Indel.normalized_similarity(ours, theirs), len(shorter & longer) / len(shorter))


def too_similar(text: str, others: Iterable[str], threshold: float = DUPLICATE_THRESHOLD) -> bool:
    """Whether `text` is nearly one of `others`, in words. `threshold` is from 0 (anything is) to 1 (only the same)."""
    return any(similarity(text, other) >= threshold for other in others)


def loops(text: str) -> bool:
    """Whether the text goes round in circles as a stuck model does.

    Either a sentence comes back word for word, or the same few words follow each other again and again. Short
    refrains ("he walked and walked and walked") are prose.
    """
    sentences = Counter(words for s in split_sentences(text) if len(words := plain_words(s)) >= SENTENCE_WORDS)
    return any(times > 1 for times in sentences.values()) or _goes_round(plain_words(text))


def repeats_canon(text: str, canon_tail: Sequence[str]) -> bool:
    """Whether the text tells again what the last passages of canon told.

    Either a large share of its runs of words stands there, or it begins by saying canon's last sentence once more.
    """
    if not plain_words(text) or not canon_tail:
        return False
    return _shares_runs(text, canon_tail) or _echoes(text, canon_tail[-1])


def tells_ahead(text: str, following: Sequence[str]) -> bool:
    """Whether the text tells what the passages `following` it tell, or ends with the sentence that they begin with."""
    if not plain_words(text) or not following:
        return False
    return _shares_runs(text, following) or _leads_into(text, following[0])


def pick_distinct(
    drafts: Sequence[str], canon: Sequence[str], k: int, *, beside: Sequence[str] = (), following: Sequence[str] = ()
) -> Picked:
    """The first `k` drafts that are new and differ from each other and from `beside` (texts that are on the ballot).

    `canon` holds the last passages of the story that the drafts continue, `following` the next ones after them; in a
    rewrite the old version belongs into `beside`.
    """
    kept: list[int] = []
    dropped: dict[int, Reason] = {}
    for index, draft in enumerate(drafts):
        reason = _reason_against(draft, canon, [*beside, *(drafts[i] for i in kept)], following)
        if reason is None and len(kept) >= k:
            reason = Reason.SPARE
        if reason is None:
            kept.append(index)
        else:
            dropped[index] = reason
    return Picked(tuple(kept), dropped)


def pick_reworded(drafts: Sequence[str], old: str, k: int, *, beside: Sequence[str] = ()) -> Picked:
    """The first `k` drafts that have other words than `old`, than each other, and than `beside`.

    They are meant to be close to `old`, and may say of the story what it said: nothing else counts against them.
    """
    seen = {plain_words(old): Reason.UNCHANGED} | {plain_words(text): Reason.TOO_SIMILAR for text in beside}
    kept: list[int] = []
    dropped: dict[int, Reason] = {}
    for index, draft in enumerate(drafts):
        reason = seen.get(plain_words(draft)) or (Reason.SPARE if len(kept) >= k else None)
        if reason is None:
            kept.append(index)
            seen[plain_words(draft)] = Reason.TOO_SIMILAR
        else:
            dropped[index] = reason
    return Picked(tuple(kept), dropped)


def shingles(words: Words, size: int) -> frozenset[Words]:
    """Every run of `size` words; the whole where it is shorter."""
    return frozenset(words[i : i + size] for i in range(max(1, len(words) - size + 1)))


def _reason_against(draft: str, canon: Sequence[str], taken: Sequence[str], following: Sequence[str]) -> Reason | None:
    if loops(draft):
        return Reason.LOOPS
    if repeats_canon(draft, canon):
        return Reason.REPEATS_CANON
    if tells_ahead(draft, following):
        return Reason.TELLS_AHEAD
    return Reason.TOO_SIMILAR if too_similar(draft, taken) else None


def _goes_round(words: Words) -> bool:
    longest = min(LONGEST_LOOP_WORDS, len(words) // 2)
    return any(_turns(words, period) >= LOOP_TURNS.get(period, 2) for period in range(1, longest + 1))


def _turns(words: Words, period: int) -> int:
    """How often in a row some `period` words stand in the text, at most."""
    longest = run = 0
    for word, earlier in zip(words[period:], words, strict=False):
        run = run + 1 if word == earlier else 0
        longest = max(longest, run)
    return 1 + longest // period


def _shares_runs(text: str, others: Sequence[str]) -> bool:
    known = frozenset[Words]().union(*(shingles(plain_words(other), CANON_SHINGLE_WORDS) for other in others))
    ours = shingles(plain_words(text), CANON_SHINGLE_WORDS)
    return len(ours & known) / len(ours) >= CANON_THRESHOLD


def _leads_into(text: str, next_passage: str) -> bool:
    """Whether the text ends with the very sentence that the next passage begins with."""
    return _echoes(next_passage, text)


def _echoes(text: str, last_passage: str) -> bool:
    said, first = split_sentences(last_passage), split_sentences(text)
    if not said or not first:
        return False
    words = plain_words(first[0])
    return len(words) >= SENTENCE_WORDS and words == plain_words(said[-1])
