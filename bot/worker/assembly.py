"""Puts a completion stream back together: many deltas in, one text per index out. Pure; raises where it is nonsense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.errors import WorkerBroken

FAILED_REASONS = frozenset({"abort", "cancelled", "error"})
"""What servers write when they gave up on a row (vLLM: `abort`, `error`): its text is not an answer."""


@dataclass
class Row:
    """One answer while it arrives; finished once the server has said why it stopped."""

    index: int
    parts: list[str] = field(default_factory=list)
    num_chars: int = 0
    finish_reason: str | None = None
    seed: int | None = None
    tokens: int | None = None

    @property
    def text(self) -> str:
        return "".join(self.parts)


@dataclass
class Assembly:
    """Takes the chunks of one stream in their order. `max_chars` is more than any honest row can have."""

    n: int
    max_chars: int
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    _rows: dict[int, Row] = field(default_factory=dict)

    def feed(self, chunk: Mapping[str, object]) -> None:
        """Takes one chunk. Raises `WorkerBroken` where it cannot belong to this stream."""
        usage = chunk.get("usage")
        if isinstance(usage, Mapping):
            self.prompt_tokens = as_int(usage.get("prompt_tokens"))
            self.completion_tokens = as_int(usage.get("completion_tokens"))
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            raise WorkerBroken("a chunk without a list of choices")
        for choice in choices:
            self._feed_choice(choice)

    def rows(self) -> list[Row]:
        """The finished rows by index. An index that never appeared is left out; one cut short is an error.

        A server that does not know `n` answers index 0 alone, completely: that is for the caller to see to.
        """
        for row in self._rows.values():
            if row.finish_reason is None:
                raise WorkerBroken(f"the stream ended before index {row.index} was finished")
        if not self._rows:
            raise WorkerBroken("the stream ended without any answer")
        return [self._rows[index] for index in sorted(self._rows)]

    def _feed_choice(self, choice: object) -> None:
        if not isinstance(choice, Mapping):
            raise WorkerBroken("a choice that is not an object")
        row = self._row(choice.get("index"))
        self._add_text(row, choice.get("text"))
        row.seed = as_int(choice.get("seed"), row.seed)
        reason = choice.get("finish_reason")
        if reason is None:
            return
        if not isinstance(reason, str) or reason in FAILED_REASONS:
            raise WorkerBroken(f"index {row.index} finished with {reason!r}")
        row.finish_reason = reason

    def _row(self, index: object) -> Row:
        number = as_int(index)
        if number is None or not 0 <= number < self.n:
            raise WorkerBroken(f"a choice with index {index!r} where {self.n} were asked for")
        return self._rows.setdefault(number, Row(number))

    def _add_text(self, row: Row, text: object) -> None:
        if not isinstance(text, str):
            raise WorkerBroken(f"a choice of index {row.index} without text")
        if not text:
            return
        if row.finish_reason is not None:
            raise WorkerBroken(f"text for index {row.index} after it was finished")
        row.parts.append(text)
        row.num_chars += len(text)
        if row.num_chars > self.max_chars:
            raise WorkerBroken(f"index {row.index} grew beyond {self.max_chars} characters")


def as_int(value: object, default: int | None = None) -> int | None:
    """The value where it is an integer (`True` is none), else `default`."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default
