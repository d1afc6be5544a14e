"""Records with fields (JSON lines, dataset rows) → stories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.train.data.document import Document
from models.train.data.errors import SourceError
from models.train.data.settings import Fields
from models.train.data.shingles import text_digest
from models.train.sources import Story

USUAL = {"text": ("story", "text", "fable"), "title": ("title",), "premise": ("premise", "prompt"), "tags": ("tags",)}
"""Names that are looked for, in this order, where the configuration names none."""


def read_record(record: Mapping[str, Any], fields: Fields, source: str, licence: str, origin: str) -> Document | None:
    """The record's story, or None where its text is empty. `origin` is what errors call the record.

    Raises `SourceError` where there is no text field, a field that the configuration names is missing, or a value is
    of another type.
    """
    text = _string(record, fields.text, "text", origin)
    if text is None or not text.strip():
        return None
    group = _string(record, fields.group, "group", origin) if fields.group else None
    story = Story(
        text,
        _string(record, fields.title, "title", origin),
        _string(record, fields.premise, "premise", origin),
        _tags(record, fields.tags, origin),
    )
    return Document(story, source, f"{source}/{group or text_digest(text).hex()}", licence)


def _find(record: Mapping[str, Any], named: str | None, part: str, origin: str) -> tuple[str, Any]:
    """The field's name and value; value None where it is optional and absent."""
    if named is not None:
        if named not in record:
            raise SourceError(f"{origin}: no field {named!r} for the {part}; there are {', '.join(map(repr, record))}")
        return named, record[named]
    for usual in USUAL[part]:
        if record.get(usual) is not None:
            return usual, record[usual]
    if part == "text" and not any(usual in record for usual in USUAL["text"]):
        wanted = ", ".join(map(repr, USUAL["text"]))
        raise SourceError(
            f"{origin}: no text: none of the fields {wanted} among {', '.join(map(repr, record))}; "
            "name the right one in the source's fields (or columns)"
        )
    return part, None


def _string(record: Mapping[str, Any], named: str | None, part: str, origin: str) -> str | None:
    field, value = _find(record, named, part, origin)
    if part == "group" and isinstance(value, int):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise SourceError(f"{origin}: field {field!r} should be text, found {type(value).__name__}")
    return value or None


def _tags(record: Mapping[str, Any], named: str | None, origin: str) -> tuple[str, ...]:
    field, value = _find(record, named, "tags", origin)
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(tag.strip() for tag in value.split(",") if tag.strip())
    if isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        return tuple(value)
    raise SourceError(f"{origin}: field {field!r} should be a list of text or one text with commas")
