"""From a subject and weights to a running process: environment, conversion, command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.bench.environments import CannotPrepare, prepare, run_logged
from models.bench.process import SubjectProcess, export_command, own_command, peer_command
from models.bench.subjects import Subject
from models.bench.weights import Weights, convert

CACHE_BYTES = 3 << 30
"""Of keys and values, for everyone who lets that be said."""
EXPORT_S = 3600.0


@dataclass(frozen=True)
class Launcher:
    """Starts subjects; environments and logs are under `cache`. `patience_s` is how long loading may take."""

    cache: Path
    threads: int
    device: str
    dtype: str
    patience_s: float
    say: Callable[[str], None]

    def start(self, subject: Subject, weights: Weights) -> SubjectProcess:
        """With the weights loaded. Raises `CannotPrepare` or `SubjectFailed`."""
        if self.device != "cpu" and not subject.is_anywhere:
            raise CannotPrepare("measured on a CPU only")
        command = self._command(subject, weights, self._options(subject, weights))
        return SubjectProcess(command, self.threads, self.log(subject, weights), self.patience_s)

    def log(self, subject: Subject, weights: Weights, suffix: str = "") -> Path:
        """Where its output goes."""
        folder = self.cache / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{weights.name}-{subject.key}{suffix}.log"

    def _options(self, subject: Subject, weights: Weights) -> dict[str, Any]:
        return {
            **subject.options,
            "threads": self.threads,
            "cache_bytes": CACHE_BYTES,
            "bytes_per_column": weights.bytes_per_column,
            "vocab_size": weights.vocab_size,
            "device": self.device,
            "dtype": self.dtype,
            "worker_log": str(self.log(subject, weights, "-worker")),
        }

    def _command(self, subject: Subject, weights: Weights, options: dict[str, Any]) -> list[str]:
        if subject.is_own:
            return own_command(subject.module, weights.folder, options)
        python = Path(sys.executable)
        if subject.environment is not None:
            self.say(f"{subject.name}: its environment is made ready")
            python = prepare(subject.environment, self.cache)
        folder = self._convert(subject, weights, python) if subject.is_converted else weights.folder
        return peer_command(python, subject.module, folder, options)

    def _convert(self, subject: Subject, weights: Weights, python: Path) -> Path:
        def export(source: Path, target: Path) -> None:
            command = export_command(python, subject.module, source, target)
            run_logged(command, self.log(subject, weights, "-export"), EXPORT_S)

        key = "" if subject.environment is None else subject.environment.key
        return convert(weights, subject.key, key, export)
