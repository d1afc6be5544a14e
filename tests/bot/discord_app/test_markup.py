"""Texts are made harmless and cut into pages; nothing of them is lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_app.markup import excerpt, jump_link, pages, pieces, share, width

STORY_TEXT = st.text(
    alphabet=st.one_of(st.sampled_from("ab *_|`<>@#/:-.\n\u0301\u200d🦊👨é"), st.characters(exclude_categories=["Cs"])),
    max_size=600,
)


@settings(deadline=None)
@given(STORY_TEXT, st.integers(60, 400))
def test_pieces_joined_are_the_text_and_each_fits(text: str, limit: int) -> None:
    assert "".join(pieces(text, limit)) == text
    assert all(width(page) <= limit for page in pages(text, limit))


@settings(deadline=None)
@given(STORY_TEXT, st.integers(60, 400))
def test_an_excerpt_fits_and_says_whether_it_is_whole(text: str, limit: int) -> None:
    shown, is_cut = excerpt(text, limit)
    assert width(shown) <= limit
    assert shown.endswith("…") if is_cut else True


@given(st.lists(st.integers(0, 5000), max_size=8), st.integers(0, 4000))
def test_shares_stay_within_the_budget_and_short_texts_get_all_they_need(widths: list[int], budget: int) -> None:
    shares = share(widths, budget)
    assert sum(shares) <= budget
    assert all(0 <= got <= wanted for got, wanted in zip(shares, widths, strict=True))
    if sum(widths) <= budget:
        assert shares == widths
    elif shares:
        # Nobody goes short while somebody else has more than a fair part.
        cut = [got for got, wanted in zip(shares, widths, strict=True) if got < wanted]
        assert max(cut) - min(cut) <= len(widths)


def test_pages_end_at_paragraphs_and_words() -> None:
    text = "\n\n".join(f"Paragraph {number} " + "word " * 30 for number in range(6)).strip()
    found = pages(text, 400)
    assert len(found) > 1
    assert all(page.startswith("Paragraph") for page in found)


def test_a_text_without_any_border_is_cut_between_whole_characters() -> None:
    found = pages("e\u0301" * 300, 100)
    assert all(page[0] != "\u0301" for page in found)
    assert "".join(found) == "é" * 300


@pytest.mark.parametrize("text", ["@everyone", "<@123>", "https://evil.example/x", "<t:1:R>", "\u202egnp.exe"])
def test_what_is_shown_is_harmless(text: str) -> None:
    (page,) = pages(text, 100)
    assert text not in page


def test_block_markdown_loses_its_effect() -> None:
    assert pages("# big", 100) == ["\\# big"]


def test_width_counts_as_discord_might_at_most() -> None:
    assert width("🦊") == 2
    assert width("é") == 1


def test_a_jump_link_leads_to_the_message() -> None:
    assert jump_link(1, 2, 3) == "https://discord.com/channels/1/2/3"
