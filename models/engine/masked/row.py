"""One candidate: the words chosen for it, what stands in their places so far, and what is to be read next.

Each row has a generator of its own, and takes its numbers slot by slot, from the left. So its text depends on its seed
and its own scores only. (The scores may differ in their last bits with the texts beside it in a batch; that can only
matter where a number lies within their rounding of the border between two words, or two words are equally sure.)
"""

from __future__ import annotations

import random

import torch

from models.engine.masked.bans import MAX_REDRAWS, Bans
from models.engine.masked.choice import allowed_at, beside, draw_word, without, without_old
from models.engine.masked.lexicon import Lexicon
from models.engine.masked.orders import next_slots
from models.engine.masked.plan import Slot
from models.engine.masked.render import HOLE, fill, in_place_of, splice
from models.engine.masked.request import MaskedRequest
from models.engine.masked.words import CLOSERS
from models.engine.params import row_seed


class MaskedRow:
    """Read `ids`, whose masked `places` are wanted, and `accept` the scores for them, until it `is_over`.

    `is_stuck` then says that it found no way past a banned phrase; it has no text.
    """

    def __init__(self, request: MaskedRequest, index: int, lexicon: Lexicon, mask_id: int) -> None:
        self.index = index
        self.seed = row_seed(request.seed, index)
        self.is_stuck = False
        self._request = request
        self._lexicon = lexicon
        self._mask_id = mask_id
        generator = random.Random(self.seed)
        self._uniform = generator.random
        plan = request.plan
        chosen = range(len(plan.slots))
        self._slots = tuple(plan.slots[i] for i in sorted(generator.sample(chosen, request.num_chosen)))
        self._drawn: list[int | None] = [slot.original for slot in self._slots]
        self._is_drawn = [False for _ in self._slots]
        self._confidences = [0.0 for _ in self._slots]
        self._done = 0
        self._bans = Bans(request.banned_phrases, is_case_sensitive=request.banned_phrases_case_sensitive)
        self._masked: list[int] = []
        self._go_on()

    @property
    def is_over(self) -> bool:
        return self.is_stuck or not self._masked

    @property
    def num_words(self) -> int:
        """How many slots it has written, again or not."""
        return sum(self._is_drawn)

    @property
    def drawn_ids(self) -> tuple[int, ...]:
        return tuple(i for i in self._drawn if i is not None)

    @property
    def ids(self) -> list[int]:
        ids = list(self._request.plan.ids)
        for slot, drawn in zip(self._slots, self._drawn, strict=True):
            ids[slot.place] = self._mask_id if drawn is None else drawn
        return ids

    @property
    def places(self) -> list[int]:
        return [self._slots[i].place for i in self._masked]

    @property
    def text(self) -> str:
        """What stands in place of the middle, or in the gap."""
        return self._render()[0]

    def accept(self, scores: torch.Tensor) -> None:
        """Draws the masked words from the model's `scores` [places, vocab], which are used up."""
        for i, own in zip(self._masked, scores, strict=True):
            self._write(i, own)
            if self.is_stuck:
                return
        self._done += 1
        self._go_on()

    def _go_on(self) -> None:
        request = self._request
        self._masked = next_slots(request.order, self._confidences, request.passes, self._done)
        for i in self._masked:
            self._drawn[i], self._is_drawn[i] = None, False

    def _write(self, i: int, scores: torch.Tensor) -> None:
        slot, old = self._slots[i], self._old(self._slots[i])
        scores.masked_fill_(~allowed_at(self._lexicon, slot, old), -torch.inf)
        chances = torch.softmax(scores, -1)
        left = without(scores, [*beside(self._lexicon, self._neighbours(slot)), *self._misplaced(i)])
        if slot.original is not None:
            left = without_old(left, self._lexicon, slot.original)
        self._is_drawn[i] = True
        for _ in range(MAX_REDRAWS):
            token = draw_word(left, self._request.sampling, self._uniform)
            self._drawn[i], self._confidences[i] = token, float(chances[token])
            if not self._is_banned():
                return
            left[token] = -torch.inf
            if not bool(torch.isfinite(left).any()):
                break
        self.is_stuck = True

    def _neighbours(self, slot: Slot) -> list[int]:
        """The ids on both sides of a slot, as they are now."""
        ids = self.ids
        return [ids[place] for place in (slot.place - 1, slot.place + 1) if 0 <= place < len(ids)]

    def _misplaced(self, i: int) -> list[int]:
        """The marks, where a gap's first or last slot has none of its own: behind a space, or before another mark."""
        plan = self._request.plan
        if plan.middle is not None:
            return []
        before, after = plan.before[-1:], plan.after.lstrip()[:1]
        is_behind_text = bool(before) and (before.isalnum() or before in CLOSERS)
        is_before_text = not after or after.isalnum() or after.isspace() or after not in ".,;:!?…"
        is_fine = (i > 0 or is_behind_text) and (i < len(self._slots) - 1 or is_before_text)
        return [] if is_fine else list(self._lexicon.marks)

    def _old(self, slot: Slot) -> str | None:
        middle = self._request.plan.middle
        return None if middle is None else middle[slot.begin : slot.end]

    def _is_banned(self) -> bool:
        if not self._bans:
            return False
        text, spans = self._render()
        return self._bans.touch(self._request.plan.before, text, self._request.plan.after, spans)

    def _render(self) -> tuple[str, list[tuple[int, int]]]:
        """The text with holes for what is masked, and where drawn words stand in it (in a gap everywhere)."""
        plan, lexicon = self._request.plan, self._lexicon
        if plan.middle is None:
            items = [None if i is None else lexicon.words.get(i) or lexicon.marks[i] for i in self._drawn]
            text = fill(plan, items)
            return text, [(0, len(text))]
        written = [(slot, self._spelled(i)) for i, slot in enumerate(self._slots)]
        text, spans = splice(plan.middle, written)
        return text, [span for span, is_drawn in zip(spans, self._is_drawn, strict=True) if is_drawn]

    def _spelled(self, i: int) -> str | None:
        """The word at a slot of a passage; None for the one that stood there."""
        drawn, slot = self._drawn[i], self._slots[i]
        if drawn is None:
            return HOLE
        old = self._old(slot)
        return None if drawn == slot.original or old is None else in_place_of(old, self._lexicon.words[drawn])
