"""From settings to a model that can be served. Importing this imports torch, so the model's thread does it."""

from __future__ import annotations

import logging
from dataclasses import replace

import torch
from transformers import PreTrainedModel
from transformers.utils import logging as transformers_logging

from models.engine.budget import plan_slots
from models.engine.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from models.engine.families import NoNetwork, build_network
from models.engine.fidelity import compare
from models.engine.gpu.check import choose_decoder
from models.engine.interface import Engine
from models.engine.linear import Quantize
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine
from models.serve.config import WorkerConfig
from models.serve.loaded import Loaded
from models.serve.tokens import PromptTokenizer

log = logging.getLogger(__name__)


def load(config: WorkerConfig) -> Loaded:
    """Loads the checkpoint and makes its engine. Raises what `load_checkpoint` raises."""
    transformers_logging.disable_progress_bar()
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    checkpoint = load_checkpoint(config.model, config.model_revision, config.device, config.dtype)
    cache_bytes = None if config.cache_mb is None else config.cache_mb << 20
    checkpoint, engine = choose_engine(
        checkpoint, cache_bytes, Quantize(config.quantize), may_decode_ahead=config.gpu_decoder == "auto"
    )
    return Loaded(checkpoint, engine, PromptTokenizer(checkpoint))


def choose_engine(
    checkpoint: Checkpoint,
    cache_bytes: int | None,
    quantize: Quantize = Quantize.NONE,
    *,
    may_decode_ahead: bool = True,
) -> tuple[Checkpoint, Engine]:
    """The fast engine where the model's family has one, else the generic one; and the checkpoint as it is served.

    The fast engine takes the weights over: afterwards the checkpoint's own model is empty. On a GPU a decoder writes
    its rows, where it passes its check, unless `may_decode_ahead` is false. Raises `CheckpointError` where the
    quantisation that was asked for can't be had.
    """
    try:
        network = build_network(checkpoint, quantize)
    except NoNetwork as reason:
        if quantize is not Quantize.NONE:
            raise CheckpointError(f"QUANTIZE={quantize} is not for {checkpoint.name}: {reason}") from reason
        log.warning("%s is served one request at a time: %s", checkpoint.name, reason)
        return checkpoint, SerialEngine(checkpoint)
    if quantize is not Quantize.NONE:
        found = compare(checkpoint, build_network(checkpoint), network)
        log.info(
            "%s: perplexity %.3f instead of %.3f on %d tokens of the model's own text, %.2f %% more",
            *(quantize, found.quantised, found.exact, found.num_tokens, 100 * (found.ratio - 1)),
        )
    empty(checkpoint.model)
    budget = plan_slots(network.shape, checkpoint.context_tokens, cache_bytes)
    served = replace(checkpoint, context_tokens=budget.context_tokens)
    slots = (budget.num_slots, budget.num_columns)
    decoder = choose_decoder(served, network, *slots, is_wanted=may_decode_ahead)
    return served, WeavingEngine(served, network, *slots, decoder=decoder)


def empty(model: PreTrainedModel) -> None:
    """Lets go of the weights, so that those which the network has in another layout are not kept twice."""
    for parameter in model.parameters():
        parameter.data = torch.empty(0, dtype=parameter.dtype, device=parameter.device)
