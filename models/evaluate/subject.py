"""What is evaluated: anything that scores texts or writes them. `local`, `remote` and `ngram` are such subjects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from models.engine.story_format import StoryFormat
from models.evaluate.bits import TextScore


class NotAvailable(Exception):
    """The subject can't do this; the message says why, and stands in the report in the place of numbers."""


class CannotOpen(Exception):
    """There is no such subject; the message says which and why."""


@dataclass(frozen=True)
class Ask:
    """What to write behind `prompt`. `fields` are sampling fields by the names of the completions API."""

    prompt: str
    n: int
    max_tokens: int
    seed: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """One answer, without blanks around it. `is_ended`: the model ended it by itself, and no limit did.

    `num_tokens` and `seed` (which draws it again, alone) are None where a server does not say.
    """

    text: str
    is_ended: bool
    num_tokens: int | None
    seed: int | None


@dataclass(frozen=True)
class Timing:
    """Seconds to the first token and to the end, and how many tokens were written."""

    first_token_s: float
    total_s: float
    num_tokens: int

    @property
    def tokens_s(self) -> float:
        """Tokens a second, over the whole answer, the reading of the prompt included."""
        return self.num_tokens / self.total_s


Tick = Callable[[], None]
"""Called after each prompt that is done."""


def no_tick() -> None:
    """For those whom progress does not interest."""


class Subject(Protocol):
    """`label` names it in the report. Every method but the properties may raise `NotAvailable`."""

    @property
    def label(self) -> str: ...

    @property
    def templates(self) -> StoryFormat: ...

    @property
    def context_tokens(self) -> int | None:
        """Prompt and answer together; None where nothing says so."""
        ...

    def describe(self) -> dict[str, Any]:
        """For the report's header: what it is, down to the revision."""
        ...

    def num_tokens(self, text: str) -> int | None:
        """None where the subject can't count."""
        ...

    def document_score(self, text: str) -> TextScore:
        """The likelihood of a text from its beginning on."""
        ...

    def file_score(self, text: str) -> TextScore:
        """The likelihood of a text with nothing before it; its first token is given."""
        ...

    def score(self, given: str, text: str) -> TextScore:
        """The likelihood of a text after what is given."""
        ...

    def write(self, asks: Sequence[Ask], tick: Tick = no_tick) -> list[tuple[Candidate, ...]]:
        """Candidates for each ask, in their order."""
        ...

    def time(self, ask: Ask) -> Timing:
        """One ask, alone."""
        ...

    def close(self) -> None:
        """Lets go of connections; nothing is asked of it afterwards."""
        ...
