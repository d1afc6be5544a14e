"""The process of a subject: started, asked, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from models.bench.environments import environment_with, telling_line
from models.bench.runners.runner import Answer, Asked
from models.engine.environment import DEFAULTS

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).parent / "runners" / "runner.py"
END_S = 30.0


class SubjectFailed(Exception):
    """It ended, did not answer in time, or said that it can't; the message says why, in a line."""


@dataclass(frozen=True)
class Answered:
    """What came of a workload."""

    total_s: float
    answers: dict[str, Answer]
    peak_bytes: int


def own_command(module: str, folder: Path, options: dict[str, Any]) -> list[str]:
    """For a subject that is made of this project."""
    return [sys.executable, "-m", module, str(folder), json.dumps(options)]


def peer_command(python: Path, module: str, folder: Path, options: dict[str, Any]) -> list[str]:
    """For a module beside the runner, in an environment of its own."""
    return [str(python), str(RUNNER), module, str(folder), json.dumps(options)]


def export_command(python: Path, module: str, source: Path, target: Path) -> list[str]:
    """For a module's conversion of the weights."""
    return [str(python), str(RUNNER), module, "--export", str(source), str(target)]


class SubjectProcess:
    """Loads when it is made, and ends with its `with` block. Raises `SubjectFailed`.

    Its working folder is this project's root, so that it imports the same modules as this process.
    """

    def __init__(self, command: Sequence[str], threads: int, log: Path, patience_s: float) -> None:
        self._log = log
        self._patience_s = patience_s
        with log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603  # commands of this module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env=environment_with(DEFAULTS | {"OMP_NUM_THREADS": str(threads)}),
            )
        self._output = selectors.DefaultSelector()
        assert self._process.stdout is not None  # noqa: S101  # it is a pipe
        os.set_blocking(self._process.stdout.fileno(), False)
        self._output.register(self._process.stdout, selectors.EVENT_READ)
        self._read = b""
        try:
            self.loading_bytes = int(self._hear(patience_s)["loading_bytes"])
        except SubjectFailed:
            self.close()
            raise

    def __enter__(self) -> SubjectProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, _value: object, _trace: TracebackType | None) -> None:
        self.close()

    def ask(self, arrivals: Sequence[tuple[float, Asked]], patience_s: float) -> Answered:
        """Has it answer; after the last arrival it has `patience_s`, and then a while for the step that it is in."""
        said = {"arrivals": [(at, asked.to_json()) for at, asked in arrivals], "patience_s": patience_s}
        assert self._process.stdin is not None  # noqa: S101  # it is a pipe
        try:
            self._process.stdin.write(json.dumps(said).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        last = arrivals[-1][0] if arrivals else 0.0
        heard = self._hear(last + patience_s + self._patience_s)
        if "error" in heard:
            raise SubjectFailed(telling_line(heard["error"]))
        answers = {name: Answer(**answer) for name, answer in heard["answers"].items()}
        return Answered(heard["total_s"], answers, heard["peak_bytes"])

    def _hear(self, limit_s: float) -> dict[str, Any]:
        deadline = time.monotonic() + limit_s
        while b"\n" not in self._read:
            left = deadline - time.monotonic()
            if left <= 0 or not self._output.select(left):
                raise SubjectFailed(f"no answer within {limit_s:.0f} s")
            assert self._process.stdout is not None  # noqa: S101  # it is a pipe
            block = self._process.stdout.read(1 << 20)
            if not block:
                raise self._ended()
            self._read += block
        line, self._read = self._read.split(b"\n", 1)
        heard: dict[str, Any] = json.loads(line)
        return heard

    def _ended(self) -> SubjectFailed:
        code = self._process.wait(END_S)
        said = telling_line(self._log.read_text("utf-8", "replace"))
        how = f"ended with code {code}" if code >= 0 else f"was ended by signal {-code}"
        return SubjectFailed(f"{how}: {said or 'without a word'} ({self._log})")

    def close(self) -> None:
        """Ends its input, which ends it; by force where that does not."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: S101, PT018  # pipes
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._process.stdout.close()
