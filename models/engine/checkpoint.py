"""A loaded model with its tokenizer and everything that others need to know about it.

Any causal LM that transformers knows loads, from a folder or by its name on the Hugging Face hub. Sampling that a
request leaves open is what the checkpoint's ``generation_config.json`` says, and the model's own distribution where
it says nothing.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils.hub import cached_file, extract_commit_hash

from models.engine.chat_format import chat_format
from models.engine.params import BadSampling, SamplingParams
from models.engine.placement import choose_device, choose_dtype
from models.engine.story_format import FILE_NAME, StoryFormat, StoryFormatError

log = logging.getLogger(__name__)

_UNLIMITED = 10**7  # tokenizers without a limit announce 10^30
_FALLBACK_CONTEXT = 2048  # for models that name no limit, such as state-space models
# Settings of a generation_config that say nothing about which token is drawn, or that `_end_ids` reads.
_NOT_SAMPLING = frozenset(
    """do_sample use_cache bos_token_id eos_token_id pad_token_id transformers_version max_length max_new_tokens
    output_attentions output_hidden_states return_dict_in_generate decoder_start_token_id""".split()
)


class CheckpointError(Exception):
    """The model cannot be loaded; the message says which and why."""


@dataclass(frozen=True)
class Checkpoint:
    """What `load_checkpoint` found. `end_ids` end a row; `bos_id` begins a text for the models that want one."""

    name: str
    revision: str
    model: PreTrainedModel = field(repr=False)
    tokenizer: PreTrainedTokenizerBase = field(repr=False)
    device: torch.device
    dtype: torch.dtype
    context_tokens: int
    vocab_size: int
    end_ids: frozenset[int]
    bos_id: int | None
    is_bos_prepended: bool
    sampling: SamplingParams
    story_format: StoryFormat | None


def load_checkpoint(source: str, revision: str | None = None, device: str = "auto", dtype: str = "auto") -> Checkpoint:
    """Loads weights, tokenizer and defaults. Raises `CheckpointError`, or `PlacementError` for a missing device."""
    folder = local_folder(source, revision)
    place = choose_device(device)
    number = choose_dtype(dtype, place)
    where = source if folder is None else str(folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, revision=revision or "main")
        model = AutoModelForCausalLM.from_pretrained(where, revision=revision or "main", dtype=number)
    except Exception as error:  # whatever transformers, the hub client and safetensors raise for a bad checkpoint
        raise CheckpointError(f"cannot load {source}: {error}") from error
    torch.nn.Module.to(model, place)  # moves in place; transformers' own wrapper is typed for another call
    model.eval()
    checkpoint = _describe(source, folder, revision, model, tokenizer)
    log.info(
        "loaded %s revision %s on %s as %s: %.1f M parameters, %d tokens of context",
        checkpoint.name,
        checkpoint.revision,
        checkpoint.device,
        checkpoint.dtype,
        model.num_parameters() / 1e6,
        checkpoint.context_tokens,
    )
    return checkpoint


def local_folder(source: str, revision: str | None) -> Path | None:
    """The folder that `source` is, or None for a hub name. Raises `CheckpointError` for a folder's revision."""
    folder = Path(source).expanduser()
    if not folder.is_dir():
        return None
    if revision is not None:
        raise CheckpointError(f"{source} is a folder and has no revisions; a revision belongs to a hub name")
    return folder


def _describe(
    source: str,
    folder: Path | None,
    revision: str | None,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
) -> Checkpoint:
    vocab_size = int(model.get_input_embeddings().get_parameter("weight").shape[0])
    begins = list(tokenizer("")["input_ids"])
    bos_id = tokenizer.bos_token_id
    return Checkpoint(
        name=folder.resolve().name if folder else source,
        revision=hash_weights(folder) if folder else commit_of(source, revision),
        model=model,
        tokenizer=tokenizer,
        device=model.device,
        dtype=model.dtype,
        context_tokens=trained_context(model, tokenizer),
        vocab_size=vocab_size,
        end_ids=_end_ids(model, tokenizer, vocab_size),
        bos_id=bos_id if isinstance(bos_id, int) and bos_id < vocab_size else None,
        is_bos_prepended=bool(begins) and begins[0] == bos_id,
        sampling=default_sampling(model),
        story_format=_story_format(folder or source, revision) or chat_format(tokenizer),
    )


