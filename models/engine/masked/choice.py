"""The choice of one word: which may stand at a slot, and a draw among them.

Not the word that stood there, unless the model gives every other less than a tenth of its chance: a word that can't be
said otherwise may stay. Not a word beside itself, nor a mark beside a mark, where anything else is left: texts whose
words are drawn side by side stutter (Ghazvininejad et al. 2019, section 5.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch

from models.engine.masked.lexicon import Lexicon
from models.engine.masked.plan import Slot
from models.engine.params import SamplingParams
from models.engine.sampling import pick
from models.engine.truncation import BLOCK, Uniform

STAYS = math.log(10)
"""So much likelier than any other, in nats, a word must be to be drawn again where it stood."""


def allowed_at(lexicon: Lexicon, slot: Slot, old: str | None) -> torch.Tensor:
    """The pieces bool [vocab] that fit in place of `old`: of its case, if it is in small letters. None is a gap."""
    words = lexicon.spaced if slot.is_spaced else lexicon.unspaced
    words = words if bool(words.any()) else lexicon.spaced
    if old is None:
        return words | lexicon.mark
    fitting = words & lexicon.small
    return words if old[:1].isupper() or not bool(fitting.any()) else fitting


def without(scores: torch.Tensor, ids: Sequence[int]) -> torch.Tensor:
    """`scores` [vocab] without these pieces; as they are, where nothing would be left."""
    if not ids:
        return scores
    left = scores.clone()
    left[torch.tensor(ids)] = -torch.inf
    return left if bool(torch.isfinite(left).any()) else scores


def without_old(scores: torch.Tensor, lexicon: Lexicon, original: int) -> torch.Tensor:
    """`scores` [vocab] without the word that stood there, unless it can't be said otherwise."""
    same = [original, *lexicon.ids_of(lexicon.words[original])]
    others = without(scores, same)
    return others if float(others.max()) >= float(scores[same].max()) - STAYS else scores


def beside(lexicon: Lexicon, neighbours: Iterable[int]) -> list[int]:
    """The pieces that repeat a neighbour: the same word, or a mark beside a mark."""
    repeated: list[int] = []
    for i in neighbours:
        if i in lexicon.words:
            repeated += lexicon.ids_of(lexicon.words[i])
        elif i in lexicon.marks:
            repeated += lexicon.marks
    return repeated


def draw_word(scores: torch.Tensor, sampling: SamplingParams, uniform: Uniform) -> int:
    """A piece drawn from `scores` [vocab]. Raises `ArithmeticError` where none has a finite score."""
    padded = torch.full((1, -(-len(scores) // BLOCK) * BLOCK), -torch.inf)
    padded[0, : len(scores)] = scores
    return pick(padded, [sampling], [uniform])[0]
