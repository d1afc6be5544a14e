"""What docs/data.md says is so: every key stands there, and its examples work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from models.train.data.readers.log import SourceLog
from models.train.data.readers.table import read_source
from models.train.data.settings import DataSettings, Fields, SourceSettings, check_settings
from tests.models.train.data.corpus import settings

PAGE = (Path(__file__).parents[4] / "docs" / "data.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and inner is not Fields:
            yield from keys(inner)
        yield field.alias or name


@pytest.mark.parametrize("model", [DataSettings, *get_args(get_args(SourceSettings)[0])])
def test_every_key_stands_in_the_page(model: type[BaseModel]) -> None:
    mentioned = set(
        re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`]+`|^```.*?^```", PAGE, re.DOTALL | re.MULTILINE)))
    )
    assert set(keys(model)) - mentioned == set()


def test_the_example_is_valid() -> None:
    [example] = blocks("yaml")
    assert [source.label for source in check_settings(yaml.safe_load(example), "docs").sources] == [
        "tales",
        "old-books",
        "our-stories",
    ]


def test_the_examples_of_an_export_gives_what_the_page_says(tmp_path: Path) -> None:
    [example] = blocks("json")
    (tmp_path / "export.json").write_text(json.dumps(json.loads(example)))
    [source] = settings({"kind": "community", "path": "export.json"}).sources
    pieces = [document.story for document in read_source(source, tmp_path, SourceLog())]
    assert [piece.text for piece in pieces] == [
        "The bell rang by itself.\n\nNobody in the harbour had touched it.",
        "The tide turned.",
    ]
    assert {(p.title, p.premise, p.tags) for p in pieces} == {("The Bell", None, ("sea",))}


def test_the_defaults_in_the_tables_are_the_real_ones() -> None:
    defaults: dict[str, Any] = DataSettings.model_validate({"sources": [{"kind": "nltk"}]}).model_dump()
    flat = {**defaults["cleaning"], "splits": defaults["splits"], "leakage": defaults["leakage"]}
    checked = 0
    row = re.compile(rf"^\| `({'|'.join(flat)})\.([a-z_]+)` \| `?([a-z0-9.]+)`? ", re.MULTILINE)
    for section, key, shown in row.findall(PAGE):
        value = flat[section][key]
        expected = {None: "none"}.get(value, str(value).lower()) if not isinstance(value, list) else "none"
        assert shown == (expected or "empty"), f"{section}.{key}"
        checked += 1
    assert checked > 20
