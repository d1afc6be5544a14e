"""Environments of the peers' own: made once under a cache folder, with the versions that are written here."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

INSTALL_S = 3600.0
"""llama.cpp is compiled where it is installed."""
STAMP = "installed"


class CannotPrepare(Exception):
    """The peer can't be measured here; the message says why, in a line."""


@dataclass(frozen=True)
class Environment:
    """Packages with their versions. `unwanted` ones are taken out again; `variables` are set while pip runs."""

    name: str
    requirements: tuple[str, ...]
    unwanted: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Changes with whatever is installed, and with the Python that it is installed for."""
        parts = (sys.version, *self.requirements, "-", *self.unwanted, "-", *sorted(self.variables.items()))
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:10]


def prepare(environment: Environment, cache: Path) -> Path:
    """The environment's Python, installed now if it was not. Raises `CannotPrepare`."""
    folder = cache / "environments" / f"{environment.name}-{environment.key}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (folder / STAMP).exists():
        return python
    log = folder.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    # A wheel that pip has built before, without these variables, would be another one.
    afresh = ["--no-cache-dir"] if environment.variables else []
    commands = [
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [*pip, "install", *afresh, *environment.requirements],
    ]
    if environment.unwanted:
        commands.append([*pip, "uninstall", "--yes", *environment.unwanted])
    for command in commands:
        run_logged(command, log, INSTALL_S, environment.variables)
    (folder / STAMP).touch()
    return python


def run_logged(command: list[str], log: Path, limit_s: float, variables: Mapping[str, str] | None = None) -> None:
    """Runs it to its end, its output in `log`. Raises `CannotPrepare` with the line that tells most."""
    with log.open("w", encoding="utf-8") as output:
        try:
            subprocess.run(  # noqa: S603  # commands of this module and its callers
                command,
                check=True,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=limit_s,
                env=environment_with(variables or {}),
            )
        except subprocess.TimeoutExpired as error:
            raise CannotPrepare(f"took more than {limit_s:.0f} s; {log} ends where it was") from error
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotPrepare(f"{telling_line(log.read_text('utf-8', 'replace')) or error} ({log})") from error


def environment_with(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's variables with these: for a process that it starts."""
    return {**os.environ, **variables}


def telling_line(text: str) -> str:
    """The last line that names an error, else the last line, cut to a length that fits a table."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() and not line.lower().startswith("note:")]
    return (telling or lines or [""])[-1].replace("|", "/")[:160]
