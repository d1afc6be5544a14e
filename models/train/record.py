"""What a run leaves about itself: settings, commit, data hash, and its metrics as CSV and JSON."""

from __future__ import annotations

import csv
import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

COLUMNS = ["step", "tokens", "loss", "eval_loss", "learning_rate", "grad_norm"]


def write_json(path: Path, record: Any) -> None:
    """Writes a JSON record with stable key order, whole or not at all."""
    half = path.with_name(f"{path.name}.half")
    half.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    half.replace(path)


def metric_rows(history: list[dict[str, float]], tokens_per_step: int) -> list[dict[str, float]]:
    """The trainer's log: a row for each logged step and each validation, with the tokens seen until then.

    `loss` and `eval_loss` are in nats a token; `grad_norm` is taken before clipping.
    """
    logged = [row for row in history if "loss" in row or "eval_loss" in row]
    rows = [{**row, "tokens": row["step"] * tokens_per_step} for row in logged]
    return [{name: row[name] for name in COLUMNS if name in row} for row in rows]


def write_metrics(rows: list[dict[str, float]], folder: Path) -> None:
    """Writes ``metrics.csv`` and ``metrics.json``; a figure that is no number is left empty there."""
    with (folder / "metrics.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    finite = [{name: value if math.isfinite(value) else None for name, value in row.items()} for row in rows]
    write_json(folder / "metrics.json", finite)


def find_commit() -> str | None:
    """The checkout's commit, or None where the package does not run from a git checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    here = Path(__file__).parent
    answer = subprocess.run([git, "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout.strip() or None
