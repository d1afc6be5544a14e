"""Early close: it happens only when nothing that could still be voted changes the winner."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.story.election import Result, can_close_early, decide
from bot.story.model import NONE_OF_THESE, Ballot, Method

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
IDS = [11, 12]
OPTIONS = [*IDS, NONE_OF_THESE]
SINGLE = [frozenset({option}) for option in OPTIONS]
LEGAL = {Method.PLURALITY: SINGLE, Method.APPROVAL: [*SINGLE, frozenset(IDS)]}


def ballots_of(choices, first_user: int = 1) -> list[Ballot]:
    return [Ballot(user, chosen, NOW) for user, chosen in enumerate(choices, start=first_user) if chosen]


@pytest.mark.parametrize(
    ("tally", "num_voted", "electorate", "quorum", "closes"),
    [
        ({11: 2, 12: 0}, 2, 3, 2, True),  # one left, two ahead
        ({11: 2, 12: 1}, 2, 3, 2, False),  # one left could tie
        ({11: 2}, 2, 3, 2, True),  # options without votes may be missing
        ({11: 2, 12: 0}, 2, 4, 2, False),  # two left could tie
        ({11: 1, 12: 1}, 2, 2, 2, False),  # a tie waits for the deadline
        ({11: 1, 12: 0}, 1, 1, 2, False),  # the quorum is not reached
        ({11: 3, 12: 0}, 3, 2, 2, True),  # more voted than were expected
        ({11: 0, 12: 0}, 0, 0, 0, False),  # nobody voted
        ({NONE_OF_THESE: 3, 11: 1}, 4, 5, 2, True),  # none of these is a lead like any other
    ],
)
def test_the_lead_must_be_larger_than_the_number_of_members_to_come(tally, num_voted, electorate, quorum, closes):
    assert can_close_early(tally, num_voted, electorate, quorum) is closes


@settings(max_examples=300)
@given(st.sampled_from(Method), st.data(), st.integers(0, 3), st.integers(1, 4), st.integers(0, 2**31 - 1))
def test_no_completion_of_the_vote_changes_the_winner_of_a_round_that_closed_early(
    method, data, remaining, quorum, seed
):
    legal = LEGAL[method]
    cast = ballots_of(data.draw(st.lists(st.sampled_from(legal), max_size=8)))
    now = decide(IDS, cast, method, quorum, True, seed)
    if not can_close_early(now.tally, now.num_voted, len(cast) + remaining, quorum):
        return
    assert now.result in (Result.WINNER, Result.NONE_OF_THESE)
    for others in itertools.product([frozenset(), *legal], repeat=remaining):
        completed = [*cast, *ballots_of(others, first_user=100)]
        assert decide(IDS, completed, method, quorum, True, seed).winner_id == now.winner_id
        assert decide(IDS, completed, method, quorum, False, seed).result is now.result


@settings(max_examples=300)
@given(st.sampled_from(Method), st.data(), st.integers(0, 6), st.integers(0, 2**31 - 1))
def test_it_waits_no_longer_than_it_must(method, data, remaining, seed):
    """Where it refuses to close and one option leads, those still to come could at least force a tie."""
    cast = ballots_of(data.draw(st.lists(st.sampled_from(LEGAL[method]), min_size=1, max_size=8)))
    now = decide(IDS, cast, method, 1, True, seed)
    if now.tied or can_close_early(now.tally, len(cast), len(cast) + remaining, 1):
        return
    leader = NONE_OF_THESE if now.winner_id is None else now.winner_id
    rival = max((option for option in OPTIONS if option != leader), key=lambda option: now.tally[option])
    completed = [*cast, *ballots_of([frozenset({rival})] * remaining, first_user=100)]
    after = decide(IDS, completed, method, 1, True, seed)
    assert after.tally[rival] >= after.tally[leader]


def test_it_is_a_property_that_the_test_would_see_broken():
    """One vote less of a lead would be too early: there is a completion that changes the winner."""
    cast = ballots_of([frozenset({11}), frozenset({11}), frozenset({12})])
    assert not can_close_early({11: 2, 12: 1}, 3, 4, 2)
    completed = [*cast, Ballot(100, frozenset({12}), NOW)]
    winners = {decide(IDS, completed, Method.PLURALITY, 2, True, seed).winner_id for seed in range(20)}
    assert winners == {11, 12}
