"""One training run: configuration and text in, a servable checkpoint folder out.

The run folder holds ``work/`` (tokenized data, the trainer's checkpoints) and, at the end, ``checkpoint/`` beside
``run.json``, ``metrics.csv``, ``metrics.json`` and ``curves.svg``; for a LoRA ``adapter/`` too. A run that was killed
goes on from its last checkpoint when started again with the same configuration; one that has ended is left as it is.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer

from models.train.arguments import Plan, join_processes, num_devices, plan_run, training_arguments
from models.train.building import build_model
from models.train.config import TrainConfig
from models.train.curves import draw_curves
from models.train.dataset import Blocks, Turns, View
from models.train.exporting import export_adapter, export_run
from models.train.failures import failures_explained
from models.train.folder import RunFolder
from models.train.lora import check_lora
from models.train.prepare import PreparedData, prepare_data
from models.train.record import find_commit, metric_rows, write_json, write_metrics
from models.train.trainer import StoryTrainer, choose_callbacks
from models.train.views import check_borders, choose_view

log = logging.getLogger(__name__)


def main(config: TrainConfig, data_root: Path, out: Path) -> Path:
    """Trains, or goes on with, a run; returns the folder of its checkpoint. Raises a `TrainError`."""
    if config.lora is not None:
        check_lora(config.lora)
    folder, processes = RunFolder(out), join_processes()
    with failures_explained(config, folder):
        with processes.main_process_first():  # one process tokenizes; the others find it done
            folder.claim(config)
            data = prepare_data(config, data_root, folder.work)
        if not folder.record.exists():
            trainer, plan = _make_trainer(config, data, folder)
            last = folder.last()
            result = trainer.train(resume_from_checkpoint=str(last) if last else None)
            processes.wait_for_everyone()
            if trainer.is_world_process_zero():
                _write_run(config, data, folder, trainer, plan, result.metrics["train_runtime"])
        processes.wait_for_everyone()
    return out / "checkpoint" if config.export.merge else out / "adapter"


def _make_trainer(config: TrainConfig, data: PreparedData, folder: RunFolder) -> tuple[StoryTrainer, Plan]:
    plan = plan_run(config, sum(data.blocks), num_devices())
    arguments = training_arguments(config, folder.work, plan)
    model = build_model(config, data.vocabulary)
    view = choose_view(config, data.vocabulary)
    if config.packing == "borders":
        check_borders(model, view, len(data.vocabulary))
    log.info("%d parameters, %d steps, %s", model.num_parameters(), plan.steps, data.to_record(plan.context))
    trainer = StoryTrainer(
        model=model,
        args=arguments,
        train_dataset=_turns(data, config, view, plan.steps * plan.sequences),
        eval_dataset=_validation_turns(data, config, view),
        callbacks=choose_callbacks(config, folder, plan.tokens_per_step),
    )
    trainer.folder = folder
    return trainer, plan


def _turns(data: PreparedData, config: TrainConfig, view: View, length: int) -> Turns:
    """As many items as the run has steps for: the blocks again from the beginning, where it goes over them twice."""
    return Turns(Blocks(data.train, config.model.context), data.order(config.seed), view, length)


def _validation_turns(data: PreparedData, config: TrainConfig, view: View) -> Turns | None:
    if data.validation is None:
        return None
    blocks = Blocks(data.validation, config.model.context)
    return Turns(blocks, range(len(blocks)), view)


def _write_run(
    config: TrainConfig, data: PreparedData, folder: RunFolder, trainer: Trainer, plan: Plan, seconds: float
) -> None:
    """Everything that a finished run leaves; ``run.json`` last, for it says that the run is finished."""
    rows = metric_rows(trainer.state.log_history, plan.tokens_per_step)
    write_metrics(rows, folder.root)
    draw_curves(rows, folder.root / "curves.svg")
    chosen = folder.choose(config.export.checkpoint)
    if config.lora is not None:
        export_adapter(chosen, data.vocabulary, folder.root / "adapter")
    if config.export.merge:
        export_run(folder, folder.root / "checkpoint", config.export.checkpoint, config.export.dtype)
    write_json(folder.record, _record(config, data, trainer, plan, seconds) | {"exported": chosen.name})


def _record(config: TrainConfig, data: PreparedData, trainer: Trainer, plan: Plan, seconds: float) -> dict[str, Any]:
    model: Any = trainer.model
    return {
        "config": json.loads(config.model_dump_json()),
        "data": data.to_record(plan.context),
        "parameters": model.num_parameters(),
        "trained_parameters": model.num_parameters(only_trainable=True),
        "steps": trainer.state.global_step,
        "tokens_seen": trainer.state.global_step * plan.tokens_per_step,
        "best_validation_loss": trainer.state.best_metric,
        "seconds": round(seconds),
        "devices": num_devices(),
        "commit": find_commit(),
        "torch": torch.__version__,
    }
