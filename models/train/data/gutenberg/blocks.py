"""Blocks of lines between blank ones: told apart as prose or verse, and their hard line ends undone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

_DEFAULT_WRAP = 64
_VERSE_CAPITALS = 0.8
"""The share of lines that begin with a capital from which four lines or more are verse; prose has about 0.15."""
_PROSE_CAPITALS = 0.4
_SURE_LINES = 6
"""A block with this many lines and few capitals at their beginnings is prose for sure; these teach the wrap."""


@dataclass(frozen=True)
class Block:
    """Lines without their ends, indentation kept; `blank_before` counts the blank lines above."""

    lines: tuple[str, ...]
    blank_before: int

    @cached_property
    def text(self) -> str:
        """All on one line."""
        return " ".join(" ".join(self.lines).split())

    @property
    def num_words(self) -> int:
        return len(self.text.split())


def split_blocks(text: str) -> list[Block]:
    """Blocks in order; lines of white space alone are blank."""
    blocks: list[Block] = []
    lines: list[str] = []
    blank = 2  # the beginning of a text is as good as space around a heading
    for line in [*text.splitlines(), ""]:
        if line.strip():
            lines.append(line.expandtabs().rstrip())
            continue
        if lines:
            blocks.append(Block(tuple(lines), blank))
            lines, blank = [], 0
        blank += 1
    return blocks


def wrap_point(blocks: list[Block]) -> int:
    """How many characters a line and the first word of the next one have together, at least, where the end was forced.

    Typists differ in how full a line had to be, so it is learnt from the blocks that are surely prose: nine in ten of
    their line ends are at or above it.
    """
    sure = [b for b in blocks if len(b.lines) >= _SURE_LINES and _capital_share(b.lines) <= _PROSE_CAPITALS]
    lengths = sorted(length for block in sure for length in _with_next_word(block.lines))
    return lengths[len(lengths) // 10] if lengths else _DEFAULT_WRAP


def is_prose(block: Block, wrap: int) -> bool:
    """Whether the line ends are a typewriter's and not the writer's.

    A line end was forced where the next word would not have fitted. Verse begins its lines with capitals and ends them
    early; a list or a letter's head ends them early.
    """
    if len(block.lines) == 1:
        return True
    capitals = _capital_share(block.lines)
    if len(block.lines) >= 4 and capitals >= _VERSE_CAPITALS:
        return False
    if _forced_share(block.lines, wrap) >= 0.5:
        return True
    # A quotation or a letter that is set narrower than the rest, or a short paragraph with a ragged edge.
    is_long = max(len(line) for line in block.lines) > wrap // 2
    return is_long and _capital_share(block.lines[1:]) <= _PROSE_CAPITALS


def _capital_share(lines: tuple[str, ...]) -> float:
    return sum(line.lstrip(" \"'“‘_(-[")[:1].isupper() for line in lines) / len(lines)


def _with_next_word(lines: tuple[str, ...]) -> list[int]:
    return [len(line) + 1 + len(following.split(maxsplit=1)[0]) for line, following in pairwise(lines)]


def _forced_share(lines: tuple[str, ...], wrap: int) -> float:
    return sum(length >= wrap for length in _with_next_word(lines)) / (len(lines) - 1)


def unwrap(block: Block, wrap: int) -> str:
    """Prose on one line; verse and lists with the lines that they have."""
    if not is_prose(block, wrap):
        return "\n".join(" ".join(line.split()) for line in block.lines)
    # A compound or a dash at the end of a line has no space after it.
    joined = re.sub(r"(?<=[^\s-])(--?|—)\n", r"\1", "\n".join(line.strip() for line in block.lines))
    return " ".join(joined.split())
