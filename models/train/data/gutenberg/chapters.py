"""Headings of chapters and tales, and the sections between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from models.train.data.gutenberg.blocks import Block, is_prose
from models.train.data.gutenberg.debris import is_ending
from models.train.data.titles import ROMAN, SMALL_WORDS, tidy_title

_UNITS = (
    "chapter|chap|book|part|volume|vol|stave|letter|canto|act|actus|scene|scoena|scena|section|story|tale|adventure"
)
_ORDINALS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty first second third fourth fifth sixth seventh eighth ninth tenth last "
    "primus secundus tertius quartus quintus prima secunda tertia quarta quinta sexta septima"
).replace(" ", "|")
_NUMERAL = rf"(?:\d{{1,3}}|{ROMAN.pattern}|(?:the )?(?:{_ORDINALS})(?:[- ](?:{_ORDINALS}))?)"
_UNIT = re.compile(rf"(?P<number>(?:{_UNITS})\.? {_NUMERAL})\b[\s.:,—–-]*(?P<title>.*)", re.IGNORECASE)
_ROMAN_LINE = re.compile(rf"(?P<number>{ROMAN.pattern})(?:\.[\s—–-]*(?P<title>\S.*)?)?")
_DIGIT_LINE = re.compile(r"(?P<number>\d{1,3})\.?(?:\s+(?P<title>[A-Z“\"].*))?")
_MATTER = re.compile(
    r"(?:table of )?contents\b.*|(?:list of )?illustrations|(?:the )?(?:author'?s? |editor'?s? |translator'?s? )?"
    r"(?:preface|foreword|introduction|introductory note|dedication|advertisements?|errata|note)(?: to .*)?|index|"
    r"(?:foot|end)?notes|glossary|bibliography|by the same author|(?:other )?books by .*|transcriber'?s?'? notes?.*",
    re.IGNORECASE,
)
_MAX_CHARS = 90


class Kind(Enum):
    """How sure a heading is: a numbered one stands alone; a bare one has a number and no title; a shouted line in
    capitals is one where space surrounds it; matter is what editors and printers add (contents, prefaces, indexes).
    """

    NUMBERED = "numbered"
    BARE = "bare"
    CAPITALS = "capitals"
    MATTER = "matter"


@dataclass(frozen=True)
class Heading:
    """A heading as printed, on one line; `title` is its part after the number."""

    kind: Kind
    text: str
    title: str | None = None

    @property
    def unit(self) -> str:
        """The first word of a bare heading (`chapter`, `volume`, or the number), empty for others."""
        return self.text.split()[0].lower() if self.kind is Kind.BARE else ""


@dataclass
class Section:
    """Headings that follow one another, and the blocks below them."""

    headings: list[Heading] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    is_list: bool = False
    """Whether headings without text were met: entries in a list that stand on lines of their own."""

    def add_heading(self, new: Heading) -> None:
        """One more heading with no text since the last.

        `VOLUME II` + `CHAPTER I` stay together, so do `CHAPTER I` + its title, and a tale's title + `CHAPTER I`.
        Any other heading is followed by no text of its own: an entry in a list, which the new one replaces.
        """
        last = self.headings[-1] if self.headings else None
        if last is not None and last.kind is Kind.BARE and last.unit != new.unit:
            self.headings = [*self.headings[-2:], new]
        elif last is not None and last.title is not None and new.kind is Kind.BARE and not self.is_list:
            self.headings = [last, new]
        else:
            self.is_list = last is not None
            self.headings = [new]

    @property
    def is_matter(self) -> bool:
        return any(heading.kind is Kind.MATTER for heading in self.headings)

    @property
    def own_title(self) -> str | None:
        """The title that the headings give, without numbers."""
        titles = [heading.title for heading in self.headings if heading.title is not None]
        return tidy_title(titles[-1]) if titles else None

    @property
    def is_part(self) -> bool:
        """Whether the section has only a number: it belongs to a longer tale."""
        return bool(self.headings) and self.headings[-1].kind is Kind.BARE

    def title(self, whole: str | None) -> str | None:
        """The tale's or chapter's own title; a part is named after the `whole` and its number."""
        if not self.is_part:
            return self.own_title or whole
        numbers = ", ".join(tidy_title(h.text) for h in self.headings if h.kind is Kind.BARE)
        return f"{whole}, {numbers}" if whole else numbers


def name_sections(sections: list[Section], book: str | None) -> Iterator[tuple[Section, str | None]]:
    """Each section with its title. Parts without titles are named after the tale that they stand in, else the book."""
    tale = book
    for section in sections:
        if section.own_title is not None:
            # `LAZY LAWRENCE` above `CHAPTER I` names all its chapters; `CHAPTER I: The Storm` names only its own.
            tale = section.own_title if section.is_part else book
        yield section, section.title(tale)


def read_heading(block: Block) -> Heading | None:
    """What heading a block is, if it is one."""
    text = block.text.strip("[]")
    if len(block.lines) > 3 or len(text) > _MAX_CHARS or is_ending(text):
        return None
    if _MATTER.fullmatch(text.strip(" .:_*")) and (block.blank_before > 1 or text.isupper() or len(text) < 20):
        return Heading(Kind.MATTER, text)
    if (unit := _UNIT.fullmatch(text)) is not None and _looks_like_title(unit["title"]):
        return _numbered(text, unit["title"])
    if block.blank_before < 2:
        return None
    line = _ROMAN_LINE.fullmatch(text) or _DIGIT_LINE.fullmatch(text)
    if line is not None and _looks_like_title(line["title"] or ""):
        return _numbered(text, line["title"])
    letters = [c for c in text if c.isalpha()]
    if len(letters) >= 3 and text.isupper() and text[-1] not in "!,;:—-" and text[0] not in "\"“‘'":
        return Heading(Kind.CAPITALS, text, text)
    return None


def _numbered(text: str, title: str | None) -> Heading:
    return Heading(Kind.NUMBERED, text, title) if title else Heading(Kind.BARE, text)


def _looks_like_title(rest: str) -> bool:
    """No sentence begins here: `Part one of the plan was simple.` is prose."""
    return not rest or not (rest[0].islower() or (rest.endswith(".") and len(rest) > 50))


def split_sections(blocks: list[Block]) -> Iterator[Section]:
    """Sections in order. Headings with nothing but headings after them join the run; the first section may have none.

    Entries of a table of contents that stand on lines of their own read as headings without text: of a run, only the
    last headings that belong together are kept.
    """
    section = Section()
    for block in blocks:
        heading = read_heading(block) or _subtitle(block, section)
        if heading is None:
            section.blocks.append(block)
        elif section.blocks or (section.is_matter and heading.kind is not Kind.MATTER):
            yield section
            section = Section([heading])
        else:
            section.add_heading(heading)
    yield section


def _subtitle(block: Block, section: Section) -> Heading | None:
    """A short line right under a chapter's number is the chapter's title."""
    is_due = bool(section.headings) and not section.blocks and section.headings[-1].kind is Kind.BARE
    if not is_due or len(block.lines) > 2 or len(block.text) > _MAX_CHARS or block.text[-1] in ",;:!?\"”'":
        return None
    words = block.text.split()
    is_titled = all(word[:1].isupper() or word.lower() in SMALL_WORDS for word in words)
    most = 6 if block.text.endswith(".") else 14
    return Heading(Kind.CAPITALS, block.text, block.text) if is_titled and len(words) <= most else None


def prose_words(section: Section, wrap: int) -> int:
    """Words in the section's paragraphs of prose: lists, title pages and verse don't count."""
    return sum(b.num_words for b in section.blocks if is_prose(b, wrap) and b.num_words > 12)
