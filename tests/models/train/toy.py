"""A corpus and a run so small that a test can train on it."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

from models.train.arguments import Plan
from models.train.config import TrainConfig

WORDS = "fox moon hill river owl night lantern road king song".split()
SHAPE = {
    "vocab_size": 340,
    "hidden_size": 32,
    "layers": 2,
    "heads": 4,
    "kv_heads": 2,
    "intermediate_size": 64,
    "context": 64,
}
MASKED_SHAPE = {name: value for name, value in SHAPE.items() if name != "kv_heads"}


def write_corpus(folder: Path) -> None:
    rng = random.Random(4)
    stories = []
    for _ in range(60):
        sentences = [f"The {rng.choice(WORDS)} went to the {rng.choice(WORDS)} and sang." for _ in range(12)]
        stories.append(" ".join(sentences))
    (folder / "train.txt").write_text("\n<|endoftext|>\n".join(stories[:50]))
    (folder / "val.txt").write_text("\n<|endoftext|>\n".join(stories[50:]))


def toy_settings(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "seed": 3,
        "phases": [{"sources": [{"path": "train.txt", "repeat": 4}]}],
        "validation": ["val.txt"],
        "model": SHAPE,
        "optimiser": {"learning_rate": 1e-2, "batch_size": 4},
        "max_steps": 24,
        "save_every": 12,
        "evaluate_every": 12,
    }
    return {**base, **changes}


def toy_config(**changes: Any) -> TrainConfig:
    return TrainConfig.model_validate(toy_settings(**changes))


def column(run: Path, name: str) -> list[float]:
    with (run / "metrics.csv").open() as rows:
        return [float(row[name]) for row in csv.DictReader(rows) if row[name]]


def plan_of(steps: int) -> Plan:
    return Plan(steps, sequences=4, context=64)
