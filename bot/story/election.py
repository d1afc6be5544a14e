"""How a round is decided. All rules stand here, and every result names the one that decided.

* **Counting.** One member, one ballot. By approval a ballot names every candidate the member likes, by plurality
  exactly one; "none of these" is an option like any other, alone on its ballot. Most votes win.
* **Ties.** A lot among the tied leaders, drawn with the round's recorded seed: anybody can draw it again.
* **Quorum.** Fewer voters than the quorum at the deadline extend the round, once. After that the votes cast decide.
* **No votes.** Nobody voted, even after the extension: canon stays as it is.
* **Early close.** Allowed once the quorum is reached and the lead is larger than the number of members who could
  still vote, since each of those adds at most one vote to any option.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.story.model import NONE_OF_THESE, Ballot, Method


class Result(StrEnum):
    """What becomes of the round."""

    WINNER = "winner"
    NONE_OF_THESE = "none of these"
    NO_VOTES = "no votes"
    EXTEND = "extend"


class Rule(StrEnum):
    """Which rule decided. A lot is named before everything else, then a missed quorum."""

    LEAD = "most votes"
    LOT = "lot among tied leaders"
    NONE_OF_THESE = "none of these led"
    NO_VOTES = "no votes"
    BELOW_QUORUM = "votes cast, below quorum"
    EXTENDED = "quorum missed, extended once"


@dataclass(frozen=True)
class Outcome:
    """A decided (or extended) round.

    `tally` has every option of the ballot in ballot order, `NONE_OF_THESE` last, also those with no votes.
    `tied` names the options that the lot was drawn among; it is empty where one option led alone.
    """

    result: Result
    rule: Rule
    winner_id: int | None
    tally: Mapping[int, int]
    num_voted: int
    quorum: int
    tied: tuple[int, ...] = ()

    @property
    def is_below_quorum(self) -> bool:
        return self.num_voted < self.quorum

    def sentence(self, names: Mapping[int, str]) -> str:
        """Says for members what was decided and by which rule. `names` gives each candidate's letter by its id."""
        return _sentence(self, {**names, NONE_OF_THESE: "“none of these”"})


def decide(
    candidate_ids: Sequence[int],
    ballots: Collection[Ballot],
    method: Method,
    quorum: int,
    extended: bool,
    seed: int,
) -> Outcome:
    """Decides a round whose time has come. `candidate_ids` stand in ballot order.

    `extended` says that the round was extended before; only one that was not can come out as EXTEND. A moderator's
    close never extends: pass `extended=True` for it. Whatever is not EXTEND comes out the same for `extended=True`,
    so a closed round can be decided again to redraw it. Raises ValueError for ballots that the rules above exclude:
    two by one member, an unknown choice, more than one choice in plurality.
    """
    tally = count_ballots(candidate_ids, ballots, method)
    num_voted = len(ballots)
    if num_voted < quorum and not extended:
        return Outcome(Result.EXTEND, Rule.EXTENDED, None, tally, num_voted, quorum)
    if num_voted == 0:
        return Outcome(Result.NO_VOTES, Rule.NO_VOTES, None, tally, num_voted, quorum)
    leaders = tuple(option for option, votes in tally.items() if votes == max(tally.values()))
    chosen = draw_lot(leaders, seed)
    return Outcome(
        result=Result.NONE_OF_THESE if chosen == NONE_OF_THESE else Result.WINNER,
        rule=_rule(chosen, num_tied=len(leaders), below_quorum=num_voted < quorum),
        winner_id=None if chosen == NONE_OF_THESE else chosen,
        tally=tally,
        num_voted=num_voted,
        quorum=quorum,
        tied=leaders if len(leaders) > 1 else (),
    )


def count_ballots(candidate_ids: Sequence[int], ballots: Collection[Ballot], method: Method) -> dict[int, int]:
    """Votes per option in ballot order, `NONE_OF_THESE` last, zeros included. Raises ValueError as `decide` does."""
    options = (*candidate_ids, NONE_OF_THESE)
    if len(set(options)) != len(options):
        raise ValueError(f"candidates are not distinct: {candidate_ids}")
    if len({ballot.user_id for ballot in ballots}) != len(ballots):
        raise ValueError("a member has two ballots")
    for ballot in ballots:
        _check_ballot(ballot, frozenset(options), method)
    votes = Counter(choice for ballot in ballots for choice in ballot.choices)
    return {option: votes[option] for option in options}


