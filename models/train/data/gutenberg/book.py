"""One plain text file of Project Gutenberg → the book's tales or chapters."""

from __future__ import annotations

from dataclasses import dataclass

from models.train.data.gutenberg.blocks import Block, split_blocks, unwrap, wrap_point
from models.train.data.gutenberg.chapters import Section, name_sections, prose_words, split_sections
from models.train.data.gutenberg.debris import SCENE_BREAK, drop_debris, is_break, is_credit, is_ending
from models.train.data.gutenberg.licence import strip_licence
from models.train.sources import Story

_MIN_PRELUDE_WORDS = 100
"""What stands before the first heading is a title page unless it has this many words of prose."""

_MAX_TITLE_WORDS = 20


@dataclass(frozen=True)
class Book:
    """A book's stories in order, and what its header said of it."""

    stories: tuple[Story, ...]
    title: str | None
    author: str | None
    language: str | None
    number: str | None
    is_copyrighted: bool


def read_book(text: str, *, chapters: bool = True, front_matter: bool = False) -> Book:
    """The book in a file: licence off, debris out, line ends undone, one story a chapter (or one in all).

    `front_matter` keeps prefaces, notes and the like, but never a table of contents.
    """
    stripped = strip_licence(text.replace("\r\n", "\n").replace("\r", "\n"))
    blocks = [b for b in split_blocks(drop_debris(stripped.text)) if not is_credit(b.text) and not is_ending(b.text)]
    wrap = wrap_point(blocks)
    sections = _worth_keeping(list(split_sections(blocks)), wrap, front_matter)
    stories = [Story(_body(section.blocks, wrap), title) for section, title in name_sections(sections, stripped.title)]
    stories = [story for story in stories if story.text]
    if not chapters:
        stories = [Story("\n\n".join(story.text for story in stories), stripped.title)] if stories else []
    return Book(
        tuple(stories), stripped.title, stripped.author, stripped.language, stripped.number, stripped.is_copyrighted
    )


def _worth_keeping(sections: list[Section], wrap: int, front_matter: bool) -> list[Section]:
    if len(sections) > 1 and _is_title_page(sections[0], wrap):
        sections = sections[1:]
    if len(sections) == 1:
        return sections
    return [section for section in sections if _is_worth_keeping(section, wrap, front_matter)]


def _is_worth_keeping(section: Section, wrap: int, front_matter: bool) -> bool:
    if section.is_matter:
        return front_matter and prose_words(section, wrap) >= _MIN_PRELUDE_WORDS
    return bool(section.headings) or prose_words(section, wrap) >= _MIN_PRELUDE_WORDS


def _is_title_page(section: Section, wrap: int) -> bool:
    """The book's name in capitals with nothing but names and places below it."""
    words = sum(block.num_words for block in section.blocks)
    names_author = any(block.text.lower().startswith("by ") for block in section.blocks)
    return not section.is_part and not prose_words(section, wrap) and (words < _MAX_TITLE_WORDS or names_author)


def _body(blocks: list[Block], wrap: int) -> str:
    paragraphs = [SCENE_BREAK if is_break(block.text) else unwrap(block, wrap) for block in blocks]
    while paragraphs and paragraphs[0] == SCENE_BREAK:
        paragraphs.pop(0)
    while paragraphs and paragraphs[-1] == SCENE_BREAK:
        paragraphs.pop()
    return "\n\n".join(paragraphs)
