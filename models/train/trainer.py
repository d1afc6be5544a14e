"""transformers' Trainer, which stops at a loss that is no number and keeps the best checkpoint."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import (
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from models.train.config import TrainConfig
from models.train.errors import DivergedError
from models.train.folder import RunFolder
from models.train.record import metric_rows, write_metrics


class StoryTrainer(Trainer):
    """Raises `DivergedError` before a step whose loss is NaN or infinite, so that no weight is spoilt by it."""

    folder: RunFolder

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        """One forward and backward pass; the loss."""
        loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        if not torch.isfinite(loss).all():
            raise DivergedError(self._diverged(loss))
        return loss

    def _diverged(self, loss: torch.Tensor) -> str:
        good = self.folder.last_finite()
        where = f"the last good checkpoint is {good}" if good else "there is no good checkpoint yet"
        return (
            f"the loss is {loss.item()} at step {self.state.global_step + 1}; {where}. A lower "
            "optimiser.learning_rate, a longer warm-up or a lower optimiser.max_grad_norm helps most often"
        )


class KeepBest(TrainerCallback):
    """Saves after a validation that is better than all before; the Trainer then keeps that checkpoint."""

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any) -> None:
        best, loss = state.best_metric, others["metrics"]["eval_loss"]
        if best is None or loss < best:
            control.should_save = True


class WriteMetrics(TrainerCallback):
    """Writes the metrics at every checkpoint, so that a run can be watched, and one that dies leaves its curve."""

    def __init__(self, folder: RunFolder, tokens_per_step: int) -> None:
        self._folder, self._tokens_per_step = folder, tokens_per_step

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **others: Any) -> None:
        if state.is_world_process_zero:
            write_metrics(metric_rows(state.log_history, self._tokens_per_step), self._folder.root)


def choose_callbacks(config: TrainConfig, folder: RunFolder, tokens_per_step: int) -> list[TrainerCallback]:
    """What watches over this run."""
    callbacks: list[TrainerCallback] = [WriteMetrics(folder, tokens_per_step)]
    if config.validation:
        callbacks.append(KeepBest())
    if (stop := config.early_stopping) is not None:
        callbacks.append(EarlyStoppingCallback(stop.patience, stop.min_delta))
    return callbacks
