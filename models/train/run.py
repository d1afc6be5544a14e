"""One training run: configuration and text in, a servable checkpoint folder out.

The run folder holds ``work/`` (tokenized data, the trainer's checkpoints) and, at the end, ``checkpoint/`` beside
``run.json`` and ``metrics.csv``. A run that was killed goes on from its last checkpoint when started again with the
same configuration.
"""

from __future__ import annotations

import csv
import json
import logging
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from models.engine.story_format import StoryFormat
from models.train.config import TrainConfig
from models.train.dataset import (
    GivenParts,
    TokenBlocks,
    data_hash,
    phase_documents,
    phase_order,
    write_manifest,
    write_tokens,
)
from models.train.examples import ExampleOptions, make_documents
from models.train.sources import read_stories
from models.train.tokenizer import PAD, extend_tokenizer, save_tokenizer, token_id, train_tokenizer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedData:
    """Tokenized text of a run: where it is and how it is cut."""

    train: TokenBlocks
    validation: TokenBlocks | None
    tokenizer: Tokenizer
    record: dict[str, Any]


def main(config: TrainConfig, data_root: Path, out: Path) -> Path:
    """Trains from scratch (or goes on) and returns the checkpoint folder."""
    fmt = StoryFormat()
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    data = prepare_data(config, data_root, work, fmt)
    model = build_model(config, data.tokenizer, fmt)
    log.info("%d parameters, %s", model.num_parameters(), data.record)
    trainer = Trainer(
        model=model,
        args=training_arguments(config, work, len(data.train)),
        train_dataset=data.train,
        eval_dataset=data.validation,
    )
    result = trainer.train(resume_from_checkpoint=get_last_checkpoint(str(work)))
    checkpoint = export(model, data.tokenizer, fmt, config, out / "checkpoint")
    write_metrics(trainer.state.log_history, out / "metrics.csv")
    write_manifest(
        out / "run.json",
        {
            "config": config.model_dump(),
            "data": data.record,
            "parameters": model.num_parameters(),
            "steps": trainer.state.global_step,
            "tokens_seen": trainer.state.global_step * _tokens_per_step(config),
            "seconds": round(result.metrics["train_runtime"]),
            "commit": _commit(),
            "torch": torch.__version__,
        },
    )
    return checkpoint


def prepare_data(config: TrainConfig, data_root: Path, work: Path, fmt: StoryFormat) -> PreparedData:
    """Tokenizes every phase once; a second call reads what the first wrote."""
    options, context = ExampleOptions(), config.model.context
    tokens, held_out, vocabulary = work / "train.bin", work / "validation.bin", work / "tokenizer.json"
    rng = random.Random(config.seed)
    phases = [phase_documents(phase, data_root, fmt, options, rng) for phase in config.phases]
    if not vocabulary.exists():
        made = (
            train_tokenizer((d for docs in phases for d in docs), config.model.vocab_size, fmt)
            if config.init is None
            else extend_tokenizer(config.init, fmt)
        )
        made.save(str(vocabulary))
        tokens.unlink(missing_ok=True)
    tokenizer = Tokenizer.from_file(str(vocabulary))
    if not tokens.exists():
        counts = [_write_whole_blocks(docs, tokenizer, tokens, context) for docs in phases]
        write_manifest(work / "blocks.json", {"blocks": counts})
    counts = _read_counts(work / "blocks.json")
    if config.validation and not held_out.exists():
        stories = [s for path in config.validation for s in read_stories(data_root / path)]
        documents = [d for s in stories[:400] for d in make_documents(s, fmt, options, rng)]
        write_tokens(documents, tokenizer, held_out)
    given = given_parts(tokenizer, fmt)
    return PreparedData(
        train=TokenBlocks(tokens, context, given, phase_order(counts, random.Random(config.seed))),
        validation=TokenBlocks(held_out, context, given) if config.validation else None,
        tokenizer=tokenizer,
        record={"blocks": counts, "tokens": sum(counts) * context, "sha256": data_hash([tokens])},
    )


def given_parts(tokenizer: Tokenizer, fmt: StoryFormat) -> GivenParts:
    """Which ids open and close the parts that a model is given; a document's start opens one too."""
    openers = [marker for marker in fmt.special_tokens if marker not in {fmt.body, fmt.passage_end}]
    return GivenParts(frozenset(token_id(tokenizer, m) for m in openers), token_id(tokenizer, fmt.body))


