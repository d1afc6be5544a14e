"""The report as Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence

from models.evaluate.header import Header
from models.evaluate.section import Better, Column, Row, Section

ARROWS = {Better.LOWER: "\u00a0↓", Better.HIGHER: "\u00a0↑", Better.NEITHER: ""}


def to_markdown(title: str, header: Header, sections: Sequence[Section]) -> str:
    """Header, then a table for each section with its settings below."""
    parts = [f"# {title}", _header(header)]
    for section in sections:
        parts += [f"## {section.title}", section.about, table(section), _settings(section)]
        parts += [_sample(sample.title, sample.texts) for sample in section.samples]
    return "\n\n".join(parts) + "\n"


def table(section: Section) -> str:
    """A line for each row; a number with its interval in brackets. Columns that no row has are left out."""
    columns = used_columns(section)
    has_notes = any(row.note for row in section.rows)
    head = ["model", ""] + [column.title + ARROWS[column.better] for column in columns] + ["note"] * has_notes
    lines = [head, ["---"] * len(head)]
    for row in section.rows:
        cells = [show(row, column) for column in columns]
        lines.append([row.model, row.group, *cells] + [row.note] * has_notes)
    return "\n".join("| " + " | ".join(_cell(word) for word in line) + " |" for line in lines)


def used_columns(section: Section) -> list[Column]:
    """Those that some row has a number for."""
    return [c for c in section.columns if any(row.numbers.get(c.key) is not None for row in section.rows)]


def show(row: Row, column: Column) -> str:
    """The number and its interval, or nothing."""
    number = row.numbers.get(column.key)
    if number is None:
        return ""
    if number.low is None or number.high is None:
        return column.show(number.value)
    low, high = column.show(number.low).removesuffix(" %"), column.show(number.high).removesuffix(" %")
    return f"{column.show(number.value)} [{low}, {high}]"


def _header(header: Header) -> str:
    models = [
        f"- **{label}**: " + ", ".join(f"{key} {value}" for key, value in said.items() if value is not None)
        for label, said in header.models.items()
    ]
    texts = [f"- {text['name']}: {text['bytes']:,} bytes, SHA-256 `{text['sha256']}`" for text in header.texts]
    lines = [
        "```sh\n" + header.command + "\n```",
        f"Made at {header.made_at}, commit {header.commit or 'unknown'}. "
        + ", ".join(f"{name} {number}" for name, number in header.versions.items())
        + ".",
        "Machine: " + ", ".join(f"{key} {value}" for key, value in header.machine.items() if value is not None) + ".",
        "\n".join(models),
        "\n".join(texts),
    ]
    return "\n\n".join(line for line in lines if line)


def _settings(section: Section) -> str:
    text = json.dumps(section.settings, ensure_ascii=False)
    title = f"Settings; intervals are drawn over {section.unit}"
    return f"<details><summary>{title}</summary>\n\n```json\n{text}\n```\n\n</details>"


def _sample(title: str, texts: Sequence[tuple[str, str]]) -> str:
    quoted = [f"{label}:\n\n" + "\n".join(f"> {line}".rstrip() for line in text.split("\n")) for label, text in texts]
    return f"<details><summary>Sample, not chosen: {title}</summary>\n\n" + "\n\n".join(quoted) + "\n\n</details>"


def _cell(word: str) -> str:
    return word.replace("|", "\\|").replace("\n", " ")
