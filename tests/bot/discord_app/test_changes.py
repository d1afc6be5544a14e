"""Light rewrites as members see them: the changed words in bold, everything else harmless and as it was."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_app.changes import mark_changes
from bot.story.hygiene import neutralise

TEXTS = st.text(alphabet="ab \n#@<1>|`.é-", max_size=80)


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("The old fox ran.", "The grey fox ran.", "The **grey** fox ran."),
        ("The old fox ran.", "The wise grey fox slept.", "The **wise grey** fox **slept.**"),
        ("The fox ran.", "The fox ran.", "The fox ran."),
        ("The fox ran home.", "The fox ran.", "The fox **ran.**"),
        ("One line.\n\nTwo here.", "One row.\n\nAll here.", "One **row.**\n\n**All** here."),
        ("The *old* fox.", "The *grey* fox.", "The *grey* fox."),
        ("The fox.", "The @everyone.", "The **＠everyone.**"),
        ("He ran.", "# He ran.", "**\\#** He ran."),
    ],
)
def test_changed_words_are_bold(old: str, new: str, shown: str) -> None:
    assert mark_changes(old, new) == shown


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_without_the_bold_it_is_the_harmless_text(old: str, new: str) -> None:
    shown = mark_changes(old, new)
    assert shown.replace("**", "") == neutralise(new).strip()
    assert shown.count("**") % 2 == 0
