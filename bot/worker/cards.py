"""Reads what servers tell of their models: `/v1/models` of our worker, of vLLM, of llama.cpp and of hosted ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import WorkerBroken, WorkerRefused
from bot.worker.assembly import as_int
from bot.worker.values import Ability, Kind, ModelCard

Entry = Mapping[str, Any]


def list_models(payload: object) -> list[Entry]:
    """The entries of `/v1/models`, at least one. Raises `WorkerBroken` where it is not such a list."""
    models = payload.get("data") if isinstance(payload, Mapping) else None
    if not isinstance(models, list) or not all(isinstance(m, Mapping) and isinstance(m.get("id"), str) for m in models):
        raise WorkerBroken("/v1/models is not a list of models")
    if not models:
        raise WorkerBroken("/v1/models lists no model")
    return [dict(model) for model in models]


def find_model(models: list[Entry], wanted: str | None) -> Entry:
    """The entry of the model `wanted`, or the first that writes. Raises `WorkerRefused` where there is none."""
    writers = [model for model in models if kind_of(model) == Kind.CAUSAL]
    for model in writers:
        if wanted is None or model["id"] == wanted:
            return model
    if wanted is None:
        raise WorkerRefused(f"none of its models writes on from a prompt: {_names(models)}")
    raise WorkerRefused(f"it has no model {wanted!r} that writes on from a prompt; it has {_names(models)}")


def find_beside(models: list[Entry], kind: Kind) -> Entry | None:
    """The first model of this kind, None where none is listed."""
    return next((model for model in models if kind_of(model) == kind), None)


def kind_of(model: Entry) -> str:
    """Our own worker says what kind its models are; other servers serve models that write. May be one we don't know."""
    kind = model.get("kind")
    return Kind.CAUSAL if kind is None else str(kind)


def read_card(model: Entry, beside: list[Entry] | None = None) -> ModelCard:
    """The card of one entry, with those of models of other kinds that are listed `beside` it.

    Extra fields are ours, except `max_model_len`, which vLLM has too.
    """
    meta = model.get("meta")
    context = as_int(model.get("max_model_len"))
    if context is None and isinstance(meta, Mapping):
        context = as_int(meta.get("n_ctx"))
    story_format = model.get("story_format")
    if story_format is not None and not isinstance(story_format, Mapping):
        raise WorkerBroken("the model's story_format is not an object")
    revision = model.get("revision")
    rewriter, moderator = (find_beside(beside or [], kind) for kind in (Kind.MASKED, Kind.MODERATION))
    return ModelCard(
        id=model["id"],
        revision=revision if isinstance(revision, str) else None,
        context_tokens=context,
        story_format=story_format,
        kind=Kind(kind_of(model)),
        abilities=frozenset(ability for ability in Ability if ability in _names_in(model, "abilities")),
        rewriter=None if rewriter is None else read_card(rewriter),
        categories=tuple(_names_in(model, "categories")),
        moderator=None if moderator is None else read_card(moderator),
    )


def _names_in(model: Entry, field: str) -> list[str]:
    """What is announced there. Of abilities a newer worker may name some that we don't know."""
    announced = model.get(field)
    if announced is None:
        return []
    if not isinstance(announced, list) or not all(isinstance(name, str) for name in announced):
        raise WorkerBroken(f"the model's {field} are not a list of names")
    return announced


def _names(models: list[Entry]) -> str:
    return ", ".join(model["id"] for model in models[:10])


def is_llama_cpp(model: Entry) -> bool:
    """llama.cpp says in `/v1/models` how long texts were in training (`n_ctx_train`), which is not what fits now."""
    return model.get("owned_by") == "llamacpp"


def context_from_props(props: object) -> int | None:
    """llama.cpp's `/props`: how many tokens one of its slots holds."""
    settings = props.get("default_generation_settings") if isinstance(props, Mapping) else None
    return as_int(settings.get("n_ctx")) if isinstance(settings, Mapping) else None
