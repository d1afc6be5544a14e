"""The benchmark of changes."""

from __future__ import annotations

from bot.service.filtering.measure import measure


def test_the_benchmark_judges_by_the_new_rules_after_every_kind_of_change() -> None:
    (figures,) = measure(1, [(10, 0)])
    kinds = {name: spread for name, spread in figures.items() if isinstance(spread, dict)}
    assert len(kinds) == 6
    assert all(0 < one["answered_ms"] <= one["judged_ms"] <= one["judged_ms_max"] for one in kinds.values())
