"""Reads a round from the store as members may see it."""

from __future__ import annotations

from collections.abc import Sequence

from bot.service.sampling import MAX_REROLLS
from bot.service.views import BallotView
from bot.store import Store
from bot.story.election import Rule, count_ballots
from bot.story.model import Candidate, Round, RoundKind, RoundState, Source, Style, Tally


async def read_ballot(store: Store, round_: Round) -> BallotView:
    """The view of a round that was just read."""
    candidates = tuple(await store.candidates(round_.id))
    ballots = await store.ballots(round_.id)
    ids = [candidate.id for candidate in candidates]
    incumbent = next((c.id for c in candidates if c.source is Source.INCUMBENT), None)
    return BallotView(
        round=round_,
        story=await store.story(round_.story_id),
        candidates=candidates,
        num_ballots=len(ballots),
        tally=count_ballots(ids, ballots, round_.settings.method) if may_show_tally(round_) else None,
        incumbent_id=incumbent,
        notices=notices(round_, candidates, await store.withdrawn_candidates(round_.id)),
        passage_number=None if round_.passage_id is None else await store.passage_number(round_.passage_id),
    )


def may_show_tally(round_: Round) -> bool:
    """Counts sway those who have not voted yet, so they stay hidden until the close unless a channel wants them."""
    return round_.state is RoundState.CLOSED or round_.settings.tally is Tally.LIVE


def notices(round_: Round, candidates: Sequence[Candidate], withdrawn: Sequence[Candidate] = ()) -> tuple[str, ...]:
    """What members should know about this ballot, from the stored round alone, so that a redraw says the same."""
    if round_.state not in (RoundState.OPEN, RoundState.CLOSED):
        return ()
    found = (
        _reroll(round_),
        _withheld(round_),
        _fewer(round_, [*candidates, *withdrawn]),
        _without_hint(round_, candidates),
        _without_sight(round_, candidates),
        _withdrawn(withdrawn),
        _extended(round_),
        _given_up(round_),
    )
    return tuple(sentence for sentence in found if sentence)


def _reroll(round_: Round) -> str | None:
    if round_.reroll == 0:
        return None
    what = "versions" if round_.kind is RoundKind.REWRITE else "continuations"
    return f"The members wanted none of the earlier {what}, so these are new."


def _withheld(round_: Round) -> str | None:
    if round_.withheld == 0:
        return None
    return f"{_number(round_.withheld, 'candidate was', 'candidates were')} withheld by a filter."


def _fewer(round_: Round, candidates: Sequence[Candidate]) -> str | None:
    written = sum(candidate.source is Source.MODEL for candidate in candidates)
    wanted = round_.settings.candidates
    if written >= wanted:
        return None
    if written == 0:
        return "The storyteller had nothing to offer this time, so only members' texts stand here."
    if round_.style is Style.LIGHT:
        return f"Only {written} of {wanted} candidates: the others changed no word, were the same, or did not arrive."
    if round_.withheld:
        # Fewer than wanted, with texts that came: so it was asked again.
        return (
            f"Only {written} of {wanted} candidates: the storyteller was asked again and given up, since what else it "
            "wrote was withheld, unfinished or too similar."
        )
    return f"Only {written} of {wanted} candidates: the others were unfinished, too similar, or did not arrive."


def _without_hint(round_: Round, candidates: Sequence[Candidate]) -> str | None:
    """A model may not have been taught hints; whoever gave one should not take the candidates for its answer."""
    if round_.hint is None or round_.style is Style.LIGHT:
        return None
    told = [c.provenance for c in candidates if c.provenance is not None]
    if not told or any(p.prompt.hint_used is not None or "must_include" in p.sampling for p in told):
        return None
    what = "instruction" if round_.kind is RoundKind.REWRITE else "hint"
    return f"This storyteller could make nothing of the {what}, so it was left out."


def _without_sight(round_: Round, candidates: Sequence[Candidate]) -> str | None:
    """In the middle of a story, whether the model was told what its text has to lead to."""
    told = [c.provenance for c in candidates if c.provenance is not None]
    if not round_.is_in_the_middle or not told or any(p.prompt.suffix_used is not None for p in told):
        return None
    return "The storyteller could not see what comes after this passage, so the new versions may not lead there."


def _extended(round_: Round) -> str | None:
    return "The deadline was moved once, because too few had voted." if round_.extended else None


def _given_up(round_: Round) -> str | None:
    is_none_of_these = round_.state is RoundState.CLOSED and round_.winner_id is None and round_.rule != Rule.NO_VOTES
    if not is_none_of_these or round_.reroll < MAX_REROLLS:
        return None
    return f"That was none of these {round_.reroll + 1} times in a row. Ask again when you like, perhaps with a hint."


def _withdrawn(withdrawn: Sequence[Candidate]) -> str | None:
    if not withdrawn:
        return None
    *others, last = [candidate.letter for candidate in withdrawn]
    letters = f"{', '.join(others)} and {last}" if others else last
    return f"The moderators took {letters} off this ballot; votes for that don't count."


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
