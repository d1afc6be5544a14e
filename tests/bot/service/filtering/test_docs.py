"""What docs/moderation.md says of the filters is so."""

from __future__ import annotations

from pathlib import Path

from bot.filters.levels import LISTED, Levels, Tier
from bot.service.departures import HITS_KEPT_FOR
from bot.service.filtering.files import MAX_FILE_RULES
from bot.service.filtering.scoring import SCORE_CANDIDATES_S, SCORE_S
from bot.service.filtering.trial import MAX_SCORED, MAX_TEXTS

DOCS = (Path(__file__).resolve().parents[4] / "docs" / "moderation.md").read_text(encoding="utf-8")


def test_the_default_levels_are_those_of_the_table() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in DOCS.splitlines() if line.startswith("| ")
    ]
    head = ["list", "everybody", "teens and older", "adults"]
    start = rows.index(head) + 1
    said = {row[0]: row[1:] for row in rows[start : start + len(LISTED)]}
    assert said == {name: [Levels.of_tier(tier).level(name).value for tier in Tier] for name in LISTED}


def test_the_bounds_are_those_of_the_program() -> None:
    for said in (
        f"up to {MAX_TEXTS:,} texts",
        f"({MAX_SCORED} where a classifier",
        f"up to {MAX_FILE_RULES} rules",
        f"({SCORE_S:g} second for what somebody typed, {SCORE_CANDIDATES_S:g} for candidates)",
        f"for {HITS_KEPT_FOR.days} days",
    ):
        assert said in DOCS, said
