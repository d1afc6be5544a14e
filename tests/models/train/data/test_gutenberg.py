"""Books with the headers, footers and layouts that Project Gutenberg's files have had."""

from __future__ import annotations

import textwrap

import pytest

from models.train.data.gutenberg.blocks import Block, split_blocks, unwrap, wrap_point
from models.train.data.gutenberg.book import Book, read_book
from models.train.data.gutenberg.debris import drop_debris
from models.train.data.gutenberg.licence import strip_licence
from models.train.data.titles import tidy_title
from tests.models.train.data.corpus import tell

PROSE = textwrap.fill(tell(1).replace("\n\n", " "), 70)
OTHER = textwrap.fill(tell(2).replace("\n\n", " "), 70)
ONE_LINE, OTHER_LINE = " ".join(PROSE.split()), " ".join(OTHER.split())

MODERN_HEAD = """\ufeffThe Project Gutenberg eBook of The Bell

This ebook is for the use of anyone anywhere in the United States.

Title: The Bell
       And Other Tales

Author: Ann Miller

Release date: June 1, 2008 [eBook #1234]

Language: English

*** START OF THE PROJECT GUTENBERG EBOOK THE BELL ***

Produced by Some Volunteers at
https://www.pgdp.net
"""
MODERN_FOOT = """
*** END OF THE PROJECT GUTENBERG EBOOK THE BELL ***

Updated editions will replace the previous one.
"""
BROKEN_HEAD = """Title: The Bell

*** START OF THIS PROJECT GUTENBERG EBOOK THE BELL AND A
VERY LONG SUBTITLE ***

E-text prepared by Some Volunteer

"""
BROKEN_FOOT = """
End of the Project Gutenberg EBook of The Bell, by Ann Miller

*** END OF THIS PROJECT GUTENBERG EBOOK THE BELL ***
"""
OLD_HEAD = """**The Project Gutenberg Etext of The Bell, by Ann Miller**

Copyright laws are changing all over the world.

*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*

This etext was prepared by Some Volunteer.

"""
OLD_FOOT = """
End of The Project Gutenberg Etext of The Bell, by Ann Miller
"""
SMALL_PRINT_LAST_HEAD = """Project Gutenberg Etext of The Bell, by Ann Miller

"""
SMALL_PRINT_LAST_FOOT = """
End of Project Gutenberg's Etext of The Bell

***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***
Why is this "Small Print!" statement here?
*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*
"""
NO_STARS_HEAD = """The Project Gutenberg eBook of The Bell, by Ann Miller

***START OF THE PROJECT GUTENBERG EBOOK THE BELL

"""
NO_STARS_FOOT = """
***END OF THE PROJECT GUTENBERG EBOOK THE BELL***
"""
NLTK_HEAD = "[The Bell by Ann Miller 1851]\n\n\n"
FORMS = [
    (MODERN_HEAD, MODERN_FOOT),
    (BROKEN_HEAD, BROKEN_FOOT),
    (OLD_HEAD, OLD_FOOT),
    (SMALL_PRINT_LAST_HEAD, SMALL_PRINT_LAST_FOOT),
    (NO_STARS_HEAD, NO_STARS_FOOT),
    (NLTK_HEAD, ""),
    (NLTK_HEAD, BROKEN_FOOT),
    ("", ""),
]


def titles(book: Book) -> list[str | None]:
    return [story.title for story in book.stories]


@pytest.mark.parametrize(("head", "foot"), FORMS)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_of_a_file_only_the_book_is_left(head: str, foot: str, line_end: str) -> None:
    file = f"{head}\n\nCHAPTER I\n\n{PROSE}\n\n\nCHAPTER II\n\n{OTHER}\n\n\n{foot}"
    book = read_book(file.replace("\n", line_end))
    assert [story.text for story in book.stories] == [ONE_LINE, OTHER_LINE]


@pytest.mark.parametrize(
    ("head", "title", "author", "number"),
    [
        (MODERN_HEAD, "The Bell And Other Tales", "Ann Miller", "1234"),
        (BROKEN_HEAD, "The Bell", None, None),
        (OLD_HEAD, "The Bell", "Ann Miller", None),
        (SMALL_PRINT_LAST_HEAD, "The Bell", "Ann Miller", None),
        (NLTK_HEAD, "The Bell", "Ann Miller", None),
        ("", None, None, None),
    ],
)
def test_the_header_tells_title_author_and_number(
    head: str, title: str | None, author: str | None, number: str | None
) -> None:
    found = strip_licence(f"{head}\n{PROSE}")
    assert (found.title, found.author, found.number) == (title, author, number)


