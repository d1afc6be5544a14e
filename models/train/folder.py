"""A run's folder: whose it is, which of its checkpoints are whole, and which was the best.

``work/`` holds tokenized data and the trainer's checkpoints; ``work/settings.json`` says what they were made with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from models.train.config import TrainConfig
from models.train.errors import RunFolderError
from models.train.record import write_json

_STATE = "trainer_state.json"
_MISSING = "not there"


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run."""

    root: Path

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def settings(self) -> Path:
        return self.work / "settings.json"

    @property
    def record(self) -> Path:
        """Written when the run has ended."""
        return self.root / "run.json"

    def claim(self, config: TrainConfig) -> None:
        """Makes the folder this run's. Raises `RunFolderError` where another configuration has been at work in it."""
        self.work.mkdir(parents=True, exist_ok=True)
        if not self.settings.exists():
            if any(self.work.glob(f"{PREFIX_CHECKPOINT_DIR}-*")):
                raise RunFolderError(f"{self.work} has checkpoints and no {self.settings.name}; choose another --out")
            # Only what was set: which keys were left to their defaults decides what may stand beside what.
            write_json(self.settings, config.model_dump(mode="json", exclude_unset=True))
            return
        before, now = (each.model_dump(mode="json") for each in (self.config(), config))
        for key, old, new in differences(before, now):
            raise RunFolderError(
                f"{self.root} holds a run with another configuration: {key} was {old!r} and is now {new!r}; "
                "choose another --out, or delete that folder"
            )

    def config(self) -> TrainConfig:
        """What the run was started with. Raises `RunFolderError` where this is no run's folder."""
        try:
            return TrainConfig.model_validate_json(self.settings.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{self.root} is no folder of a run: {error}") from error

    def checkpoints(self) -> list[Path]:
        """The whole checkpoints, oldest first. One that a kill cut short has no state yet: it is written last."""
        found = [path for path in self.work.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if _state(path) is not None]
        return sorted(found, key=step_of)

    def last(self) -> Path | None:
        """The newest whole checkpoint."""
        found = self.checkpoints()
        return found[-1] if found else None

    def last_finite(self) -> Path | None:
        """The newest whole checkpoint whose weights are all numbers."""
        return next((path for path in reversed(self.checkpoints()) if _is_finite(path)), None)

    def choose(self, which: str) -> Path:
        """The checkpoint called `best`, `last`, or by its step. Raises `RunFolderError` naming those that there are."""
        found = self.checkpoints()
        if not found:
            raise RunFolderError(f"{self.root} has no whole checkpoint")
        if which == "last":
            return found[-1]
        step = (_state(found[-1]) or {}).get("best_global_step") if which == "best" else which
        if which == "best" and not step:  # nothing was validated
            return found[-1]
        for path in found:
            if str(step_of(path)) == str(step):
                return path
        there = ", ".join(str(step_of(path)) for path in found)
        raise RunFolderError(f"{self.root} has no checkpoint {which}; there are best, last, {there}")


def step_of(checkpoint: Path) -> int:
    """How many steps the checkpoint has behind it."""
    return int(checkpoint.name.rpartition("-")[2])


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The keys whose values differ, with dots, and both values."""
    for key in [*now, *(key for key in before if key not in now)]:
        first, second = before.get(key, _MISSING), now.get(key, _MISSING)
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            yield from differences(first, second, f"{prefix}{key}.")
        elif first != second:
            yield f"{prefix}{key}", first, second


def _state(checkpoint: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _is_finite(checkpoint: Path) -> bool:
    try:
        return all(_is_finite_file(path) for path in checkpoint.glob("*.safetensors"))
    except SafetensorError:
        return False


def _is_finite_file(path: Path) -> bool:
    with safe_open(path, framework="pt") as file:
        # A sum is NaN or infinite as soon as one of its terms is; in float64 finite weights never overflow it.
        return all(math.isfinite(file.get_tensor(key).sum(dtype=torch.float64)) for key in file.keys())  # noqa: SIM118
