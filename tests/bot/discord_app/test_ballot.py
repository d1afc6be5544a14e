"""Ballots of every shape stay within Discord's limits and never cut a text silently."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.discord_app import announcement, ballot, reading
from bot.discord_app.buttons import Drawing
from bot.discord_app.forms import MAX_OPTIONS
from bot.discord_app.markup import width
from bot.service.views import BallotView, ResultView, StoryLine, StoryPage, StoryView
from bot.story.election import decide
from bot.story.model import (
    Ballot,
    Candidate,
    Method,
    Passage,
    PromptRecord,
    Provenance,
    Round,
    RoundKind,
    RoundSettings,
    RoundState,
    Source,
    Story,
    Style,
    Tally,
)

unhurried = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
"""Drawing a nasty text takes a while, and the machine may be busy."""
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NASTY = "a 🦊\n# @<#1>|`*_.é\u0301-/:"
TEXTS = st.one_of(
    st.text(alphabet=NASTY, min_size=1, max_size=300),
    st.text(alphabet=NASTY, min_size=1, max_size=40).map(lambda text: (text * 400)[:4000]),
    st.just("word " * 800),
    st.just("|" * 4000),
).map(lambda text: "x" + text)


def provenance(model: str) -> Provenance:
    return Provenance(model, "r1", 1, {}, PromptRecord(), None, None, "stop")


@st.composite
def views(draw: st.DrawFn) -> BallotView:
    kind = draw(st.sampled_from(RoundKind))
    kept = RoundSettings(
        candidates=draw(st.integers(2, 5)), method=draw(st.sampled_from(Method)), tally=draw(st.sampled_from(Tally))
    )
    sources = [*[Source.MODEL] * draw(st.integers(0, 5)), *[Source.MEMBER] * draw(st.integers(1, 3))]
    if kind is RoundKind.REWRITE and len(sources) < 8:
        sources.append(Source.INCUMBENT)
    candidates = tuple(
        Candidate(
            id=10**12 + place,
            round_id=10**12,
            position=place,
            text=draw(TEXTS),
            source=source,
            author_user_id=None if source is Source.MODEL else 10**18 + place,
            passage_id=7 if source is Source.INCUMBENT else None,
            provenance=provenance("m" * 300) if source is Source.MODEL else None,
        )
        for place, source in enumerate(sources)
    )
    hint = draw(st.one_of(st.none(), TEXTS.map(lambda text: text[:500])))
    is_rewrite = kind is RoundKind.REWRITE
    round_ = Round(
        *(10**12, 1, kind, RoundState.OPEN, kept, hint, 5, 6, 7, 8, None, 70, 9, 0, NOW, NOW),
        extended=True,
        passage_id=draw(st.sampled_from([7, 70])) if is_rewrite else None,
        style=draw(st.sampled_from(Style)) if is_rewrite else Style.FRESH,
    )
    story = Story(1, 6, 7, draw(TEXTS)[:100], draw(TEXTS)[:1500], None, 5, NOW)
    live = kept.tally is Tally.LIVE
    return BallotView(
        round=round_,
        story=story,
        candidates=candidates,
        num_ballots=draw(st.integers(0, 999)),
        tally={candidate.id: 999 for candidate in candidates} if live else None,
        incumbent_id=next((c.id for c in candidates if c.source is Source.INCUMBENT), None),
        notices=("One notice " + "n" * 80 + ".",) * 4,
        passage_number=123_456 if is_rewrite else None,
    )


def closed(view: BallotView) -> ResultView:
    """The view's round after a vote that its first candidate won."""
    ids = [candidate.id for candidate in view.candidates]
    ballots = [Ballot(user_id, frozenset({ids[0]}), NOW) for user_id in range(3)]
    outcome = decide(ids, ballots, view.round.settings.method, 2, True, view.round.seed)
    winner = view.candidates[0]
    is_incumbent = winner.source is Source.INCUMBENT
    passage = Passage(9, 1, None, winner.text, winner.source, winner.author_user_id, view.round.id, None, NOW)
    round_ = replace(view.round, state=RoundState.CLOSED, closed_by=10**18, winner_id=winner.id)
    after = replace(view, round=round_, tally=outcome.tally, num_ballots=3)
    return ResultView(after, outcome, passage if not is_incumbent else replace(passage, round_id=None), winner)


def check_limits(drawing: Drawing) -> None:
    assert drawing.num_components <= 40
    assert sum(map(width, drawing.texts)) <= 4000
    assert all(drawing.texts)


def shown_whole(candidate: Candidate, drawing: Drawing) -> bool:
    """Whether the whole of a candidate stands in the drawing, as pages of unlimited size would show it, or in bold."""
    (whole,) = ballot.excerpt(candidate.text, 10**6)[:1]
    return any(whole in text or whole in text.replace("**", "") for text in drawing.texts)


