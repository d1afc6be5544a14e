"""The model's own stories, with the distribution that every token was drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from models.engine.budget import plan_slots
from models.engine.checkpoint import Checkpoint
from models.engine.events import Delta
from models.engine.families import build_network
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.weaving import WeavingEngine

BEGINNING_TOKENS = 250
"""Of the story that is known when a round begins, sampled as the round is."""
ROUND_TOKENS = 80
NUM_ROWS = 3
CACHE_BYTES = 1 << 29


@dataclass(frozen=True)
class Sampling:
    """How texts are drawn; `temperature` 0 takes the likeliest token each time."""

    name: str
    temperature: float
    top_p: float

    @property
    def params(self) -> SamplingParams:
        return SamplingParams(temperature=self.temperature, top_p=self.top_p)


SAMPLINGS = (Sampling("temperature 0.9, top-p 0.95", 0.9, 0.95), Sampling("greedy", 0.0, 1.0))


@dataclass(frozen=True)
class Text:
    """A candidate behind its prompt. `target` [tokens of the candidate, vocab] are the distributions that its tokens
    were drawn from, `early` those that the first half of the layers gives, treated alike.
    """

    ids: tuple[int, ...]
    start: int
    target: torch.Tensor
    early: torch.Tensor


def write_rounds(checkpoint: Checkpoint, sampling: Sampling, num_stories: int) -> list[list[Text]]:
    """Rounds of `NUM_ROWS` candidates, each round in a story of its own; greedy ones are all alike."""
    network = build_network(checkpoint)
    budget = plan_slots(network.shape, checkpoint.context_tokens, CACHE_BYTES)
    engine = WeavingEngine(checkpoint, network, budget.num_slots, budget.num_columns)
    first = (0 if checkpoint.bos_id is None else checkpoint.bos_id,)
    length = min(BEGINNING_TOKENS, checkpoint.context_tokens - ROUND_TOKENS - 2)
    beginnings = _write(engine, Request("story", first, 1, num_stories, length, SAMPLINGS[0].params))
    n = NUM_ROWS if sampling.temperature > 0 else 1
    rounds = []
    for story, beginning in enumerate(beginnings):
        prompt = (*first, *beginning)
        rows = _write(engine, Request(f"round {story}", prompt, 100 + story, n, ROUND_TOKENS, sampling.params))
        texts = [score(checkpoint, (*prompt, *row), len(prompt), sampling) for row in rows]
        rounds.append(texts * (NUM_ROWS // n))
    return rounds


def _write(engine: WeavingEngine, request: Request) -> list[list[int]]:
    engine.add(request)
    rows: list[list[int]] = [[] for _ in range(request.n)]
    while engine.has_work:
        for event in engine.step():
            if isinstance(event, Delta):
                rows[event.index] += event.token_ids
    return rows


@torch.inference_mode()
def score(checkpoint: Checkpoint, ids: tuple[int, ...], start: int, sampling: Sampling) -> Text:
    """Reads a text once more for its distributions."""
    model = checkpoint.model
    answer = model(torch.tensor([ids], device=checkpoint.device), output_hidden_states=True)
    norm = cast("nn.Module", getattr(model.base_model, "norm", None) or model.base_model.ln_f)
    middle = answer.hidden_states[len(answer.hidden_states) // 2]
    early = model.get_output_embeddings()(norm(middle))
    places = slice(start - 1, len(ids) - 1)
    target, guess = (distribution(logits[0, places].float().cpu(), sampling) for logits in (answer.logits, early))
    return Text(ids, start, target, guess)


def distribution(logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """What is drawn from, for logits [tokens, vocab]: the least set of likeliest tokens that reaches top-p."""
    if sampling.temperature == 0:
        return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).float()
    ranked, order = torch.softmax(logits / sampling.temperature, -1).sort(-1, descending=True)
    before = ranked.cumsum(-1) - ranked
    kept = torch.where(before < sampling.top_p, ranked, 0.0)
    return torch.zeros_like(kept).scatter_(-1, order, kept / kept.sum(-1, keepdim=True))
