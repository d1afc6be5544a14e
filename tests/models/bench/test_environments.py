"""Environments of the peers' own: made once, or refused in a line."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from models.bench.environments import CannotPrepare, Environment, prepare, run_logged, telling_line
from models.bench.subjects import CTRANSLATE2, LLAMA_CPP, OPENVINO, PEERS, choose


def make_wheel(folder: Path) -> Path:
    """The least that pip installs without a network."""
    path = folder / "theirs-1.0-py3-none-any.whl"
    about = "theirs-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("theirs.py", "WORD = 'here'\n")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path


def test_an_environment_has_its_packages_and_is_made_once(tmp_path: Path) -> None:
    environment = Environment("theirs", (str(make_wheel(tmp_path)),))
    python = prepare(environment, tmp_path)
    code = "import sys, theirs; print(theirs.WORD, sys.prefix != sys.base_prefix)"
    said = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["here", "True"]
    (tmp_path / "theirs-1.0-py3-none-any.whl").unlink()  # a second installation would fail
    assert prepare(environment, tmp_path) == python


def test_what_cannot_be_installed_is_told_in_a_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(CannotPrepare, match=r"ERROR: .*nothing-1\.0-py3-none-any\.whl.*log\)"):
        run_logged([sys.executable, "-m", "pip", "install", "./nothing-1.0-py3-none-any.whl"], log, 60)
    with pytest.raises(CannotPrepare, match="No such file"):
        run_logged([str(tmp_path / "no-python")], log, 60)
    with pytest.raises(CannotPrepare, match="took more than 0 s"):
        run_logged([sys.executable, "-c", "import time; time.sleep(9)"], log, 0.1)


def test_variables_reach_the_installation(tmp_path: Path) -> None:
    code = "import os; print(os.environ['CMAKE_ARGS'], 'HOME' in os.environ or 'PATH' in os.environ)"
    run_logged([sys.executable, "-c", code], tmp_path / "log", 60, {"CMAKE_ARGS": "-DX=1"})
    assert (tmp_path / "log").read_text().split() == ["-DX=1", "True"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nERROR: no such | thing\nnote: error there\nb", "ERROR: no such / thing"),
        ("one\n\n two \n", "two"),
        ("", ""),
        ("x" * 500, "x" * 160),
    ],
)
def test_the_line_that_tells_most(text: str, line: str) -> None:
    assert telling_line(text) == line


def test_every_version_is_pinned_and_another_one_is_another_environment() -> None:
    for environment in (LLAMA_CPP, OPENVINO, CTRANSLATE2):
        assert all("==" in requirement for requirement in environment.requirements)
    assert len({Environment("x", ("a==1",)).key, Environment("x", ("a==2",)).key, Environment("x", ()).key}) == 3
    assert Environment("x", ("a==1",), variables={"A": "1"}).key != Environment("x", ("a==1",)).key


def test_peers_are_chosen_alone_or_by_their_group() -> None:
    def keys(*peers: str) -> list[str]:
        return [subject.key for subject in choose(("none",), peers)]

    assert keys("none") == ["engine"]
    assert keys("llama.cpp", "generic") == ["engine", "generic", "llama.cpp"]
    assert keys("transformers") == ["engine", "generic", "together", "tutorial", "batching"]
    assert keys("all") == ["engine", *(peer.key for peer in PEERS)]
    assert [subject.key for subject in choose(("none", "int8"), ())] == ["engine", "engine-int8"]
