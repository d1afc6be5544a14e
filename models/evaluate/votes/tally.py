"""From ballots to comparisons: a candidate beats every other in a lower tier of a ballot. Ties compare nothing.

So approving beats not approving, a choice beats all others, and a rank beats lower ranks and what was not ranked.
Candidates of the same competitor do not compare either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from models.evaluate.numbers import Floats
from models.evaluate.votes.export import Ballot, Entry, Round


@dataclass(frozen=True)
class Outcome:
    """Who won a round: the candidates that most ballots put first, all of them where there are several."""

    winners: tuple[Entry, ...]
    entries: tuple[Entry, ...]


def competitors_of(rounds: Sequence[Round]) -> list[str]:
    """Everyone who is in some round, in the order of their names."""
    return sorted({entry.competitor for each in rounds for entry in each.entries})


def beaten(each: Round) -> Iterator[tuple[Entry, Entry]]:
    """Pairs (better, worse), one for every ballot that says so."""
    by_id = {entry.id: entry for entry in each.entries}
    for ballot in each.ballots:
        for upper, lower in combinations(ballot.tiers, 2):
            yield from ((by_id[a], by_id[b]) for a in upper for b in lower)


def win_matrix(each: Round, competitors: Sequence[str]) -> Floats:
    """How often the row's competitor beat the column's in this round: [competitors, competitors]."""
    places = {name: i for i, name in enumerate(competitors)}
    wins = np.zeros((len(places), len(places)))
    for better, worse in beaten(each):
        if better.competitor != worse.competitor:
            wins[places[better.competitor], places[worse.competitor]] += 1
    return wins


def outcome_of(each: Round) -> Outcome | None:
    """None where no ballot prefers anything."""
    counts = {entry.id: 0 for entry in each.entries}
    for ballot in each.ballots:
        for name in _first(ballot):
            counts[name] += 1
    most = max(counts.values())
    if most == 0:
        return None
    return Outcome(tuple(entry for entry in each.entries if counts[entry.id] == most), each.entries)


def _first(ballot: Ballot) -> tuple[str, ...]:
    return ballot.tiers[0] if len(ballot.tiers) > 1 else ()
