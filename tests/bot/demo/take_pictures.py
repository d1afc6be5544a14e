"""Takes the README's pictures of the demo's page: `make pictures`."""

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


async def vote(reader: Reader, letter: str) -> None:
    """Whoever is at the page votes, and then Ben."""
    await reader.press(f"Vote {letter}")
    await reader.sees(f"Your vote: {letter}")
    await reader.become("Ben")
    await reader.press(f"Vote {letter}")


if __name__ == "__main__":
    asyncio.run(main())
