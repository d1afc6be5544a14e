"""Pictures for the demo's members and its bot: a letter on a colour, so that one sees who speaks."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from simcord.backend.cdn import CDN_BASE

SIZE = 128
"""Pixels; the page shows them in 40."""

HASH = "demo"
"""What an account's avatar is called in its address."""

COLOURS = ("#3f7d58", "#8a5a9e", "#b3643c", "#3b6ea5")


def draw_avatars(names: Mapping[int, str]) -> dict[str, tuple[str, bytes]]:
    """Address → (file name, PNG) for every account id in `names`; each gets a colour by its place."""
    return {
        f"{CDN_BASE}/avatars/{account_id}/{HASH}.png": (f"{name}.png", _draw(name[0], COLOURS[place % len(COLOURS)]))
        for place, (account_id, name) in enumerate(names.items())
    }


def _draw(letter: str, colour: str) -> bytes:
    picture = Image.new("RGB", (SIZE, SIZE), colour)
    middle = (SIZE / 2, SIZE / 2)
    ImageDraw.Draw(picture).text(middle, letter, fill="white", font=ImageFont.load_default(SIZE * 0.55), anchor="mm")
    written = BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()
