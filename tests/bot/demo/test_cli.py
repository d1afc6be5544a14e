"""What the command line refuses, with a sentence and code 2, before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli import main
from bot.demo.door import listen
from bot.demo.folder import DataFolder


def test_a_second_demo_on_the_same_data_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with DataFolder(tmp_path).claimed():
        assert main(["demo", "--data", str(tmp_path), "--port", "0"]) == 2
    assert f"another demo is running on {tmp_path}" in capsys.readouterr().err


def test_an_occupied_port_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        assert main(["demo", "--data", str(tmp_path / "demo"), "--port", port]) == 2
    assert f"something already listens on 127.0.0.1:{port}" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["demo", "--data", str(tmp_path / "file" / "demo"), "--port", "0"]) == 2
    assert "cannot keep anything in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--port", "http", "'http' is not a port"), ("--port", "65536", "0 to 65535"), ("--minutes", "soon", "--minutes")],
)
def test_a_value_of_the_wrong_kind_is_refused(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["demo", option, value])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
