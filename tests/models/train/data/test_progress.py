from __future__ import annotations

import io
import sys

import pytest

from models.train.data.progress import show_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_and_nothing_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, drawn in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        assert list(show_progress(iter([1, 2, 3]), "reading tales", 3)) == [1, 2, 3]
        assert ("reading tales: 100%" in stream.getvalue()) is drawn


def test_items_are_asked_for_one_at_a_time() -> None:
    items = iter(range(5))
    shown = show_progress(items, "reading")
    assert next(shown) == 0
    assert next(items) == 1
