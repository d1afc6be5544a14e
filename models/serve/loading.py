"""From settings to a model that can be served. Importing this imports torch, so the model's thread does it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers.utils import logging as transformers_logging

from models.engine.adapter import Adapter, AdapterError, load_adapter
from models.engine.budget import plan_slots
from models.engine.checkpoint import Checkpoint, CheckpointError, empty, load_checkpoint
from models.engine.families import NoNetwork, build_network
from models.engine.fidelity import compare
from models.engine.gpu.check import choose_decoder
from models.engine.interface import Engine
from models.engine.linear import Quantize
from models.engine.masked.checkpoint import load_masked
from models.engine.masked.engine import MaskedEngine
from models.engine.moderation.checkpoint import load_classifier
from models.engine.moderation.engine import ModerationEngine
from models.engine.network import Network
from models.engine.projection import lay_over
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine
from models.serve.config import WorkerConfig
from models.serve.loaded import Loaded, LoadedMasked, LoadedModeration
from models.serve.tokens import PromptTokenizer

log = logging.getLogger(__name__)


def load(config: WorkerConfig) -> Loaded:
    """Loads adapters and checkpoints and makes the engines. Raises what their loading raises."""
    transformers_logging.disable_progress_bar()
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    adapters = [load_adapter(name, source) for name, source in config.adapters.items()]
    checkpoint = load_checkpoint(config.model, config.model_revision, config.device, config.dtype)
    cache_bytes = None if config.cache_mb is None else config.cache_mb << 20
    checkpoint, engine = choose_engine(
        checkpoint,
        cache_bytes,
        Quantize(config.quantize),
        adapters,
        may_decode_ahead=config.gpu_decoder == "auto",
    )
    revisions = {adapter.name: adapter.revision for adapter in adapters}
    taken = {checkpoint.name, *revisions}
    masked = _load_masked(config, taken)
    moderation = _load_moderation(config, taken if masked is None else taken | {masked.checkpoint.name})
    return Loaded(checkpoint, engine, PromptTokenizer(checkpoint), revisions, masked, moderation)


def _load_masked(config: WorkerConfig, taken: Collection[str]) -> LoadedMasked | None:
    """The masked model, where one is wanted. Raises `CheckpointError`, also where its name is `taken`."""
    if config.masked_source is None:
        return None
    checkpoint = load_masked(config.masked_source, config.masked_model_revision, config.device, config.dtype)
    if checkpoint.name in taken:
        raise CheckpointError(f"MASKED_MODEL is named {checkpoint.name}, as another model or adapter here is")
    return LoadedMasked(checkpoint, MaskedEngine(checkpoint))


def _load_moderation(config: WorkerConfig, taken: Collection[str]) -> LoadedModeration | None:
    """The classifier, where one is wanted. Raises `CheckpointError`, also where its name is `taken`."""
    if config.moderation_source is None:
        return None
    checkpoint = load_classifier(
        config.moderation_source,
        config.moderation_model_revision,
        config.device,
        config.dtype,
        config.moderation_labels,
    )
    if checkpoint.name in taken:
        raise CheckpointError(f"MODERATION_MODEL is named {checkpoint.name}, as another model or adapter here is")
    return LoadedModeration(checkpoint, ModerationEngine(checkpoint), config.moderation_threshold)


def choose_engine(
    checkpoint: Checkpoint,
    cache_bytes: int | None,
    quantize: Quantize = Quantize.NONE,
    adapters: Sequence[Adapter] = (),
    *,
    may_decode_ahead: bool = True,
) -> tuple[Checkpoint, Engine]:
    """The fast engine where the model's family has one, else the generic one; and the checkpoint as it is served.

    The fast engine takes the weights over: afterwards the checkpoint's own model is empty. On a GPU a decoder writes
    its rows, where it passes its check, unless `may_decode_ahead` is false. Raises `CheckpointError` where the
    quantisation or the adapters that were asked for can't be had, and `AdapterError` where one does not fit.
    """
    try:
        network = build_network(checkpoint, quantize)
    except NoNetwork as reason:
        if quantize is not Quantize.NONE:
            raise CheckpointError(f"QUANTIZE={quantize} is not for {checkpoint.name}: {reason}") from reason
        if adapters:
            raise CheckpointError(f"ADAPTERS can't be used with {checkpoint.name}: {reason}") from reason
        log.warning("%s is served one request at a time: %s", checkpoint.name, reason)
        return checkpoint, SerialEngine(checkpoint)
    if quantize is not Quantize.NONE:
        found = compare(checkpoint, build_network(checkpoint), network)
        log.info(
            "%s: perplexity %.3f instead of %.3f on %d tokens of the model's own text, %.2f %% more",
            *(quantize, found.quantised, found.exact, found.num_tokens, 100 * (found.ratio - 1)),
        )
    for adapter in adapters:
        _lay_over(adapter, checkpoint, network)
    empty(checkpoint.model)
    budget = plan_slots(network.shape, checkpoint.context_tokens, cache_bytes)
    served = replace(checkpoint, context_tokens=budget.context_tokens)
    slots = (budget.num_slots, budget.num_columns)
    decoder = choose_decoder(served, network, *slots, is_wanted=may_decode_ahead)
    names = [adapter.name for adapter in adapters]
    return served, WeavingEngine(served, network, *slots, adapters=names, decoder=decoder)


def _lay_over(adapter: Adapter, checkpoint: Checkpoint, network: Network) -> None:
    if adapter.name == checkpoint.name:
        raise AdapterError(f"the adapter {adapter.name} is named as the model is; ADAPTERS must give it another name")
    if adapter.base is not None and Path(adapter.base).name != Path(checkpoint.name).name:
        log.warning("the adapter %s was trained on %s, not on %s", adapter.name, adapter.base, checkpoint.name)
    lay_over(adapter, network.projections)
