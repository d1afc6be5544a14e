from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.train.data.errors import SettingsError
from models.train.data.settings import check_settings, load_settings

TEXT = {"kind": "text", "path": "stories"}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"sources": [TEXT], "cleanning": {}}, "cleanning"),
        ({"sources": [{**TEXT, "licence_": "x"}]}, "licence_"),
        ({"sources": [{"kind": "epub", "path": "x"}]}, "'text', 'gutenberg', 'nltk', 'jsonl', 'hf', 'community'"),
        ({"sources": [{"kind": "text"}]}, "path: Field required"),
        ({"sources": []}, "at least 1 item"),
        ({"sources": [TEXT, TEXT]}, "two sources are named 'stories'"),
        ({"sources": [TEXT], "splits": {"validation": 0.6, "test": 0.5}}, "nothing is left to train on"),
        ({"sources": [TEXT], "cleaning": {"duplicates": {"threshold": 1.5}}}, "duplicates.threshold: .* 0.95 .*1.5"),
        ({"sources": [TEXT], "cleaning": {"length": {"min_words": 0}}}, "min_words"),
        ({"sources": [TEXT], "leakage": {"measure": False, "drop": True}}, "leakage.drop needs"),
        ({"sources": [{**TEXT, "use_for": "dev"}]}, "use_for"),
    ],
)
def test_a_wrong_key_or_value_is_refused_by_name(values: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        check_settings(values, "a.yaml")


def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- text\n")
    with pytest.raises(SettingsError, match="mapping"):
        load_settings(tmp_path / "a.yaml")
    with pytest.raises(SettingsError, match=r"none\.yaml"):
        load_settings(tmp_path / "none.yaml")


def test_a_source_without_a_name_is_called_after_its_path() -> None:
    checked = check_settings(
        {"sources": [{"kind": "text", "path": "a/tales.txt"}, {"kind": "nltk"}, {"kind": "hf", "path": "x/Y"}]}, "test"
    )
    assert [source.label for source in checked.sources] == ["tales", "gutenberg", "Y"]
