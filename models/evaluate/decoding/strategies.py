"""The ways that are compared, as fields of the completions API; what a way leaves open is the model's own distribution.

Where a paper or a common program names a value it is that one, so that the page shows what people would try first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.evaluate.asking import BOT_SAMPLING

BANNED = ("once upon a time", "very happy", "the end", "so excited")
"""Phrases that simple stories are full of."""


@dataclass(frozen=True)
class Strategy:
    """`max_n` is how many different answers the way has. `has_hint`: the case's hint words go into `must_include`."""

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    max_n: int | None = None
    has_hint: bool = False


STRATEGIES = (
    Strategy("greedy", {"temperature": 0}, max_n=1),
    Strategy("beams 4", {"beam_width": 4}, max_n=4),
    Strategy("beams 4, length penalty 2", {"beam_width": 4, "length_penalty": 2.0}, max_n=4),
    # Su et al. 2022, https://arxiv.org/abs/2202.06417
    Strategy("contrastive 0.6, 4", {"penalty_alpha": 0.6, "top_k": 4}, max_n=1),
    Strategy("temperature 1", {"temperature": 1.0}),
    Strategy("temperature 0.7", {"temperature": 0.7}),
    Strategy("temperature 1.3", {"temperature": 1.3}),
    # Fan et al. 2018, https://aclanthology.org/P18-1082 (k = 10), and the 40 of GPT-2's report
    Strategy("top-k 10", {"top_k": 10}),
    Strategy("top-k 40", {"top_k": 40}),
    # Holtzman et al. 2020, https://openreview.net/forum?id=rygGQyrFvH
    Strategy("top-p 0.95", {"top_p": 0.95}),
    Strategy("top-p 0.8", {"top_p": 0.8}),
    # Nguyen et al. 2025, https://openreview.net/forum?id=FBkpCyujtS
    Strategy("min-p 0.1", {"min_p": 0.1}),
    Strategy("min-p 0.1, temperature 1.5", {"min_p": 0.1, "temperature": 1.5}),
    # Meister et al. 2023, https://aclanthology.org/2023.tacl-1.7
    Strategy("typical 0.9", {"typical_p": 0.9}),
    # Keskar et al. 2019, https://arxiv.org/abs/1909.05858
    Strategy("greedy, repetition penalty 1.2", {"temperature": 0, "repetition_penalty": 1.2}, max_n=1),
    Strategy("repetition penalty 1.2", {"repetition_penalty": 1.2}),
    Strategy("frequency penalty 0.5", {"frequency_penalty": 0.5}),
    Strategy("presence penalty 0.5", {"presence_penalty": 0.5}),
    Strategy("DRY 0.8", {"dry_multiplier": 0.8}),
    Strategy("as the bot asks", BOT_SAMPLING),
    Strategy("as the bot asks, banned phrases", {**BOT_SAMPLING, "banned_phrases": list(BANNED)}),
    Strategy("as the bot asks, must include", BOT_SAMPLING, has_hint=True),
)


class UnknownWay(ValueError):
    """No way of decoding has this name."""


def chosen(names: Sequence[str] | None) -> tuple[Strategy, ...]:
    """Those named, in the order of the page; all for None. Raises `UnknownWay`."""
    if names is None:
        return STRATEGIES
    known = {strategy.name for strategy in STRATEGIES}
    if unknown := [name for name in names if name not in known]:
        raise UnknownWay(f"no way of decoding is called {', '.join(unknown)}; there are: {'; '.join(sorted(known))}")
    return tuple(strategy for strategy in STRATEGIES if strategy.name in names)
