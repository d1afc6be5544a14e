"""Real texts, where they lie beside the checkout; skipped where they don't."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.train.data.cleaning.encoding import is_broken, mend
from models.train.data.files import inspect_file
from models.train.data.gutenberg.book import Book, read_book
from models.train.data.readers.text import split_pieces
from tests.models.train.data.corpus import make, texts

TEXTS = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "stories"
pytestmark = pytest.mark.skipif(not TEXTS.is_dir(), reason="no real texts beside this checkout")


def read(name: str) -> tuple[str, Book]:
    text = "".join(inspect_file(TEXTS / "nltk_gutenberg" / name, name).lines())
    return text, read_book(text)


@pytest.mark.parametrize(
    ("name", "stories", "title"),
    [
        ("austen-emma.txt", 55, "Emma, Volume I, Chapter I"),
        ("austen-persuasion.txt", 24, "Persuasion, Chapter 1"),
        ("chesterton-thursday.txt", 15, "The Two Poets of Saffron Park"),
        ("chesterton-brown.txt", 12, "The Absence of Mr Glass"),
        ("milton-paradise.txt", 12, "Paradise Lost, Book I"),
        ("bryant-stories.txt", 53, "Two Little Riddles in Rhyme"),
    ],
)
def test_the_chapters_of_a_book_are_found_and_nearly_no_word_is_lost(name: str, stories: int, title: str) -> None:
    text, book = read(name)
    assert len(book.stories) == stories
    assert book.stories[0].title == title
    words = sum(len(story.text.split()) for story in book.stories)
    assert 0.985 < words / len(text.split()) <= 1


def test_prose_is_unwrapped_and_verse_is_not() -> None:
    _, emma = read("austen-emma.txt")
    _, blake = read("blake-poems.txt")
    emmas = [p for story in emma.stories for p in story.text.split("\n\n")]
    assert sum("\n" in p for p in emmas) < 0.03 * len(emmas)
    blakes = [p for story in blake.stories for p in story.text.split("\n\n")]
    assert sum("\n" in p for p in blakes) > 0.9 * len(blakes)


def test_a_licence_behind_an_nltk_text_is_taken_off() -> None:
    text, book = read("chesterton-ball.txt")
    assert "Small Print" in text
    assert not any("Gutenberg" in story.text or "Small Print" in story.text for story in book.stories)
    assert len(book.stories) == 20


def test_mojibake_in_real_stories_is_mended() -> None:
    lines = inspect_file(TEXTS / "tinystories" / "train_cased.txt", "t").lines()
    broken = [piece for piece in split_pieces(lines) if "â€" in piece]
    assert broken
    assert not [piece for piece in broken if is_broken(mend(piece))]


def test_a_dataset_of_several_kinds_comes_out_whole(tmp_path: Path) -> None:
    manifest = make(
        tmp_path,
        {"kind": "text", "path": str(TEXTS / "cc_by_african_storybook"), "limit": 120},
        {"kind": "jsonl", "path": str(TEXTS / "aesop_for_children")},
        {"kind": "text", "path": str(TEXTS / "pd_children/train/Potter__The_Tale_of_Johnny_Town_Mouse.txt")},
        splits={"validation": 0.1, "test": 0},
    )
    assert manifest.splits["validation"].stories > 10
    assert {s["name"] for s in manifest.record["sources"] if s["stories"]} >= {"cc_by_african_storybook"}
    kept = "\n".join(texts(tmp_path / "out"))
    assert "<|endoftext|>" not in kept
    assert "Timmy Willie" in kept
