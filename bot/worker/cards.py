"""Reads what servers tell of their models: `/v1/models` of our worker, of vLLM, of llama.cpp and of hosted ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import WorkerBroken, WorkerRefused
from bot.worker.assembly import as_int
from bot.worker.values import ModelCard


def find_model(payload: object, wanted: str | None) -> Mapping[str, Any]:
    """The entry of the model `wanted`, or the first. Raises `WorkerRefused` where it is not there."""
    models = payload.get("data") if isinstance(payload, Mapping) else None
    if not isinstance(models, list) or not all(isinstance(m, Mapping) and isinstance(m.get("id"), str) for m in models):
        raise WorkerBroken("/v1/models is not a list of models")
    if not models:
        raise WorkerBroken("/v1/models lists no model")
    if wanted is None:
        return dict(models[0])
    for model in models:
        if model["id"] == wanted:
            return dict(model)
    raise WorkerRefused(f"it has no model {wanted!r}; it has {', '.join(m['id'] for m in models[:10])}")


def read_card(model: Mapping[str, Any]) -> ModelCard:
    """The card of one entry. Extra fields are ours, except `max_model_len`, which vLLM has too."""
    meta = model.get("meta")
    context = as_int(model.get("max_model_len"))
    if context is None and isinstance(meta, Mapping):
        context = as_int(meta.get("n_ctx"))
    story_format = model.get("story_format")
    if story_format is not None and not isinstance(story_format, Mapping):
        raise WorkerBroken("the model's story_format is not an object")
    revision = model.get("revision")
    return ModelCard(model["id"], revision if isinstance(revision, str) else None, context, story_format)


def is_llama_cpp(model: Mapping[str, Any]) -> bool:
    """llama.cpp says in `/v1/models` how long texts were in training (`n_ctx_train`), which is not what fits now."""
    return model.get("owned_by") == "llamacpp"


def context_from_props(props: object) -> int | None:
    """llama.cpp's `/props`: how many tokens one of its slots holds."""
    settings = props.get("default_generation_settings") if isinstance(props, Mapping) else None
    return as_int(settings.get("n_ctx")) if isinstance(settings, Mapping) else None
