"""The data folder belongs to one demo at a time, and to its owner only."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo.folder import DataFolder, FolderUnusable


def test_a_second_demo_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "demo")
    second = DataFolder(folder.path)
    with folder.claimed(), pytest.raises(FolderUnusable, match="another demo is running on"), second.claimed():
        pytest.fail("both hold the folder")
    with second.claimed():
        assert (folder.path / "lock").exists()  # it was free again


def test_the_pages_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "demo")
    with folder.claimed():
        key = folder.page_key()
        assert len(key) >= 12
        assert DataFolder(folder.path).page_key() == key
        assert (folder.path / "page-key").stat().st_mode & 0o077 == 0
        assert folder.path.stat().st_mode & 0o077 == 0


def test_two_folders_have_different_keys(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        folder = DataFolder(tmp_path / name)
        with folder.claimed():
            keys.add(folder.page_key())
    assert len(keys) == 2
