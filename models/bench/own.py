"""The process of a subject that is made of this project: `python -m models.bench.own FOLDER OPTIONS`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from models.bench.runners.runner import Answerer, Asked, Notes, OneByOne, main
from models.engine.budget import plan_slots
from models.engine.checkpoint import Checkpoint, empty, load_checkpoint
from models.engine.events import Delta, Failed
from models.engine.families import build_network
from models.engine.gpu.check import choose_decoder
from models.engine.interface import Engine
from models.engine.linear import Quantize
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine


class EngineFailed(Exception):
    """A request failed inside the engine."""


class EngineAnswerer:
    """An engine of this project, driven as the worker drives it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, asked: Asked) -> None:
        self._engine.add(request_of(asked))

    @property
    def has_work(self) -> bool:
        return self._engine.has_work

    def step(self, notes: Notes) -> None:
        for event in self._engine.step():
            if isinstance(event, Delta):
                notes.wrote(event.request_id, event.index, event.token_ids)
            elif isinstance(event, Failed):
                raise EngineFailed(event.message)


def request_of(asked: Asked) -> Request:
    """As the engine takes it."""
    sampling = SamplingParams(temperature=asked.temperature, top_p=asked.top_p)
    return Request(asked.id, asked.prompt, seed=asked.seed, n=asked.n, max_tokens=asked.max_tokens, sampling=sampling)


class Watch(StoppingCriteria):
    """Stops nothing: it notes what `generate` has written, after each of its steps."""

    def __init__(self, asked: Asked, notes: Notes, first_row: int) -> None:
        self._asked = asked
        self._notes = notes
        self._first_row = first_row

    def __call__(self, input_ids: torch.Tensor, scores: object, **_more: object) -> torch.Tensor:
        for row, token in enumerate(input_ids[:, -1].tolist()):
            self._notes.wrote(self._asked.id, self._first_row + row, [token])
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


class Generate:
    """`generate` of transformers: a call for each candidate, as tutorials do it, or one call for all of them."""

    def __init__(self, checkpoint: Checkpoint, *, is_together: bool) -> None:
        self._checkpoint = checkpoint
        self._is_together = is_together

    def answer(self, asked: Asked, notes: Notes) -> None:
        torch.manual_seed(asked.seed)
        if self._is_together:
            self._generate(asked, notes, 0, asked.n)
            return
        for row in range(asked.n):
            self._generate(asked, notes, row, 1)

    @torch.inference_mode()
    def _generate(self, asked: Asked, notes: Notes, first_row: int, n: int) -> None:
        ids = torch.tensor([asked.prompt], device=self._checkpoint.device)
        generate = cast("Callable[..., torch.Tensor]", self._checkpoint.model.generate)
        generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=asked.max_tokens,
            do_sample=asked.temperature > 0,
            temperature=asked.temperature or None,
            top_p=asked.top_p,
            top_k=0,
            repetition_penalty=1.0,
            num_return_sequences=n,
            eos_token_id=None,
            pad_token_id=0,
            stopping_criteria=StoppingCriteriaList([Watch(asked, notes, first_row)]),
        )


def make_answerer(checkpoint: Checkpoint, options: dict[str, Any]) -> Answerer:
    """Any of this project's ways. The fast engine takes the weights over, as it does in the worker."""
    way = options["way"]
    if way == "engine":
        network = build_network(checkpoint, Quantize(options.get("quantize", "none")))
        empty(checkpoint.model)
        budget = plan_slots(network.shape, checkpoint.context_tokens, options["cache_bytes"])
        slots = (budget.num_slots, budget.num_columns)
        decoder = choose_decoder(checkpoint, network, *slots)
        return EngineAnswerer(WeavingEngine(checkpoint, network, *slots, decoder=decoder))
    if way == "serial":
        return EngineAnswerer(SerialEngine(checkpoint))
    return OneByOne(Generate(checkpoint, is_together=way == "together").answer)


def load(folder: Path, options: dict[str, Any]) -> Answerer:
    """The weights in `folder`, in which no token ends a text."""
    torch.set_num_threads(options["threads"])
    checkpoint = load_checkpoint(str(folder), device=options["device"], dtype=options["dtype"])
    return make_answerer(replace(checkpoint, end_ids=frozenset()), options)


if __name__ == "__main__":
    main(load, sys.argv[1], sys.argv[2])