def test_a_book_under_copyright_says_so() -> None:
    head = "This is a COPYRIGHTED Project Gutenberg eBook, Details Below\n\n" + MODERN_HEAD
    assert read_book(head + PROSE).is_copyrighted
    assert not read_book(MODERN_HEAD + PROSE).is_copyrighted


def test_contents_are_dropped_and_chapters_take_their_titles() -> None:
    book = read_book(
        f"{MODERN_HEAD}\n\nTHE BELL\n\nby Ann Miller\n\n\n\nCONTENTS\n\nCHAPTER                          PAGE\n\n"
        f"I. The Fox . . . . . . 1\nII. The Owl . . . . . . 23\n\n\n\nCHAPTER I\n\nTHE FOX\n\n{PROSE}\n\n\n"
        f"CHAPTER II. The Owl of the North.\n\n{OTHER}\n\n\n\nTHE END\n{MODERN_FOOT}"
    )
    assert [(story.title, story.text) for story in book.stories] == [
        ("The Fox", ONE_LINE),
        ("The Owl of the North", OTHER_LINE),
    ]


def test_contents_with_a_line_of_space_between_entries_are_dropped_as_well() -> None:
    entries = "CHAPTER I. The Fox\n\nCHAPTER II. The Owl\n\n"
    book = read_book(
        f"{MODERN_HEAD}\n\nContents\n\n{entries}\n\nCHAPTER I. The Fox\n\n{PROSE}\n\n\nCHAPTER II. The Owl\n\n{OTHER}\n"
    )
    assert [(story.title, story.text) for story in book.stories] == [("The Fox", ONE_LINE), ("The Owl", OTHER_LINE)]


def test_a_chapter_with_a_number_alone_is_named_after_the_tale_or_the_book() -> None:
    book = read_book(
        f"{NLTK_HEAD}VOLUME I\n\nCHAPTER I\n\n{PROSE}\n\n\nCHAPTER II\n\n{OTHER}\n\n\n\n"
        f"SIMPLE SUSAN.\n\nCHAPTER I.\n\n{PROSE}\n\n\nCHAPTER II.\n\n{OTHER}\n"
    )
    assert titles(book) == [
        "The Bell, Volume I, Chapter I",
        "The Bell, Chapter II",
        "Simple Susan, Chapter I",
        "Simple Susan, Chapter II",
    ]


def test_a_tale_with_a_number_keeps_its_title_above_its_parts() -> None:
    book = read_book(
        f"{MODERN_HEAD}\n\nContents\n\n   I.   The Fox\n   II.  The Owl\n\n\n\n\nI. THE FOX\n\n\nI.\n\n{PROSE}\n\n\n"
        f"II.\n\n{OTHER}\n\n\n\nII. THE OWL\n\n\n{OTHER}\n"
    )
    assert titles(book) == ["The Fox, I", "The Fox, II", "The Owl"]


def test_the_tales_of_a_collection_are_found_by_their_capitals() -> None:
    book = read_book(
        f"{NLTK_HEAD}THE LITTLE YELLOW TULIP\n\n\n{PROSE}\n\n\n\n\nTHE COCK-A-DOODLE-DOO OF HENRY VIII\n\n\n{OTHER}"
    )
    assert titles(book) == ["The Little Yellow Tulip", "The Cock-a-Doodle-Doo of Henry VIII"]


def test_shouting_inside_a_story_is_no_heading() -> None:
    book = read_book(f'{NLTK_HEAD}THE FOX\n\n\n{PROSE}\n\nNO TRESPASSING\n\n"STOP THIEF!"\n\n\n"RUN!"\n\n{OTHER}')
    assert titles(book) == ["The Fox"]


def test_a_sentence_that_begins_like_a_heading_is_none() -> None:
    book = read_book(f"{NLTK_HEAD}CHAPTER I\n\n{PROSE}\n\nPart one of the plan was simple.\n\nI am glad.\n\n{OTHER}")
    assert len(book.stories) == 1


