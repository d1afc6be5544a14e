"""Closed rounds and their ballots for the evaluation: who was chosen over whom. No member and no text is in it.

A candidate is named by who wrote it: a member (all members are one author), or a model with its revision and sampling.
Ballots stand in no order that would tell which ballots of two rounds are of the same member.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import StoreError
from bot.store.archive import Archive
from bot.story.model import NONE_OF_THESE, Ballot, Candidate, Method, Provenance, Round, Source

VERSION = 1
LEAST_CANDIDATES = 2
UNKNOWN_MODEL = "unknown"
"""For a text of a model that left no record of which."""
OF_ONE_REQUEST = frozenset({"max_tokens", "stop", "must_include", "banned_phrases", "keep"})
"""Stored beside the sampling, but these follow from a round's hint, length, format or filters: no way of sampling."""


@dataclass
class VoteCounts:
    """What was written so far, and how many rounds had too few candidates to compare."""

    rounds: int = 0
    ballots: int = 0
    left_out: int = 0


def export_head() -> dict[str, Any]:
    """What stands before the rounds."""
    return {"version": VERSION}


def require_guild(archive: Archive, guild_id: int | None) -> None:
    """Raises StoreError for a server of which there is nothing; None, which is all of them, is fine."""
    if guild_id is not None and not archive.knows_guild(guild_id):
        raise StoreError(f"There is nothing of a server {guild_id} in the database.")


def round_records(archive: Archive, guild_id: int | None, counts: VoteCounts) -> Iterator[dict[str, Any]]:
    """Every closed round with at least two candidates, the oldest first, one in memory at a time."""
    for round_ in archive.closed_rounds(guild_id):
        candidates = archive.candidates(round_.id)
        if len(candidates) < LEAST_CANDIDATES:
            counts.left_out += 1
            continue
        ballots = _ballot_records(archive.ballots(round_.id), round_, candidates)
        counts.rounds += 1
        counts.ballots += len(ballots)
        yield {
            "id": str(round_.id),
            "kind": round_.kind.value,
            "candidates": [_candidate_record(archive, candidate) for candidate in candidates],
            "ballots": ballots,
        }


def sampling_label(sampling: Mapping[str, Any]) -> str:
    """A short name for a way of sampling, the same whatever order its numbers were stored in."""
    told = {name: value for name, value in sampling.items() if name not in OF_ONE_REQUEST}
    return " ".join(
        f"{name}={value:g}" if _is_number(value) else f"{name}={value}" for name, value in sorted(told.items())
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _candidate_record(archive: Archive, candidate: Candidate) -> dict[str, Any]:
    source, provenance = _author(archive, candidate)
    record: dict[str, Any] = {
        "id": str(candidate.id),
        "author": "member" if source is Source.MEMBER else "model",
        "position": candidate.position + 1,
    }
    if source is Source.MEMBER:
        return record
    if provenance is None:
        return record | {"model": UNKNOWN_MODEL}
    named = {"model": provenance.model or UNKNOWN_MODEL, "revision": provenance.revision}
    return record | named | {"sampling": sampling_label(provenance.sampling)}


def _author(archive: Archive, candidate: Candidate) -> tuple[Source, Provenance | None]:
    """Who wrote the candidate. An incumbent was written when its passage won; a copy, when its original did."""
    if candidate.source is not Source.INCUMBENT or candidate.passage_id is None:
        return candidate.source, candidate.provenance
    passage = archive.passage(candidate.passage_id)
    if passage.copy_of is not None:
        passage = archive.passage(passage.copy_of)
    winner = None if passage.round_id is None else archive.winner(passage.round_id)
    return passage.source, None if winner is None else winner.provenance


def _ballot_records(ballots: Sequence[Ballot], round_: Round, candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Sorted by what was chosen, in the order of the candidates: the store's order is that of the members' ids."""
    places = {candidate.id: candidate.position for candidate in candidates}
    chosen = sorted(sorted((places[c], c) for c in ballot.choices if c != NONE_OF_THESE) for ballot in ballots)
    return [_ballot_record([str(number) for _, number in one], round_.settings.method) for one in chosen]


def _ballot_record(chosen: list[str], method: Method) -> dict[str, Any]:
    """None of these, by either method, is a ballot that approves of nothing."""
    return {"chosen": chosen[0]} if method is Method.PLURALITY and chosen else {"approved": chosen}
