"""Elections: every rule by example, and what must hold for all of them by property."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.story.election import (
    Outcome,
    Result,
    Rule,
    ballot_order,
    decide,
    draw_lot,
    electorate,
    toggle_choice,
)
from bot.story.model import NONE_OF_THESE, Ballot, Method

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
A, B, C = 11, 12, 13
NAMES = {A: "A", B: "B", C: "C"}


def cast(*choices: set[int]) -> list[Ballot]:
    return [Ballot(user_id, frozenset(chosen), NOW) for user_id, chosen in enumerate(choices, start=1)]


def decide_approval(ballots: list[Ballot], *, quorum: int = 1, extended: bool = False, seed: int = 7) -> Outcome:
    return decide([A, B, C], ballots, Method.APPROVAL, quorum, extended, seed)


@st.composite
def elections(draw: st.DrawFn, min_voters: int = 0) -> tuple[list[int], list[Ballot], Method]:
    """Any round that could be put to a vote: its candidates, legal ballots and method."""
    ids = draw(st.lists(st.integers(1, 99), min_size=1, max_size=5, unique=True))
    method = draw(st.sampled_from(Method))
    legal = [st.sampled_from([frozenset({option}) for option in [*ids, NONE_OF_THESE]])]
    if method is Method.APPROVAL:
        legal.append(st.sets(st.sampled_from(ids), min_size=1).map(frozenset))
    chosen = draw(st.lists(st.one_of(legal), min_size=min_voters, max_size=9))
    return ids, [Ballot(user, choices, NOW) for user, choices in enumerate(chosen, start=1)], method


class TestRules:
    def test_most_approvals_win(self):
        outcome = decide_approval(cast({A, B}, {B}, {C}))
        assert (outcome.result, outcome.rule, outcome.winner_id) == (Result.WINNER, Rule.LEAD, B)
        assert outcome.sentence(NAMES) == "B won with 2 votes."

    def test_the_tally_has_every_option_in_ballot_order_with_none_of_these_last(self):
        outcome = decide([C, A, B], cast({A}, {NONE_OF_THESE}), Method.APPROVAL, 1, False, 0)
        assert list(outcome.tally.items()) == [(C, 0), (A, 1), (B, 0), (NONE_OF_THESE, 1)]

    def test_a_tie_is_decided_by_a_lot_among_the_leaders_and_says_so(self):
        outcome = decide_approval(cast({A}, {B}))
        assert (outcome.rule, outcome.tied) == (Rule.LOT, (A, B))
        assert outcome.winner_id in (A, B)
        assert (
            outcome.sentence(NAMES) == f"A tie at 1 vote between A and B: the lot fell on {NAMES[outcome.winner_id]}."
        )

    def test_none_of_these_wins_like_any_other_option(self):
        outcome = decide_approval(cast({NONE_OF_THESE}, {NONE_OF_THESE}, {A}))
        assert (outcome.result, outcome.rule, outcome.winner_id) == (Result.NONE_OF_THESE, Rule.NONE_OF_THESE, None)
        assert outcome.sentence(NAMES) == "“None of these” led with 2 votes."

    def test_none_of_these_takes_part_in_a_lot(self):
        drawn = {decide_approval(cast({NONE_OF_THESE}, {A}), seed=seed).result for seed in range(20)}
        assert drawn == {Result.WINNER, Result.NONE_OF_THESE}

    def test_below_quorum_the_round_is_extended_once_and_then_the_votes_cast_decide(self):
        ballots = cast({A})
        first = decide_approval(ballots, quorum=2)
        assert (first.result, first.rule, first.winner_id) == (Result.EXTEND, Rule.EXTENDED, None)
        assert first.sentence(NAMES) == "Only 1 of the 2 members needed had voted, so the round was extended once."
        second = decide_approval(ballots, quorum=2, extended=True)
        assert (second.result, second.rule, second.winner_id) == (Result.WINNER, Rule.BELOW_QUORUM, A)
        assert second.sentence(NAMES) == (
            "A won with 1 vote. Only 1 of the 2 members needed had voted, so the votes cast decided."
        )

    def test_without_any_vote_the_round_is_extended_and_then_canon_stays(self):
        assert decide_approval([]).result is Result.EXTEND
        outcome = decide_approval([], extended=True)
        assert (outcome.result, outcome.rule, outcome.winner_id) == (Result.NO_VOTES, Rule.NO_VOTES, None)
        assert outcome.sentence(NAMES) == "Nobody had voted, so the story stays as it is."

    def test_a_tie_below_quorum_names_the_lot_and_the_missed_quorum(self):
        outcome = decide_approval(cast({A}, {B}, {C}), quorum=5, extended=True)
        assert outcome.rule is Rule.LOT
        assert "between A, B and C" in outcome.sentence(NAMES)
        assert "Only 3 of the 5" in outcome.sentence(NAMES)

    @pytest.mark.parametrize(
        ("ballots", "method"),
        [
            ([*cast({A}), *cast({B})], Method.APPROVAL),
            (cast(set()), Method.APPROVAL),
            (cast({99}), Method.APPROVAL),
            (cast({A, NONE_OF_THESE}), Method.APPROVAL),
            (cast({A, B}), Method.PLURALITY),
        ],
        ids=["two ballots of one member", "empty", "unknown", "none of these and a candidate", "two in plurality"],
    )
    def test_ballots_that_the_rules_exclude_are_an_error(self, ballots, method):
        with pytest.raises(ValueError, match="ballot"):
            decide([A, B, C], ballots, method, 1, False, 0)


class TestProperties:
    @given(elections(), st.integers(1, 5), st.booleans(), st.integers(0, 2**31 - 1), st.randoms(use_true_random=False))
    def test_the_order_of_ballots_and_of_candidates_changes_nothing(self, election, quorum, extended, seed, rng):
        ids, ballots, method = election
        outcome = decide(ids, ballots, method, quorum, extended, seed)
        shuffled = decide(rng.sample(ids, len(ids)), rng.sample(ballots, len(ballots)), method, quorum, extended, seed)
        assert (shuffled.result, shuffled.rule, shuffled.winner_id) == (outcome.result, outcome.rule, outcome.winner_id)
        assert shuffled.tally == outcome.tally

    @given(elections(min_voters=1), st.integers(1, 5), st.integers(0, 2**31 - 1))
    def test_the_winner_has_the_most_votes_and_the_tally_counts_each_member_once(self, election, quorum, seed):
        ids, ballots, method = election
        outcome = decide(ids, ballots, method, quorum, True, seed)
        chosen = NONE_OF_THESE if outcome.winner_id is None else outcome.winner_id
        assert outcome.tally[chosen] == max(outcome.tally.values())
        assert all(votes <= len(ballots) for votes in outcome.tally.values())
        assert sum(outcome.tally.values()) == sum(len(ballot.choices) for ballot in ballots)
        assert (len(outcome.tied) > 1) == (list(outcome.tally.values()).count(outcome.tally[chosen]) > 1)

    @given(elections(min_voters=1), st.integers(1, 5), st.integers(0, 2**31 - 1))
    def test_one_more_ballot_for_the_winner_keeps_it_the_winner(self, election, quorum, seed):
        ids, ballots, method = election
        outcome = decide(ids, ballots, method, quorum, True, seed)
        chosen = NONE_OF_THESE if outcome.winner_id is None else outcome.winner_id
        more = [*ballots, Ballot(1000, frozenset({chosen}), NOW)]
        assert decide(ids, more, method, quorum, True, seed).winner_id == outcome.winner_id

    @given(elections(min_voters=1), st.integers(0, 2**31 - 1), st.data())
    def test_a_member_who_adds_the_winner_to_their_ballot_keeps_it_the_winner(self, election, seed, data):
        ids, ballots, _ = election
        outcome = decide(ids, ballots, Method.APPROVAL, 1, True, seed)
        index = data.draw(st.integers(0, len(ballots) - 1))
        if outcome.winner_id is None or NONE_OF_THESE in ballots[index].choices:
            return
        ballots[index] = replace(ballots[index], choices=ballots[index].choices | {outcome.winner_id})
        assert decide(ids, ballots, Method.APPROVAL, 1, True, seed).winner_id == outcome.winner_id

    @given(elections(), st.integers(1, 12), st.integers(0, 2**31 - 1))
    def test_a_round_is_extended_exactly_when_the_quorum_is_missed_and_never_twice(self, election, quorum, seed):
        ids, ballots, method = election
        first = decide(ids, ballots, method, quorum, False, seed)
        final = decide(ids, ballots, method, quorum, True, seed)
        assert (first.result is Result.EXTEND) == (len(ballots) < quorum)
        assert final.result is not Result.EXTEND
        if first.result is not Result.EXTEND:
            assert first == final

    @given(elections(), st.integers(1, 5), st.booleans(), st.integers(0, 2**31 - 1))
    def test_every_outcome_has_a_sentence(self, election, quorum, extended, seed):
        ids, ballots, method = election
        names = {candidate: f"<{candidate}>" for candidate in ids}
        outcome = decide(ids, ballots, method, quorum, extended, seed)
        sentence = outcome.sentence(names)
        assert sentence[0].isupper() or sentence[0] in "<“"
        assert sentence.endswith(".")
        if outcome.winner_id is not None:
            assert names[outcome.winner_id] in sentence


class TestLots:
    @given(st.sets(st.integers(0, 99), min_size=1, max_size=6), st.integers(), st.randoms(use_true_random=False))
    def test_a_lot_depends_on_the_options_and_the_seed_alone(self, options, seed, rng):
        drawn = draw_lot(sorted(options), seed)
        assert drawn in options
        assert draw_lot(rng.sample(sorted(options), len(options)), seed) == drawn

    @given(st.sets(st.integers(0, 99), min_size=2, max_size=6), st.integers())
    def test_a_lot_falls_on_the_same_option_when_another_leaves(self, options, seed):
        drawn = draw_lot(options, seed)
        loser = max(options - {drawn})
        assert draw_lot(options - {loser}, seed) == drawn

    def test_lots_are_fair_over_seeds(self):
        drawn = Counter(draw_lot((A, B, NONE_OF_THESE), seed) for seed in range(3000))
        assert set(drawn) == {A, B, NONE_OF_THESE}
        assert all(900 < times < 1100 for times in drawn.values())

    def test_a_lot_can_be_drawn_again_years_later(self):
        assert [draw_lot((A, B, C), seed) for seed in range(8)] == [11, 13, 13, 13, 11, 13, 11, 12]

    @given(st.integers(0, 8), st.integers())
    def test_the_ballot_order_is_a_permutation_that_the_seed_fixes(self, n, seed):
        assert sorted(ballot_order(n, seed)) == list(range(n))
        assert ballot_order(n, seed) == ballot_order(n, seed)

    def test_every_candidate_stands_first_equally_often(self):
        first = Counter(ballot_order(3, seed)[0] for seed in range(3000))
        assert all(900 < first[index] < 1100 for index in range(3))

    def test_the_lot_does_not_follow_the_order_on_the_ballot(self):
        agree = sum(ballot_order(3, seed)[0] == draw_lot((0, 1, 2), seed) for seed in range(3000))
        assert 900 < agree < 1100


class TestToggle:
    def test_approval_adds_takes_back_and_none_of_these_stands_alone(self):
        ballot: frozenset[int] = frozenset()
        seen = []
        for click in (A, B, A, NONE_OF_THESE, C, C):
            ballot = toggle_choice(ballot, click, Method.APPROVAL)
            seen.append(set(ballot))
        assert seen == [{A}, {A, B}, {B}, {NONE_OF_THESE}, {C}, set()]

    def test_plurality_replaces_and_takes_back(self):
        ballot: frozenset[int] = frozenset()
        seen = []
        for click in (A, B, NONE_OF_THESE, B, B):
            ballot = toggle_choice(ballot, click, Method.PLURALITY)
            seen.append(set(ballot))
        assert seen == [{A}, {B}, {NONE_OF_THESE}, {B}, set()]

    @given(st.sampled_from(Method), st.lists(st.sampled_from([A, B, C, NONE_OF_THESE]), max_size=12))
    def test_whatever_is_clicked_the_ballot_is_legal_or_withdrawn(self, method, clicks):
        ballot: frozenset[int] = frozenset()
        for click in clicks:
            ballot = toggle_choice(ballot, click, method)
        if ballot:
            decide([A, B, C], [Ballot(1, ballot, NOW)], method, 1, True, 0)


def test_the_electorate_counts_each_participant_once_and_is_at_least_the_quorum():
    assert electorate({1, 2, 3}, {3, 4}, quorum=2) == 4
    assert electorate(set(), {1}, quorum=5) == 5


def test_a_seeded_election_of_many_members_is_the_same_every_time():
    rng = random.Random(3)
    ballots = cast(*({rng.choice([A, B, C])} for _ in range(200)))
    assert len({decide_approval(ballots, seed=1).winner_id for _ in range(5)}) == 1
