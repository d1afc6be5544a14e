"""Transformers' continuous batching: all requests in one batch over a paged cache, in a thread of the library's own.

The number of candidates is one value for the whole manager, so a workload whose requests all ask for as many has them
forked from one prompt; in a mixed one each candidate is a request of its own. Prompts that begin alike share pages, as
long as one manager lives.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForCausalLM, ContinuousBatchingConfig, GenerationConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.bench.runners.runner import Asked, Notes

PAGE_TOKENS = 32
"""With the default of 256, prompts of some hundred tokens would share next to nothing."""
MAX_BATCH_TOKENS = 1024
MAX_COLUMNS = 32_768
"""It makes a mask of batch tokens times columns, so both are kept within what the workloads need."""
WAIT_S = 0.05


class Batching:
    """Answers what is added; see `runner.Answerer`. `num_pages` of the cache are taken for good."""

    def __init__(self, model: Any, num_pages: int) -> None:
        self._model = model
        self._config = ContinuousBatchingConfig(
            page_size=PAGE_TOKENS, num_blocks=num_pages, max_batch_tokens=MAX_BATCH_TOKENS
        )
        self._manager: Any = None
        self._manager_sampling: dict[str, Any] = {}
        self._open: dict[str, tuple[str, int, int]] = {}  # the manager's id → request, row, tokens so far

    def prepare(self, requests: Sequence[Asked]) -> None:
        """A manager for what is to come."""
        numbers = {asked.n for asked in requests}
        (temperature, top_p), *others = {(asked.temperature, asked.top_p) for asked in requests}
        if others:
            raise ValueError("a manager has one temperature and one top-p for all requests")
        sampling = {
            "do_sample": temperature > 0,
            "temperature": temperature or 1.0,
            "top_p": top_p,
            "top_k": 0,
            "num_return_sequences": numbers.pop() if len(numbers) == 1 else 1,
        }
        if sampling != self._manager_sampling:
            self.close()
            generation = GenerationConfig(**sampling, eos_token_id=-1, pad_token_id=0)
            self._manager = self._model.init_continuous_batching(generation, self._config)
            self._manager.start()
            self._manager_sampling = sampling

    def close(self) -> None:
        if self._manager is not None:
            self._manager.stop(block=True)
            self._manager = None

    def add(self, asked: Asked) -> None:
        together = self._manager_sampling["num_return_sequences"]
        for first in range(0, asked.n, together):
            name = f"{asked.id}/{first}"
            self._open[name] = (asked.id, first, 0)
            for row in range(1, together):
                self._open[f"{name}__child#{row - 1}"] = (asked.id, first + row, 0)
            self._manager.add_request(
                list(asked.prompt), request_id=name, max_new_tokens=asked.max_tokens, streaming=True, eos_token_id=-1
            )

    @property
    def has_work(self) -> bool:
        return bool(self._open)

    def step(self, notes: Notes) -> None:
        """Takes one result. A child's tokens begin with the first one of its parent's."""
        result = self._manager.get_result(timeout=WAIT_S)
        if result is None:
            if not self._manager.is_running():
                raise RuntimeError("the manager's thread has ended; its log says why")
            return
        if result.error is not None:
            raise RuntimeError(result.error)
        request_id, row, num_seen = self._open[result.request_id]
        notes.wrote(request_id, row, result.generated_tokens[num_seen:])
        self._open[result.request_id] = (request_id, row, len(result.generated_tokens))
        if result.is_finished():
            del self._open[result.request_id]


def load(folder: Path, options: dict[str, Any]) -> Batching:
    """With pages for `cache_bytes` of keys and values."""
    torch.set_num_threads(options["threads"])
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    num_columns = min(MAX_COLUMNS, options["cache_bytes"] // options["bytes_per_column"])
    return Batching(model, num_columns // PAGE_TOKENS)
