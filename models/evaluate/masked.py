"""A masked language model on this machine: it can be asked how well a middle fits, and nothing else that others can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.engine.checkpoint import CheckpointError
from models.engine.placement import PlacementError
from models.engine.story_format import PLAIN, StoryFormat
from models.evaluate.bits import TextScore
from models.evaluate.cases import Case
from models.evaluate.subject import Ask, Candidate, CannotOpen, NotAvailable, Tick, Timing, no_tick

JOINT = "\n\n"
"""Between what was told, the middle, and what comes after it."""


class MaskedSubject:
    """See `subject.Subject`. `checkpoint` is a `MaskedCheckpoint`."""

    templates: StoryFormat = PLAIN

    def __init__(self, checkpoint: Any) -> None:
        self._checkpoint = checkpoint

    @property
    def label(self) -> str:
        return str(self._checkpoint.name)

    @property
    def context_tokens(self) -> int | None:
        return int(self._checkpoint.context_tokens)

    def describe(self) -> dict[str, Any]:
        checkpoint = self._checkpoint
        return {
            "kind": "masked model",
            "name": checkpoint.name,
            "revision": checkpoint.revision,
            "parameters": checkpoint.model.num_parameters(),
            "vocabulary": checkpoint.vocab_size,
            "context_tokens": checkpoint.context_tokens,
            "dtype": str(checkpoint.dtype).removeprefix("torch."),
            "device": checkpoint.device.type,
        }

    def middle_nats(self, case: Case, after: str | None) -> float:
        """The negative pseudo-log-likelihood of the case's passage; `after` None leaves out what follows."""
        from models.engine.masked.score import pseudo_log_likelihood

        before = JOINT.join(case.before) + JOINT
        try:
            nats, _ = pseudo_log_likelihood(
                self._checkpoint, before, case.passage, JOINT + after if after else "", is_word_l2r=True
            )
        except ValueError as error:  # TooLong, for a passage beyond the window
            raise NotAvailable(f"{case.id}: {error}") from error
        return -float(nats)

    def num_tokens(self, text: str) -> int | None:
        return None

    def document_score(self, text: str) -> TextScore:
        raise NotAvailable("a masked model has no likelihood of a text from left to right")

    def file_score(self, text: str) -> TextScore:
        raise NotAvailable("a masked model has no likelihood of a text from left to right")

    def score(self, given: str, text: str) -> TextScore:
        raise NotAvailable("a masked model has no likelihood of a text from left to right")

    def write(self, asks: Sequence[Ask], tick: Tick = no_tick) -> list[tuple[Candidate, ...]]:
        raise NotAvailable("a masked model does not write on")

    def close(self) -> None:
        """Nothing to let go of."""

    def time(self, ask: Ask) -> Timing:
        raise NotAvailable("a masked model does not write on")


def open_masked(source: str, device: str, dtype: str) -> MaskedSubject:
    """A folder or a hub name. Raises `CannotOpen`."""
    from models.engine.masked.checkpoint import load_masked

    try:
        return MaskedSubject(load_masked(source, device=device, dtype=dtype))
    except (CheckpointError, PlacementError) as error:
        raise CannotOpen(str(error)) from error
