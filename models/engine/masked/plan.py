"""What a request is about, worked out once for all its rows: the ids that the model reads and the slots in them that
may be written.

For a rewrite each slot is a word of the passage that stands as one whole piece in the vocabulary, is no name, and need
not stay. A word that the vocabulary spells in several pieces stays: the model writes whole pieces only, and rare words
carry the sense. For a gap every slot is a mask. Free of torch, as `request` is, so that requests can be checked before
a model is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.engine.masked.window import fit, span_of
from models.engine.masked.words import OPENING, Word, find_kept, find_names, find_words, overlaps

if TYPE_CHECKING:
    from models.engine.masked.checkpoint import MaskedCheckpoint
    from models.engine.masked.lexicon import Lexicon
    from models.engine.masked.reader import Reading

NEAR_CHARS = 16
"""Characters on each side that are looked at, for each token of the window: several times what it can hold."""


@dataclass(frozen=True)
class Slot:
    """One place that may be written: index `place` of the ids.

    For a word of a passage also its characters there and the id it had. `is_spaced` says which spelling of a word
    follows what stands before it.
    """

    place: int
    is_spaced: bool
    begin: int = 0
    end: int = 0
    original: int | None = None


@dataclass(frozen=True)
class Plan:
    """`ids` with the special tokens around them, of which `num_read` stand for text; a gap's slots are masks in them.

    `middle` is None for a gap. `before` and `after` are whole, whatever the window took of them.
    """

    before: str
    middle: str | None
    after: str
    ids: tuple[int, ...]
    slots: tuple[Slot, ...]
    num_read: int


def plan_rewrite(
    checkpoint: MaskedCheckpoint,
    before: str,
    middle: str,
    after: str,
    *,
    keep: Sequence[str] = (),
    keep_names: bool = True,
) -> Plan:
    """Which words of `middle` may change. No slots where none may. Raises `TooLong` for a middle beyond the window."""
    near_before, near_after = _near(checkpoint, before, after)
    text = near_before + middle + near_after
    begin, end = len(near_before), len(near_before) + len(middle)
    reading = checkpoint.reader.read(text)
    first, last = span_of(reading.offsets, begin, end)
    num_ids = len(reading.ids)
    num_before, num_after = fit(first, last - first, num_ids - last, checkpoint.text_tokens)
    start = first - num_before
    ids = reading.ids[start : last + num_after]
    reader = checkpoint.reader
    words = _free_words(checkpoint.lexicon, text, begin, end, keep, keep_names)
    pieces = _pieces_by_end(reading, first, last)
    slots = []
    for word in words:
        place = pieces.get(word.end)
        if place is None or not _stands_for(checkpoint.lexicon, text, word, reading, place):
            continue
        slots.append(
            Slot(
                place=place - start + len(reader.before),
                is_spaced=bool(checkpoint.lexicon.spaced[reading.ids[place]]),
                begin=word.begin - begin,
                end=word.end - begin,
                original=reading.ids[place],
            )
        )
    return Plan(before, middle, after, (*reader.before, *ids, *reader.after), tuple(slots), len(ids))


def plan_fill(checkpoint: MaskedCheckpoint, before: str, after: str, length: int) -> Plan:
    """A gap of `length` masks. Raises `TooLong` where so many do not fit."""
    reader = checkpoint.reader
    near_before, near_after = _near(checkpoint, before.rstrip(" "), " " + after if needs_space(after) else after)
    left, right = reader.read(near_before).ids, reader.read(near_after).ids
    num_before, num_after = fit(len(left), length, len(right), checkpoint.text_tokens)
    left, right = left[len(left) - num_before :], right[:num_after]
    first = len(reader.before) + num_before
    slots = tuple(Slot(first + i, is_spaced=i > 0 or follows_space(before)) for i in range(length))
    ids = (*reader.before, *left, *[checkpoint.mask_id] * length, *right, *reader.after)
    return Plan(before, None, after, ids, slots, num_before + num_after)


def follows_space(before: str) -> bool:
    """Whether a word behind this text has a space before it: not at the beginning of a text, line or quotation."""
    stripped = before.rstrip(" ")
    if not stripped or stripped[-1].isspace():
        return False
    is_open = stripped[-1] in OPENING or (stripped[-1] in "\"'" and not stripped[:-1][-1:].strip())
    return not is_open


def needs_space(after: str) -> bool:
    """Whether a space belongs between a word and this text."""
    return bool(after) and (after[0].isalnum() or after[0] in OPENING)


def _near(checkpoint: MaskedCheckpoint, before: str, after: str) -> tuple[str, str]:
    """What of the texts around can matter, so that very long ones cost no more than the window does."""
    num_chars = NEAR_CHARS * checkpoint.text_tokens
    return before[max(0, len(before) - num_chars) :], after[:num_chars]


def _free_words(lexicon: Lexicon, text: str, begin: int, end: int, keep: Sequence[str], keep_names: bool) -> list[Word]:
    """Words inside [begin, end) that need not stay."""
    words = list(find_words(text))
    kept = [(first + begin, last + begin) for first, last in find_kept(text[begin:end], keep)]
    names = find_names(words, lexicon.is_common) if keep_names else set()
    inside = [word for word in words if begin <= word.begin and word.end <= end]
    return [word for word in inside if word.text not in names and not overlaps(word.begin, word.end, kept)]


def _pieces_by_end(reading: Reading, first: int, last: int) -> dict[int, int]:
    """The piece among [first, last) that ends at each character; the last where several do."""
    return {reading.offsets[place][1]: place for place in range(first, last)}


def _stands_for(lexicon: Lexicon, text: str, word: Word, reading: Reading, place: int) -> bool:
    """Whether the piece at `place` is the whole word: the spaces before it at most besides, and nothing of it before.

    A word in capitals stays: it is a name, an abbreviation, or shouted.
    """
    begin, end = reading.offsets[place]
    is_whole = end == word.end and begin <= word.begin and not text[begin : word.begin].strip()
    before = reading.offsets[place - 1] if place else (0, 0)
    is_alone = before[1] <= word.begin and (place + 1 == len(reading.ids) or reading.offsets[place + 1][0] >= word.end)
    is_shouted = len(word.text) > 1 and word.text.isupper()
    return is_whole and is_alone and not is_shouted and reading.ids[place] in lexicon.words