def _write_whole_blocks(documents: list[str], tokenizer: Tokenizer, path: Path, context: int) -> int:
    """Appends a phase and drops its last partial block, so that phases stay aligned; returns the block count."""
    before = path.stat().st_size if path.exists() else 0
    written = write_tokens(documents, tokenizer, path)
    blocks = written // context
    with path.open("r+b") as file:
        file.truncate(before + blocks * context * 2)
    return blocks


def _read_counts(path: Path) -> list[int]:
    return [int(n) for n in json.loads(path.read_text())["blocks"]]


def build_model(config: TrainConfig, tokenizer: Tokenizer, fmt: StoryFormat) -> LlamaForCausalLM:
    """A freshly initialised Llama shape, whose weights the seed decides; or the checkpoint to go on from.

    That one gets a row for each marker that it does not know yet.
    """
    torch.manual_seed(config.seed)
    if config.init is not None:
        model = LlamaForCausalLM.from_pretrained(config.init, dtype=torch.float32)
        model.resize_token_embeddings(tokenizer.get_vocab_size())
        return model
    shape = config.model
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=shape.hidden_size,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            intermediate_size=shape.intermediate_size,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            bos_token_id=token_id(tokenizer, fmt.start),
            eos_token_id=token_id(tokenizer, fmt.passage_end),
            pad_token_id=token_id(tokenizer, PAD),
        )
    )


def training_arguments(config: TrainConfig, work: Path, num_blocks: int) -> TrainingArguments:
    """The Trainer's settings. Blocks are read in order: the phases are already shuffled inside themselves."""
    opt = config.optimiser
    steps = config.max_steps or num_blocks // (opt.batch_size * opt.accumulate)
    return TrainingArguments(
        output_dir=str(work),
        max_steps=steps,
        per_device_train_batch_size=opt.batch_size,
        per_device_eval_batch_size=opt.batch_size,
        gradient_accumulation_steps=opt.accumulate,
        learning_rate=opt.learning_rate,
        lr_scheduler_type=opt.schedule,
        warmup_steps=round(opt.warmup_fraction * steps),
        weight_decay=opt.weight_decay,
        adam_beta2=opt.beta2,
        max_grad_norm=opt.max_grad_norm,
        train_sampling_strategy="sequential",
        eval_strategy="steps" if config.validation else "no",
        eval_steps=config.evaluate_every,
        save_steps=config.save_every,
        save_total_limit=2,
        logging_steps=20,
        logging_nan_inf_filter=False,
        report_to="none",
        seed=config.seed,
        bf16=is_bf16_wanted(config.precision),
        use_cpu=not torch.cuda.is_available() and not torch.backends.mps.is_available(),
        torch_compile=config.compile,
        dataloader_drop_last=True,
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def is_bf16_wanted(precision: str) -> bool:
    """Whether matrices are multiplied in bfloat16."""
    if precision == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    return precision == "bfloat16"


def export(model: LlamaForCausalLM, tokenizer: Tokenizer, fmt: StoryFormat, config: TrainConfig, folder: Path) -> Path:
    """Writes a folder that transformers and the worker load: fp16 weights, tokenizer, defaults, story format."""
    folder.mkdir(parents=True, exist_ok=True)
    model.generation_config.update(do_sample=True, temperature=0.8, top_p=0.95)
    model.half().save_pretrained(folder)
    save_tokenizer(tokenizer, fmt, config.model.context, folder)
    fmt.save(folder)
    return folder


def write_metrics(history: list[dict[str, float]], path: Path) -> None:
    """The trainer's log as CSV, one row a logged step."""
    columns = ["step", "loss", "eval_loss", "learning_rate", "grad_norm"]
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row for row in history if "loss" in row or "eval_loss" in row)


def _tokens_per_step(config: TrainConfig) -> int:
    return config.optimiser.batch_size * config.optimiser.accumulate * config.model.context


def _commit() -> str | None:
    """The checkout's commit, or None where the package does not run from a git checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    here = Path(__file__).parent
    answer = subprocess.run([git, "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout.strip() or None
