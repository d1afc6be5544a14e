"""What is shown on Discord: legible, and nothing in it live."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.story.hygiene import neutralise
from bot.story.hygiene.neutralise import REMOVED_LINK


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # mentions and other entities
        ("@everyone and @here", "＠everyone and ＠here"),
        ("<@123> met <@!45> of <@&678>", "＠member met ＠member of ＠role"),
        ("in <#123>", "in #channel"),
        ("use </story start:99> now", "use /story start now"),
        ("at <t:1700000000:R> or <t:-5>", "at (time) or (time)"),
        ("<:fox:123> <a:run:45>", ":fox: :run:"),
        ("<id:browse> <@x> <<@1>@2>", "‹id:browse> <＠x> <＠member＠2>"),
        ("<</x:1>:2>", "‹/x:2>"),
        # links
        ("see https://evil.example/x?y=1.", f"see {REMOVED_LINK}."),
        ("see <https://evil.example/x>!", f"see {REMOVED_LINK}!"),
        ("[the well](https://evil.example)", "the well"),
        ("[the well](<https://evil.example> 'x')", "the well"),
        ("[a [b](https://x.example)](https://y.example)", f"[a b] ({REMOVED_LINK})"),
        ("join discord.gg/abc now", f"join {REMOVED_LINK} now"),
        ("DISCORD.GG/abc", REMOVED_LINK),
        ("discordapp.com/invite/abc", REMOVED_LINK),
        ("www.evil.example", REMOVED_LINK),
        ("discord://-/channels/1", REMOVED_LINK),
        ("h\u200bttps://evil.example", REMOVED_LINK),
        ("<mailto:a@b.example> <+4912345>", "‹mailto:a＠b.example> ‹+4912345>"),
        # markdown
        ("*he* _ran_ **fast**", "*he* _ran_ **fast**"),
        ("# The End", "\\# The End"),
        ("-# small", "\\-# small"),
        ("> quote\n>>> more", "\\> quote\n\\>>> more"),
        ("- one\n* two\n  + three\n1. four\n23) five", "\\- one\n\\* two\n  \\+ three\n1\\. four\n23\\) five"),
        ("*** scene", "*** scene"),
        ("`a` ``b`` ```\nc\n```", "\\`a\\` \\`\\`b\\`\\` \\`\\`\\`\nc\n\\`\\`\\`"),
        ("||secret|| a|b |||", "\\|\\|secret\\|\\| a|b \\|\\|\\|"),
        ("a \\* b \\` c", "a \\* b \\` c"),
        # the layout around it
        ("a\n\n\n\n \nb\n", "a\n\nb"),
        ("a\u202eb\u2066c\u200dd\ufeffe\u00adf", "abcdef"),
        ("z" + "\u0316" * 40 + "a", "z" + "\u0316" * 4 + "a"),
        ("Chapter 1\u2028He ran.\x00", "Chapter 1\nHe ran."),
        # prose stays prose
        ("“Well,” said Mr. Fox – 5 < 7 – “go!”", "“Well,” said Mr. Fox – 5 < 7 – “go!”"),
        ("e.g. http is a word; so is www", "e.g. http is a word; so is www"),
        ("- He said nothing.", "\\- He said nothing."),
        ("He was born in 1920. Then", "He was born in 1920. Then"),
    ],
)
def test_text_becomes_what_discord_shows_and_no_more(text, shown):
    assert neutralise(text) == shown


LIVE = re.compile(
    r"@|<[#/@]|<a?:\w+:\d+>|<t:|<id:|</|\]\(|://|(?<!\w)www\.\w"
    r"|discord(app)?\.(gg|com/invite)/|(?<!\\)`|(?<!\\)\|\|"
    r"|^\s*(#{1,3}|-#|>|>>>|[-*+]|\d+[.)])\s",
    re.IGNORECASE | re.MULTILINE,
)
entities = (
    "@ everyone < > <@ & ! # / : t: id: a: 123 fox http s :// www. discord.gg/ discord.com/invite/ x.example".split()
)
marks = "[ ]( ) ] ( \\ ` ``` | || - * _ 1. . , +".split()
pieces = st.sampled_from(
    [*entities, *marks, " ", "\n", "\n\n\n", "# ", "> ", ">>> ", "-# ", "\u202e", "\u200b", "\u0301", "é", "\r"]
)
displayed = st.lists(pieces, max_size=25).map("".join) | st.text(max_size=60)


@given(displayed)
def test_whatever_is_shown_nothing_in_it_is_live(text):
    shown = neutralise(text)
    # An escaped backslash must not hide that what follows it is live.
    assert not LIVE.search(re.sub(r"\\\\", "x", shown)), shown
    assert "\n\n\n" not in shown
    for char in shown:
        assert char == "\n" or unicodedata.category(char) != "Cc"
        assert unicodedata.category(char) != "Cs"
        assert char not in "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u061c"
        assert not "\u202a" <= char <= "\u202e"
        assert not "\u2060" <= char <= "\u206f"


@given(displayed)
def test_what_is_shown_can_be_shown_again(text):
    shown = neutralise(text)
    assert neutralise(shown) == shown


def test_long_hostile_texts_take_no_longer_than_their_length():
    """Each of these makes a quadratic pattern take minutes; the limit is the suite's own."""
    for piece in ("a", "[", "](", "<", "<@", "http", "\\", "`", "|", "\n", " ", "\n ", "1", "www.", "a.", "é\u0301"):
        neutralise(piece * (40_000 // len(piece)))
