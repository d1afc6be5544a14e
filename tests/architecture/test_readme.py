"""What the README says of files, commands and settings is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.story.settings import SETTINGS
from tests.architecture.tree import ROOT, phrase, source_modules, with_tree

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tree_is_true() -> None:
    assert with_tree(README) == README, "run python -m tests.architecture.tree"


@pytest.mark.parametrize("path", source_modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_opens_with_a_sentence(path: Path) -> None:
    assert len(phrase(path).split()) >= 2


def test_every_setting_stands_in_the_table() -> None:
    assert {name for name in SETTINGS if f"| `{name}` |" in README} == set(SETTINGS)


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", README)) <= targets


def test_every_picture_and_link_to_a_file_exists() -> None:
    for target in re.findall(r"\]\((?!http|#)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
