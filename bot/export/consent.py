"""The rule of consent: which passages of a server may be used to train models.

Nothing is free unless the server has turned learning on. Then a passage is free that the model wrote and members voted
into the story. What a member typed never is; so neither is a light rewrite of it, most of whose words are still the
member's.
"""

from __future__ import annotations

from typing import Protocol

from bot.story.model import Candidate, Passage, Round, Source, Style

LIGHT_MARK = "mask_share"
"""The sampling of every light rewrite says which share of the words was hidden, and of no other text."""


class History(Protocol):
    """How the passages of a database came to be."""

    def passage(self, passage_id: int) -> Passage:
        """The passage with this id."""
        ...

    def round(self, round_id: int) -> Round:
        """The round with this id."""
        ...

    def winner(self, round_id: int) -> Candidate | None:
        """The candidate that won the round."""
        ...


def is_free(history: History, passage: Passage) -> bool:
    """Whether the passage is free in a server that has turned learning on.

    A copy is what its original is. A light rewrite is what the passage is that it replaced, however often that was
    rewritten lightly itself; so the chain is followed back to a text that somebody wrote anew. What moderators have
    hidden or removed is not free, nor is a light rewrite of it.
    """
    while True:
        if passage.mark is not None:
            return False
        original = passage if passage.copy_of is None else history.passage(passage.copy_of)
        if original.source is not Source.MODEL or original.round_id is None:
            return False  # typed by a member, or nothing says that anybody voted for it
        round_ = history.round(original.round_id)
        if not _is_light(round_, history.winner(round_.id)):
            return True
        if round_.passage_id is None:
            return False
        passage = history.passage(round_.passage_id)


def _is_light(round_: Round, winner: Candidate | None) -> bool:
    """By the stored sampling; by the round's style too, for a candidate without any."""
    if winner is not None and winner.provenance is not None and LIGHT_MARK in winner.provenance.sampling:
        return True
    return round_.style is Style.LIGHT
