"""In which order the words are written, and again: which slots the model is asked for in each pass.

``parallel`` is Mask-Predict (Ghazvininejad et al. 2019, https://arxiv.org/abs/1904.09324): all at once, then those with
the least confidence anew, linearly fewer each time. ``left_to_right`` goes from slot to slot, each pass once through
all of them, and draws each word given all the others (Wang and Cho 2019, https://arxiv.org/abs/1902.04094). That looks
like Gibbs sampling, and they called the model a Markov random field; they have withdrawn that since
(https://kyunghyuncho.me/bert-has-a-mouth-and-must-speak-but-it-is-not-an-mrf/): the conditionals of a masked model
belong to no joint distribution, so the texts are good by what their words say of each other, not samples of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Order(StrEnum):
    """See the module."""

    PARALLEL = "parallel"
    LEFT_TO_RIGHT = "left_to_right"


def num_forwards(order: Order, num_slots: int, passes: int) -> int:
    """How often the model reads a row's text, at most."""
    return passes if order is Order.PARALLEL else passes * num_slots


def next_slots(order: Order, confidences: Sequence[float], passes: int, done: int) -> list[int]:
    """The slots to be masked and written after `done` readings; none when it is over.

    `confidences` are the chances that the words had when they were drawn. Of equals the first is masked anew.
    """
    if order is Order.LEFT_TO_RIGHT:
        return [done % len(confidences)] if done < passes * len(confidences) else []
    if done >= passes:
        return []
    number = len(confidences) * (passes - done) // passes
    return sorted(sorted(range(len(confidences)), key=lambda slot: confidences[slot])[:number])