@pytest.mark.parametrize("name", ["PREFACE", "Introduction", "TRANSCRIBER'S NOTES", "INDEX", "List of Illustrations"])
def test_what_editors_add_is_dropped_unless_front_matter_is_asked_for(name: str) -> None:
    file = f"{MODERN_HEAD}\n\n{name}\n\n{OTHER}\n\n\n\nCHAPTER I\n\n{PROSE}\n\n\nCHAPTER II\n\n{PROSE}\n"
    assert OTHER_LINE not in [story.text for story in read_book(file).stories]
    if name == "PREFACE":
        assert read_book(file, front_matter=True).stories[0].text == OTHER_LINE


def test_a_book_can_stay_in_one_piece() -> None:
    book = read_book(f"{NLTK_HEAD}CHAPTER I\n\n{PROSE}\n\n\nCHAPTER II\n\n{OTHER}", chapters=False)
    assert [(story.title, story.text) for story in book.stories] == [("The Bell", f"{ONE_LINE}\n\n{OTHER_LINE}")]


def test_a_book_without_headings_is_one_story() -> None:
    assert [s.text for s in read_book(f"{NLTK_HEAD}{PROSE}\n\n{OTHER}").stories] == [f"{ONE_LINE}\n\n{OTHER_LINE}"]


VERSE = (
    '     Up the airy mountain,\n       Down the rushy glen,\n     We daren\'t go a-hunting,\n       "For fear of men."'
)


def test_verse_keeps_its_lines_and_prose_does_not() -> None:
    blocks = split_blocks(f"{PROSE}\n\n{VERSE}\n\n{OTHER}")
    wrap = wrap_point(blocks)
    assert [unwrap(block, wrap) for block in blocks] == [
        ONE_LINE,
        'Up the airy mountain,\nDown the rushy glen,\nWe daren\'t go a-hunting,\n"For fear of men."',
        OTHER_LINE,
    ]


def test_lists_and_letter_heads_keep_their_lines() -> None:
    blocks = split_blocks(f"{PROSE}\n\nThe Mill,\nHarbour Road,\nJune 4.\n\n{OTHER}")
    assert unwrap(blocks[1], wrap_point(blocks)) == "The Mill,\nHarbour Road,\nJune 4."


def test_a_compound_or_dash_at_a_line_end_is_joined_without_space() -> None:
    block = Block(("The miller of the old harbour was a well-", "known man--", "or so the baker said."), 1)
    assert unwrap(block, 30) == "The miller of the old harbour was a well-known man--or so the baker said."


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("One [Illustration: a fox\n[Copyright] on a hill] two", "One  two"),
        ("One.[12] Two.[A] Three", "One. Two. Three"),
        ("One {23}two [Pg 24]three", "One two three"),
        ("He _never_ said =that=.", "He never said that."),
        ("a snake_case name", "a snake_case name"),
        ("[Transcriber's Note: spelling kept.]One", "One"),
        ("He [the king] said", "He [the king] said"),
    ],
)
def test_marks_of_type_and_notes_go(raw: str, clean: str) -> None:
    assert drop_debris(raw) == clean


def test_a_bracket_that_is_never_closed_takes_no_chapter_with_it() -> None:
    text = f"[Illustration: a fox\n\n{'word ' * 2000}[end]"
    assert "word word" in drop_debris(text)


def test_scene_breaks_are_written_one_way() -> None:
    book = read_book(f"{NLTK_HEAD}CHAPTER I\n\n* * * *\n\n{PROSE}\n\n     *       *       *\n\n{OTHER}\n\n-----\n")
    assert book.stories[0].text == f"{ONE_LINE}\n\n* * *\n\n{OTHER_LINE}"


@pytest.mark.parametrize(
    ("raw", "tidy"),
    [
        ("THE FOX'S  TALE.", "The Fox's Tale"),
        ("[BOOK I. INSCRIPTIONS]", "Book I. Inscriptions"),
        ("Of Mr. Fox and St. George", "Of Mr. Fox and St. George"),
        ("WHAT THEN?", "What Then?"),
        ("CHAPTER XIV: OF KINGS", "Chapter XIV: Of Kings"),
    ],
)
def test_titles_are_tidied(raw: str, tidy: str) -> None:
    assert tidy_title(raw) == tidy
