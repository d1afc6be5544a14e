"""What is asked of the engine: a plan, and how many rows to write of it in which way."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.engine.masked.orders import Order
from models.engine.masked.plan import Plan
from models.engine.params import SamplingParams

DEFAULT_SHARE = 0.25
SHARES = (0.05, 0.9)
DEFAULT_PASSES = 6
MAX_PASSES = 32


@dataclass(frozen=True)
class MaskedRequest:
    """`share` is how many of the words that may change do so in each row, at least one; a gap is always written whole.

    `seed` belongs to row 0; the others derive theirs (`params.row_seed`). Of `sampling`, temperature, top-k, top-p and
    min-p count. A drawn word never completes one of `banned_phrases`, together with whatever stands around it; words
    that stay as they were are not looked at.
    """

    id: str
    plan: Plan
    seed: int
    n: int = 1
    share: float = DEFAULT_SHARE
    passes: int = DEFAULT_PASSES
    order: Order = Order.PARALLEL
    sampling: SamplingParams = field(default_factory=SamplingParams)
    banned_phrases: tuple[str, ...] = ()
    banned_phrases_case_sensitive: bool = False

    @property
    def num_chosen(self) -> int:
        """How many slots each row writes."""
        slots = len(self.plan.slots)
        return slots if self.plan.middle is None else min(slots, max(1, round(self.share * slots)))