def empty(model: PreTrainedModel) -> None:
    """Lets go of the weights, so that those which a network has in another layout are not kept twice."""
    for parameter in model.parameters():
        parameter.data = torch.empty(0, dtype=parameter.dtype, device=parameter.device)


def hash_weights(folder: Path) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a folder's weight files, in the order of their names."""
    return hash_files(sorted(folder.glob("*.safetensors")) or sorted(folder.glob("*.bin")))


def hash_files(paths: Iterable[Path]) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of the files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:12]


def commit_of(name: str, revision: str | None) -> str:
    """The hub commit that the name and revision stood for when the files were fetched."""
    path = cached_file(name, "config.json", revision=revision or "main")
    return extract_commit_hash(path, None) or revision or "unknown"


def trained_context(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens that prompt and answer may have together: the least of the limits that model and tokenizer name."""
    config = model.config.get_text_config(decoder=True)
    named = [getattr(config, name, None) for name in ("max_position_embeddings", "n_positions", "max_seq_len")]
    limits = [n for n in (*named, tokenizer.model_max_length) if isinstance(n, int) and 1 < n < _UNLIMITED]
    if not limits:
        log.warning("the checkpoint names no context length; %d tokens are allowed", _FALLBACK_CONTEXT)
    return min(limits, default=_FALLBACK_CONTEXT)


def _end_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, vocab_size: int) -> frozenset[int]:
    """The ids that end a generation, from the first place that names any, as transformers' `generate` does."""
    generation = model.generation_config
    named = (generation.eos_token_id if generation else None, model.config.eos_token_id, tokenizer.eos_token_id)
    for ids in named:
        if ids is not None:
            found = [ids] if isinstance(ids, int) else list(ids)
            return frozenset(int(i) for i in found if 0 <= int(i) < vocab_size)
    return frozenset()


def default_sampling(model: PreTrainedModel) -> SamplingParams:
    """What the checkpoint's generation defaults say. Raises `CheckpointError` for values out of bounds."""
    said = model.generation_config.to_diff_dict() if model.generation_config else {}
    said = {k: v for k, v in said.items() if v is not None and not k.startswith("_") and k not in _NOT_SAMPLING}
    known = {f.name for f in fields(SamplingParams) if not isinstance(f.default, tuple)}
    if others := sorted(said.keys() - known):
        log.warning("generation defaults of the checkpoint that are not used here: %s", ", ".join(others))
    try:
        return SamplingParams(**{k: v for k, v in said.items() if k in known})
    except BadSampling as error:
        raise CheckpointError(f"the checkpoint's generation_config.json: {error}") from error


def _story_format(where: Path | str, revision: str | None) -> StoryFormat | None:
    if isinstance(where, Path):
        path = where / FILE_NAME
    else:
        found = cached_file(where, FILE_NAME, revision=revision or "main", _raise_exceptions_for_missing_entries=False)
        path = Path(found or FILE_NAME)
        if found is None:
            return None
    if not path.is_file():
        return None
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{FILE_NAME} of the checkpoint is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{FILE_NAME} of the checkpoint must hold an object")
    try:
        return StoryFormat.from_json(value)
    except StoryFormatError as error:
        raise CheckpointError(f"{FILE_NAME} of the checkpoint: {error}") from error


def keeps_logits(model: PreTrainedModel) -> bool:
    """Whether the model can compute the output of the last position alone, which spares a prompt's others."""
    return "logits_to_keep" in inspect.signature(model.forward).parameters
