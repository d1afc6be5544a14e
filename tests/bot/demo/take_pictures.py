"""Takes the pictures of the demo's page for the README and the docs: `make pictures`."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.bot.demo.browser import Reader, reading, running_demo

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "images"
WIDTH, HEIGHT = 1000, 1040
TITLE = "The Lantern Keeper"
PREMISE = "A young girl named Mara keeps the lantern of a small village. One night the lantern goes out."


async def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        async with running_demo(Path(data)) as demo, reading(WIDTH, HEIGHT) as reader:
            await reader.open(demo.address)
            await play(reader)
            await moderate(reader)
            await demo.stop()


async def play(reader: Reader) -> None:
    """Two rounds; the second one is shown, and its result."""
    await reader.command("story start", title=TITLE, premise=PREMISE)
    await reader.sees("A new story begins")
    await reader.command("continue")
    await vote(reader, "A")
    await reader.sees("goes on:")
    await reader.become("Ada")
    await reader.command("continue", hint="a lantern")
    await reader.shows_button("Vote C")
    await reader.picture(FOLDER / "ballot.png")
    await vote(reader, "B")
    await reader.sees("B won with 2 votes.")
    await reader.picture(FOLDER / "result.png")


async def moderate(reader: Reader) -> None:
    """A preset is taken over, a text is tested, a rule is made, and a report arrives as a card."""
    await reader.become("Ada")
    await reader.command("filters preset", preset="privacy")
    await reader.press("Take it over")
    await reader.sees("rules were added")
    await reader.command("filters show")
    await reader.sees("What may be said here")
    await reader.picture(FOLDER / "filters_show.png")
    await reader.command("filters test", text="Don't b1tch about it, said the w i t c h.")
    await reader.sees("What was found")
    await reader.picture(FOLDER / "filters_test.png")
    await reader.command("filters add", kind="words")
    await reader.fill(name="spoilers", entries="Mara dies\nthe lantern was a lie", reason="A reading is on Sunday.")
    await reader.sees("spoilers")
    await reader.picture(FOLDER / "filters_rule.png")
    await reader.command("continue")
    await reader.shows_button("Vote C")
    await reader.become("Chloe")
    await reader.press("Report…")
    await reader.fill(choice="Candidate B", reason="It is about somebody here.")
    await reader.sees("Thank you")
    await reader.become("Ada")
    await reader.turn_to("moderators")
    await reader.shows_button("Dismiss…")
    await reader.picture(FOLDER / "case.png")


async def vote(reader: Reader, letter: str) -> None:
    """Whoever is at the page votes, and then Ben."""
    await reader.press(f"Vote {letter}")
    await reader.sees(f"Your vote: {letter}")
    await reader.become("Ben")
    await reader.press(f"Vote {letter}")


if __name__ == "__main__":
    asyncio.run(main())