def labels(drawing: Drawing) -> list[str]:
    return [item.label for item in drawing.walk_children() if isinstance(item, ballot.discord.ui.Button) and item.label]


@unhurried
@given(views())
def test_an_open_ballot_stays_within_the_limits_and_offers_what_it_cuts(view: BallotView) -> None:
    drawing = ballot.open_ballot(view)
    check_limits(drawing)
    for candidate in view.candidates:
        assert f"Vote {candidate.letter}" in labels(drawing)
        assert shown_whole(candidate, drawing) != (f"Read all of {candidate.letter}" in labels(drawing))
    assert "None of these" in labels(drawing)


@unhurried
@given(views())
def test_an_open_ballot_tells_neither_authors_nor_hidden_counts(view: BallotView) -> None:
    said = "\n".join(ballot.open_ballot(view).texts)
    assert "written by <@" not in said
    assert "mmm" not in said
    assert ("999 votes" in said) == (view.tally is not None)


@unhurried
@given(views())
def test_a_closed_ballot_stays_within_the_limits_and_has_nothing_to_vote_with(view: BallotView) -> None:
    result = closed(view)
    drawing = ballot.closed_ballot(result)
    check_limits(drawing)
    assert not any(label.startswith(("Vote", "None")) for label in labels(drawing))
    assert labels(drawing)[-1] == "Report…"
    said = "\n".join(drawing.texts)
    assert "A · chosen" in said
    assert "Voting is closed" in said
    assert "A won with 3 votes." in said
    for candidate in result.ballot.candidates:
        if candidate.source is Source.MEMBER:
            assert f"written by <@{candidate.author_user_id}>" in said


@unhurried
@given(views())
def test_announcements_fit_and_carry_the_whole_passage(view: BallotView) -> None:
    messages = announcement.announcement(closed(view))
    assert all(0 < width(message) <= 2000 for message in messages)


@unhurried
@given(views(), st.integers(0, 50))
def test_the_pages_of_a_candidate_fit_and_have_all_of_it(view: BallotView, page: int) -> None:
    candidate = view.candidates[0]
    check_limits(reading.candidate_page(candidate, page))
    whole = "".join(ballot.excerpt(candidate.text, 10**6)[0].split())
    read = ""
    for number in range(50):
        drawing = reading.candidate_page(candidate, number)
        read += drawing.texts[0].split("\n", 1)[1]
        if not any(label.startswith("Next") for label in labels(drawing)):
            break
    # A page's own beginning may need a backslash that the middle of a line does not.
    assert "".join(read.split()).replace("\\", "") == whole.replace("\\", "")


@unhurried
@given(views(), st.integers(0, 9999), st.integers(0, 6))
def test_the_pages_of_a_story_fit(view: BallotView, page: int, num_passages: int) -> None:
    passages = tuple(
        Passage(number, 1, None, view.candidates[0].text, Source.MODEL, None, 1, None, NOW)
        for number in range(num_passages)
    )
    story = StoryView(view.story, passages, view.round)
    check_limits(reading.story_page(story, reading.story_pieces(story), page))


@unhurried
@given(views(), st.lists(st.integers(1, 30) | st.just(900), min_size=60, max_size=120))
def test_the_pages_of_a_story_have_all_of_it_and_never_more_passages_than_a_menu(
    view: BallotView, lengths: list[int]
) -> None:
    passages = tuple(
        Passage(number, 1, None, "word " * length, Source.MODEL, None, 1, None, NOW)
        for number, length in enumerate(lengths)
    )
    story = StoryView(view.story, passages, view.round)
    pages = reading.story_pieces(story)
    assert "".join(pages).endswith("\n\n".join(passage.text for passage in passages))
    assert all(pages)
    shown = [reading.passages_of_page(story, pages, page) for page in range(len(pages))]
    assert all(len(page) <= MAX_OPTIONS for page in shown)
    assert {number for page in shown for number, _ in page} == set(range(1, len(passages) + 1))


@unhurried
@given(views(), st.integers(0, 10))
def test_the_list_of_stories_fits(view: BallotView, number: int) -> None:
    lines = tuple(StoryLine(replace(view.story, channel_id=10**18), 123456) for _ in range(10))
    check_limits(reading.list_page(StoryPage(lines, number, has_more=True)))


@unhurried
@given(views())
def test_what_stands_while_writing_and_after_a_failure_fits(view: BallotView) -> None:
    check_limits(ballot.writing(view))
    failed = replace(view.round, state=RoundState.FAILED, failure="x" * 200)
    check_limits(ballot.ended(replace(view, round=failed)))
