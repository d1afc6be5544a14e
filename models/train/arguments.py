"""The configuration as transformers' Trainer wants it, and how many steps it makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import TrainingArguments, get_scheduler
from transformers.trainer_utils import SchedulerType
from transformers.training_args import OptimizerNames

from models.train.config import TrainConfig
from models.train.errors import NoTextError, TrainConfigError
from models.train.precision import is_bf16_wanted


@dataclass(frozen=True)
class Plan:
    """How far a run goes: `sequences` blocks of `context` tokens make a step, over all devices and accumulations."""

    steps: int
    sequences: int
    context: int

    @property
    def tokens_per_step(self) -> int:
        return self.sequences * self.context


def plan_run(config: TrainConfig, num_blocks: int, devices: int) -> Plan:
    """`epochs` times the blocks in whole steps, or `max_steps`. Raises `NoTextError` where that is no step at all."""
    opt = config.optimiser
    sequences = opt.batch_size * opt.accumulate * devices
    steps = config.max_steps or int(num_blocks * config.epochs) // sequences
    if not steps:
        raise NoTextError(
            f"the text makes {num_blocks} blocks of {config.model.context} tokens, less than one step of {sequences} "
            f"(optimiser.batch_size {opt.batch_size} x accumulate {opt.accumulate} x {devices} devices); lower them, "
            "raise epochs, or give more text"
        )
    return Plan(steps, sequences, config.model.context)


def is_cpu_only() -> bool:
    """Whether there is nothing but a CPU to train on."""
    return not torch.cuda.is_available() and not torch.backends.mps.is_available()


def join_processes() -> Any:
    """The processes that a launcher started together; one alone without a launcher.

    Accelerate finds other processes on a CPU only where it is told that a CPU is meant.
    """
    return PartialState(cpu=is_cpu_only())


def num_devices() -> int:
    """Processes that train together, or the GPUs that one process without a launcher drives."""
    processes = join_processes().num_processes
    return int(processes) if processes > 1 else max(1, torch.cuda.device_count())


def training_arguments(config: TrainConfig, work: Path, plan: Plan) -> TrainingArguments:
    """The Trainer's settings. Blocks are read in order: the phases are already shuffled inside themselves.

    Raises `TrainConfigError` for an optimiser or schedule that transformers does not have or cannot make.
    """
    opt = config.optimiser
    _check_names(config)
    return TrainingArguments(
        output_dir=str(work),
        max_steps=plan.steps,
        per_device_train_batch_size=opt.batch_size,
        per_device_eval_batch_size=opt.batch_size,
        gradient_accumulation_steps=opt.accumulate,
        activation_checkpointing=config.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if config.gradient_checkpointing else None,
        optim=opt.name,
        learning_rate=opt.learning_rate,
        lr_scheduler_type=opt.schedule,
        lr_scheduler_kwargs=opt.schedule_options,
        warmup_steps=round(opt.warmup_fraction * plan.steps),
        weight_decay=opt.weight_decay,
        adam_beta1=opt.beta1,
        adam_beta2=opt.beta2,
        max_grad_norm=opt.max_grad_norm,
        train_sampling_strategy="sequential",
        eval_strategy="steps" if config.validation else "no",
        eval_steps=config.evaluate_every,
        metric_for_best_model="eval_loss" if config.validation else None,
        greater_is_better=False if config.validation else None,
        prediction_loss_only=True,
        save_steps=config.save_every,
        save_total_limit=2,
        restore_callback_states_from_checkpoint=True,
        logging_steps=config.log_every,
        logging_nan_inf_filter=False,
        report_to="none",
        seed=config.seed,
        bf16=is_bf16_wanted(config.precision),
        use_cpu=is_cpu_only(),
        torch_compile=config.compile,
        dataloader_drop_last=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
    )


def _check_names(config: TrainConfig) -> None:
    opt = config.optimiser
    optimisers, schedules = [name.value for name in OptimizerNames], [name.value for name in SchedulerType]
    if opt.name not in optimisers:
        raise TrainConfigError(f"optimiser.name is {opt.name!r}; one of {', '.join(optimisers)} is wanted")
    if opt.schedule not in schedules:
        raise TrainConfigError(f"optimiser.schedule is {opt.schedule!r}; one of {', '.join(schedules)} is wanted")
    if opt.schedule == SchedulerType.REDUCE_ON_PLATEAU and not config.validation:
        raise TrainConfigError("optimiser.schedule: reduce_lr_on_plateau needs validation")
    _try_schedule(opt.schedule, dict(opt.schedule_options))


def _try_schedule(name: str, options: dict[str, object]) -> None:
    """Makes the schedule once over nothing, so that what is wrong with it is said before the text is read."""
    nothing = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    try:
        get_scheduler(name, nothing, num_warmup_steps=1, num_training_steps=10, scheduler_specific_kwargs=options)
    except (TypeError, ValueError) as error:
        raise TrainConfigError(f"optimiser.schedule_options for {name}: {error}") from error
