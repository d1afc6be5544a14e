"""What a report needs to be made again: the command, what it read, down to hashes, and what it ran on."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

PACKAGES = (
    "talewright",
    "torch",
    "transformers",
    "tokenizers",
    "sacrebleu",
    "rouge-score",
    "nltk",
    "choix",
    "scipy",
    "numpy",
)


@dataclass(frozen=True)
class Header:
    """`argv` are the words after ``talewright``; run again in the same folder they make the same numbers.

    `models` are what the subjects say of themselves, by label. `texts` have name, SHA-256 and bytes.
    """

    argv: tuple[str, ...]
    made_at: str
    models: Mapping[str, Mapping[str, Any]]
    texts: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    commit: str | None
    machine: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {
            "argv": list(self.argv),
            "made_at": self.made_at,
            "commit": self.commit,
            "models": {label: dict(said) for label, said in self.models.items()},
            "texts": [dict(text) for text in self.texts],
            "settings": dict(self.settings),
            "versions": dict(self.versions),
            "machine": dict(self.machine),
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Header:
        return cls(**{**said, "argv": tuple(said["argv"]), "texts": tuple(said["texts"])})

    @property
    def command(self) -> str:
        """As it is typed."""
        return shlex.join(["talewright", *self.argv])


def make_header(
    argv: Sequence[str],
    models: Mapping[str, Mapping[str, Any]],
    texts: Sequence[Path],
    settings: Mapping[str, Any],
) -> Header:
    """Reads the texts for their hashes, and asks git for the commit."""
    return Header(
        argv=tuple(argv),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        models=models,
        texts=tuple(map(describe_text, texts)),
        settings=settings,
        versions=_versions(),
        commit=_commit(),
        machine=describe_machine(),
    )


def describe_text(path: Path) -> dict[str, Any]:
    """Name, hash and size of a file."""
    content = path.read_bytes()
    return {"name": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def describe_machine() -> dict[str, Any]:
    """What speed depends on."""
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": gpu,
        "system": f"{platform.system()} {platform.machine()}",
    }


def _processor() -> str:
    """Linux names it in /proc/cpuinfo only."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a checkout that is not installed
            continue
    return found


def _commit() -> str | None:
    """The checkout's commit, marked where files differ from it; None outside of a git checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    here = Path(__file__).resolve().parent

    def ask(*words: str) -> str | None:
        answer = subprocess.run([git, *words], cwd=here, capture_output=True, text=True, check=False)  # noqa: S603
        return answer.stdout.strip() if answer.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    if commit is None:
        return None
    return f"{commit} with changes" if ask("status", "--porcelain", "--", ".") else commit