def can_close_early(tally: Mapping[int, int], num_voted: int, electorate: int, quorum: int) -> bool:
    """Whether no vote of the members who have not voted yet can change the winner any more.

    `tally` may leave out options without votes. Members who voted could still change their mind: the round closes
    on the ballots as they stand, as it does at the deadline.
    """
    if num_voted < quorum or not any(tally.values()):
        return False
    first, second = [*sorted(tally.values(), reverse=True), 0][:2]
    return first - second > max(0, electorate - num_voted)


def electorate(participants_recent: Collection[int], participants_now: Collection[int], quorum: int) -> int:
    """How many members may be expected to vote: those who took part in the story's last rounds and in this one.

    A Discord channel has no list of voters, so this is what "everyone has voted" is measured by. At least the quorum.
    """
    return max(quorum, len({*participants_recent, *participants_now}))


def toggle_choice(current: frozenset[int], choice: int, method: Method) -> frozenset[int]:
    """The ballot after a click on `choice`: a second click takes it back, and an empty result withdraws the ballot.

    In plurality a choice replaces the last one; in approval it joins them, but "none of these" stands alone.
    """
    if choice in current:
        return current - {choice}
    if method is Method.PLURALITY or choice == NONE_OF_THESE:
        return frozenset({choice})
    return (current - {NONE_OF_THESE}) | {choice}


def ballot_order(n: int, seed: int) -> list[int]:
    """The indexes 0 to n-1 in the order in which they stand on the ballot, shuffled by `seed`."""
    return sorted(range(n), key=lambda index: _draw("order", seed, index))


def draw_lot(options: Collection[int], seed: int) -> int:
    """One of `options`, each as likely as the others over all seeds. Their order does not matter."""
    return min(options, key=lambda option: _draw("lot", seed, option))


def _draw(purpose: str, seed: int, item: int) -> bytes:
    # A hash and not `random`: its numbers are the same in every version of Python, so a lot can be drawn again years
    # later. `purpose` keeps a lot independent of the order on the ballot, which comes from the same seed.
    return hashlib.sha256(f"{purpose}:{seed}:{item}".encode()).digest()


def _check_ballot(ballot: Ballot, options: frozenset[int], method: Method) -> None:
    if not ballot.choices or not ballot.choices <= options:
        raise ValueError(f"the ballot of member {ballot.user_id} is empty or names no option of this round")
    if len(ballot.choices) > 1 and (method is Method.PLURALITY or NONE_OF_THESE in ballot.choices):
        raise ValueError(f"the ballot of member {ballot.user_id} has more choices than the method allows")


def _rule(chosen: int, *, num_tied: int, below_quorum: bool) -> Rule:
    if num_tied > 1:
        return Rule.LOT
    if below_quorum:
        return Rule.BELOW_QUORUM
    return Rule.NONE_OF_THESE if chosen == NONE_OF_THESE else Rule.LEAD


def _sentence(outcome: Outcome, names: Mapping[int, str]) -> str:
    missed = f"Only {outcome.num_voted} of the {outcome.quorum} members needed had voted"
    if outcome.num_voted == 0:
        missed = "Nobody had voted"
    if outcome.result is Result.EXTEND:
        return f"{missed}, so the round was extended once."
    if outcome.result is Result.NO_VOTES:
        return f"{missed}, so the story stays as it is."
    decided = _decided(outcome, names)
    return f"{decided} {missed}, so the votes cast decided." if outcome.is_below_quorum else decided


def _decided(outcome: Outcome, names: Mapping[int, str]) -> str:
    chosen = NONE_OF_THESE if outcome.winner_id is None else outcome.winner_id
    votes = _votes(outcome.tally[chosen])
    if outcome.tied:
        *others, last = (names[option] for option in outcome.tied)
        return f"A tie at {votes} between {', '.join(others)} and {last}: the lot fell on {names[chosen]}."
    return f"“None of these” led with {votes}." if chosen == NONE_OF_THESE else f"{names[chosen]} won with {votes}."


def _votes(count: int) -> str:
    return f"{count} vote" if count == 1 else f"{count} votes"
