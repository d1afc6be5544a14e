"""From the sampling fields of the completions API to a request of the engine, so that all subjects are asked alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from models.engine.params import DEFAULT_STRENGTH, BeamParams, ContrastiveParams, SamplingParams
from models.engine.request import Request
from models.evaluate.subject import Ask

BOT_SAMPLING: dict[str, float] = {"temperature": 0.8, "top_p": 0.95, "min_p": 0.05, "frequency_penalty": 0.3}
"""How candidates for a ballot are drawn in Talewright's rounds, where nothing else is asked for."""
_DRAWN = frozenset(f.name for f in fields(SamplingParams))
_BEAMS = {"beam_width": "width", "length_penalty": "length_penalty", "early_stopping": "early_stopping"}
_REQUEST = ("banned_phrases", "must_include", "must_include_strength")


class BadField(ValueError):
    """A sampling field that is not known, or its value is no good; the message names it."""


def check_fields(said: Mapping[str, Any]) -> None:
    """Raises `BadField`."""
    request_of("check", (0,), Ask("", 1, 1, 0, said))


def request_of(request_id: str, prompt_ids: Sequence[int], ask: Ask) -> Request:
    """What the fields leave open is the model's own distribution. Raises `BadField`."""
    said = dict(ask.fields)
    known = _DRAWN | _BEAMS.keys() | set(_REQUEST) | {"penalty_alpha"}
    if unknown := sorted(said.keys() - known):
        raise BadField(f"unknown sampling field {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    try:
        alpha = said.pop("penalty_alpha", None)
        contrastive = None if alpha is None else ContrastiveParams(alpha, said.pop("top_k", 4))
        beams = {_BEAMS[name]: said.pop(name) for name in _BEAMS if name in said}
        rest = {name: said.pop(name) for name in _REQUEST if name in said}
        return Request(
            id=request_id,
            prompt_ids=tuple(prompt_ids),
            seed=ask.seed,
            n=ask.n,
            max_tokens=ask.max_tokens,
            sampling=SamplingParams(**_as_params(said)),
            stop=ask.stop if not beams else (),
            banned_phrases=tuple(rest.get("banned_phrases", ())),
            must_include=tuple(rest.get("must_include", ())),
            must_include_strength=rest.get("must_include_strength", DEFAULT_STRENGTH),
            beams=BeamParams(**beams) if beams else None,
            contrastive=contrastive,
        )
    except (ValueError, TypeError) as error:
        raise BadField(str(error)) from error


def _as_params(said: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where the engine has tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
