"""The runner for llama.cpp against a pretended library that keeps what each sequence holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.bench.runners.runner import load_with
from tests.models.bench.fake import asked
from tests.models.bench.test_own import Load, pretended, run


class Settings:
    """Whatever is set on it."""


class Batch:
    def __init__(self, size: int) -> None:
        self.n_tokens = 0
        self.token = [0] * size
        self.pos = [0] * size
        self.logits = [False] * size
        self.n_seq_id = [0] * size
        self.seq_id = [[0] for _ in range(size)]


class Library:
    """Sequences of tokens. It refuses a token that is not the next of its sequence, as a cache would be wrong then."""

    def __init__(self) -> None:
        self.sequences: dict[int, list[int]] = {}
        self.passes: list[int] = []
        self.wanted: list[bool] = []
        self.drawn = 0

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_default_params"):
            return Settings
        return lambda *_args: 1

    def llama_batch_init(self, size: int, _embeddings: int, _sequences: int) -> Batch:
        return Batch(size)

    def llama_memory_seq_rm(self, _memory: object, sequence: int, first: int, _last: int) -> None:
        self.sequences[sequence] = self.sequences.get(sequence, [])[: max(first, 0)]

    def llama_memory_seq_cp(self, _memory: object, source: int, target: int, _first: int, _last: int) -> None:
        self.sequences[target] = list(self.sequences[source])

    def llama_decode(self, _context: object, batch: Batch) -> int:
        for i in range(batch.n_tokens):
            held = self.sequences[batch.seq_id[i][0]]
            assert batch.pos[i] == len(held)
            held.append(batch.token[i])
        self.passes.append(batch.n_tokens)
        self.wanted = [bool(batch.logits[i]) for i in range(batch.n_tokens)]
        return 0

    def llama_sampler_sample(self, _sampler: object, _context: object, place: int) -> int:
        assert self.wanted[place]
        self.drawn += 1
        return 1000 + self.drawn


def test_prompts_are_read_once_and_a_turn_reads_only_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library()
    with pretended("with_llama_cpp", {"llama_cpp": library}, monkeypatch) as module:
        load: Load = load_with(module)
        options = {"threads": 2, "cache_bytes": 1 << 20, "bytes_per_column": 512, "vocab_size": 300}
        answerer = load(tmp_path, options)
        prompt = tuple(range(1, 21))
        rows = run(answerer, asked("0", n=3, max_tokens=4, prompt=prompt))["0"].rows
        assert library.passes == [20, 3, 3, 3]  # the last drawn tokens are not read
        for row in range(3):
            assert library.sequences[row] == [*prompt, *rows[row][:3]]
        library.passes.clear()
        second = (*prompt, *rows[2], 7, 8)
        run(answerer, asked("1", n=2, max_tokens=2, prompt=second))
        assert library.passes == [3, 2]  # the row's last token and the two that were added
        assert library.sequences[0][: len(second)] == list(second)
        library.passes.clear()
        run(answerer, asked("2", n=2, max_tokens=2, prompt=second))
        assert library.passes == [1, 2]  # asked again: only the logits are wanted
        library.passes.clear()
        run(answerer, asked("a", n=2, max_tokens=3, prompt=(1, 2, 3)), asked("b", n=2, max_tokens=2, prompt=(4, 5)))
        assert library.passes == [3, 2, 4, 2]


def test_more_candidates_than_sequences_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended("with_llama_cpp", {"llama_cpp": Library()}, monkeypatch) as module:
        load: Load = load_with(module)
        answerer = load(tmp_path, {"threads": 2, "cache_bytes": 1 << 20, "bytes_per_column": 512, "vocab_size": 300})
        with pytest.raises(ValueError, match="65 candidates at once; at most 64"):
            run(answerer, asked("0", n=65))
