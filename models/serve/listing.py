"""What ``/v1/models`` says of each model: as OpenAI lists it, with what builders of prompts need besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.serve.loaded import Loaded, LoadedMasked, LoadedModeration

MASKED_ABILITIES = ("suffix", "middle", "keep")

Card = dict[str, Any]


def list_cards(loaded: Loaded, created: int) -> list[Card]:
    """The causal model and its adapters, the masked one, the moderation model: in this order.

    Clients that name no model take the first.
    """
    cards = [causal_card(loaded, name, created) for name in (loaded.checkpoint.name, *loaded.adapters)]
    if loaded.masked is not None:
        cards.append(masked_card(loaded.masked, created))
    if loaded.moderation is not None:
        cards.append(moderation_card(loaded.moderation, created))
    return cards


def causal_card(loaded: Loaded, name: str, created: int) -> Card:
    """The model, or an adapter over it, with vLLM's `parent`.

    What an adapter writes depends on the model below it too, so its revision names both.
    """
    checkpoint = loaded.checkpoint
    adapter = loaded.adapters.get(name)
    story_format = checkpoint.story_format
    return _card(name, "causal", created, checkpoint.context_tokens) | {
        "parent": None if adapter is None else checkpoint.name,
        "revision": checkpoint.revision if adapter is None else f"{checkpoint.revision}+{adapter}",
        "story_format": None if story_format is None else story_format.to_json(),
        "abilities": [*([] if story_format is None else story_format.abilities), "must_include", "banned_phrases"],
    }


def masked_card(masked: LoadedMasked, created: int) -> Card:
    """A model that rewrites words of a `middle`, or fills the gap before a `suffix`."""
    checkpoint = masked.checkpoint
    return _card(checkpoint.name, "masked", created, checkpoint.context_tokens) | {
        "revision": checkpoint.revision,
        "abilities": list(MASKED_ABILITIES),
    }


def moderation_card(moderation: LoadedModeration, created: int) -> Card:
    """A classifier of texts. `max_model_len` is its window: longer texts are read in several."""
    checkpoint = moderation.checkpoint
    return _card(checkpoint.name, "moderation", created, checkpoint.context_tokens) | {
        "revision": checkpoint.revision,
        "categories": list(checkpoint.labels.categories),
        "threshold": moderation.threshold,
    }


def _card(name: str, kind: str, created: int, context_tokens: int) -> Card:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "talewright",
        "kind": kind,
        "max_model_len": context_tokens,
        "parent": None,
        "revision": None,
        "story_format": None,
        "abilities": [],
    }
