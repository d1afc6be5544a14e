"""One reading of several windows by the model: the score of each category in each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from models.engine.moderation.checkpoint import Head

if TYPE_CHECKING:
    from models.engine.moderation.checkpoint import ClassifierCheckpoint


class NotFinite(ArithmeticError):
    """The model's outputs are no numbers, so they say nothing; taken as scores they would pass every text."""


def read_windows(checkpoint: ClassifierCheckpoint, windows: Sequence[Sequence[int]]) -> list[tuple[float, ...]]:
    """Scores of the categories for each window, between 0 and 1. Shorter windows are padded on the right."""
    width = max(map(len, windows))
    ids = torch.full((len(windows), width), checkpoint.pad_id)
    seen = torch.zeros((len(windows), width), dtype=torch.long)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = torch.tensor(window)
        seen[row, : len(window)] = 1
    with torch.inference_mode():
        found = checkpoint.model(input_ids=ids.to(checkpoint.device), attention_mask=seen.to(checkpoint.device))
        outputs: torch.Tensor = found.logits.to("cpu", torch.float32)
        if not bool(torch.isfinite(outputs).all()):
            raise NotFinite(f"{checkpoint.name} gave outputs that are no finite numbers")
        return [tuple(row) for row in _scores(checkpoint, outputs).tolist()]


def _scores(checkpoint: ClassifierCheckpoint, outputs: torch.Tensor) -> torch.Tensor:
    """From [windows, labels] to [windows, categories]. Of labels with one name, classes that exclude each other add up;
    where each stands for itself, the highest counts."""
    if checkpoint.head is Head.SOFTMAX:
        chances = outputs.softmax(-1)
        columns = [chances[:, list(part)].sum(-1).clamp(max=1) for part in checkpoint.labels.parts]
    else:
        chances = outputs.sigmoid()
        columns = [chances[:, list(part)].amax(-1) for part in checkpoint.labels.parts]
    return torch.stack(columns, -1)
