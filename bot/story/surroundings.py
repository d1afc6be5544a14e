"""What stands around a passage, as far as a model can read it: the end of what comes before, the beginning after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.story.hygiene.markers import remove_markers
from bot.story.shorten import Counted, keep_beginning, keep_end

JOINED_BY = "\n\n"
CHARS_PER_TOKEN = 8
"""More than any tokenizer's average over prose: so many characters are never fewer tokens than there is room for."""

Told = tuple[int, str]
"""A passage's id and its text."""


@dataclass(frozen=True)
class Surroundings:
    """Plain text before and after, with its tokens, and the passages that something of it was taken from."""

    before: str = ""
    after: str = ""
    passages_before: tuple[int, ...] = ()
    passages_after: tuple[int, ...] = ()
    passages_left_out: tuple[int, ...] = ()
    tokens_before: int = 0
    tokens_after: int = 0
    told_before: tuple[Told, ...] = ()
    told_after: tuple[Told, ...] = ()

    def fit(self, tokens: tuple[int, int], room: int, count: Callable[[str], int]) -> Surroundings:
        """Cut to `room` tokens, where `tokens` are the counts of both texts as they are; `count` may estimate.

        Each side may have half of the room, and what the other one leaves. Cuts are between sentences where possible.
        """
        for_after = max(room // 2, room - tokens[0])
        after = keep_beginning(Counted(self.after, tokens[1]), for_after, count)
        before = keep_end(Counted(self.before, tokens[0]), room - after.tokens, count)
        used = _ids_from(reversed_told := self.told_before[::-1], len(before.text))
        return replace(
            self,
            before=before.text,
            after=after.text,
            tokens_before=before.tokens,
            tokens_after=after.tokens,
            passages_before=used[::-1],
            passages_after=_ids_from(self.told_after, len(after.text)),
            passages_left_out=tuple(told[0] for told in reversed_told[len(used) :])[::-1],
        )


def surround(before: Sequence[Told], after: Sequence[Told], room: int) -> Surroundings:
    """More than fits into `room` tokens, but not all of a long story: to be counted, and then to be `fit`."""
    chars = max(room, 0) * CHARS_PER_TOKEN
    told_before, told_after = _plain(before), _plain(after)
    return Surroundings(
        before=JOINED_BY.join(text for _, text in told_before)[-chars:] if chars else "",
        after=JOINED_BY.join(text for _, text in told_after)[:chars],
        told_before=told_before,
        told_after=told_after,
    )


def _plain(passages: Sequence[Told]) -> tuple[Told, ...]:
    return tuple((number, remove_markers(text).strip()) for number, text in passages)


def _ids_from(told: Sequence[Told], length: int) -> tuple[int, ...]:
    """Whose texts stand in the first `length` characters, counted from the passage's side."""
    found: list[int] = []
    start = 0
    for number, text in told:
        if start >= length:
            break
        found.append(number)
        start += len(text) + len(JOINED_BY)
    return tuple(found)
