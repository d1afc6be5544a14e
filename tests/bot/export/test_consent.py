"""A light rewrite is known by its stored sampling, and by its round's style where no sampling is stored."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bot.export.consent import is_free
from bot.story.model import Passage, PromptRecord, Provenance, Source, Style

AT = datetime(2026, 3, 1, tzinfo=UTC)


def passage(number: int, source: Source) -> Passage:
    author = 7 if source is Source.MEMBER else None
    return Passage(number, 1, None, "Text.", source, author, number, None, AT)


def provenance(**sampling: float) -> Provenance:
    return Provenance("rewriter", None, 1, sampling, PromptRecord(), None, None, "stop")


def history(style: Style, stored: Provenance | None) -> Any:
    """Passage 2, by the model, replaced passage 1, which a member typed."""
    passages = {1: passage(1, Source.MEMBER), 2: passage(2, Source.MODEL)}
    round_ = SimpleNamespace(id=2, style=style, passage_id=1)
    winner = SimpleNamespace(provenance=stored)
    return SimpleNamespace(passage=passages.get, round={2: round_}.get, winner={2: winner}.get)


@pytest.mark.parametrize(
    ("style", "stored", "free"),
    [
        (Style.FRESH, provenance(temperature=0.8), True),
        (Style.FRESH, None, True),
        (Style.FRESH, provenance(mask_share=0.25), False),
        (Style.LIGHT, provenance(temperature=0.8), False),
        (Style.LIGHT, None, False),
    ],
)
def test_a_light_rewrite_of_a_members_words_is_not_free(style: Style, stored: Provenance | None, free: bool) -> None:
    known = history(style, stored)
    assert is_free(known, known.passage(2)) is free
