"""llama.cpp through llama-cpp-python: every candidate a sequence of one context, with the weights in 8 bits (Q8_0).

The prompt is read once and its cells shared by the candidates. What a prompt begins with and one of the last call's
sequences holds, is not read again.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llama_cpp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.bench.runners.runner import Asked, Notes

FILE = "model.gguf"
BATCH_TOKENS = 2048
MAX_SEQUENCES = 64
MAX_CELLS = 16_384


def export(source: Path, target: Path) -> None:
    """As `llama_cpp_weights` does it."""
    import llama_cpp_weights  # type: ignore[import-not-found]  # beside this file, which runs as a script

    llama_cpp_weights.convert(source, target / FILE)


class Context:
    """One context for all. `held` are the sequences that it still has, with their tokens."""

    def __init__(self, model: Any, vocab_size: int, threads: int, num_cells: int) -> None:
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx = num_cells
        settings.n_batch = BATCH_TOKENS
        settings.n_seq_max = MAX_SEQUENCES
        settings.n_threads = settings.n_threads_batch = threads
        settings.kv_unified = True
        self._context = llama_cpp.llama_init_from_model(model, settings)
        if not self._context:
            raise RuntimeError("llama.cpp made no context; its log says why")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(BATCH_TOKENS, 0, 1)
        self._vocab_size = vocab_size
        self._held: dict[int, tuple[int, ...]] = {}

    def answer(self, batch: Sequence[Asked], notes: Notes) -> None:
        """Reads each prompt, then writes all rows of all requests together."""
        rows: list[Row] = []
        firsts = self._place(batch)
        for asked, first in zip(batch, firsts, strict=True):
            place = self._read(asked, first)
            for index in range(asked.n):
                if index > 0:
                    llama_cpp.llama_memory_seq_cp(self._memory, first, first + index, -1, -1)
                rows.append(Row(asked, index, first + index))
                rows[-1].take(self._draw(rows[-1], place), notes)
        live = [row for row in rows if not row.is_over]
        while live:
            self._decode([(row.ids[-1], row.position, row.sequence, True) for row in live])
            for place, row in enumerate(live):
                row.take(self._draw(row, place), notes)
            live = [row for row in live if not row.is_over]
        for row in rows:
            self._held[row.sequence] = (*row.asked.prompt, *row.ids[:-1])
            llama_cpp.llama_sampler_free(row.sampler)

    def _draw(self, row: Row, place: int) -> int:
        """The next token, by the logits at this place of the last batch."""
        token: int = llama_cpp.llama_sampler_sample(row.sampler, self._context, place)
        return token

    def _place(self, batch: Sequence[Asked]) -> list[int]:
        """The first sequence of each request; for a single one, the sequence that holds most of its prompt stays."""
        best = 0
        if len(batch) == 1 and self._held:
            best = max(self._held, key=lambda sequence: _shared(self._held[sequence], batch[0].prompt))
            shared = _shared(self._held[best], batch[0].prompt[:-1])
            kept = {best: self._held[best][:shared]} if shared else {}
        else:
            kept = {}
        for sequence in range(MAX_SEQUENCES):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, len(kept.get(sequence, ())), -1)
        if kept and best != 0:
            llama_cpp.llama_memory_seq_cp(self._memory, best, 0, -1, -1)
            llama_cpp.llama_memory_seq_rm(self._memory, best, -1, -1)
        self._held = {0: kept[best]} if kept else {}
        firsts, taken = [], 0
        for asked in batch:
            firsts.append(taken)
            taken += asked.n
        if taken > MAX_SEQUENCES:
            raise ValueError(f"{taken} candidates at once; at most {MAX_SEQUENCES} are taken")
        return firsts

    def _read(self, asked: Asked, sequence: int) -> int:
        """Reads what of the prompt is not there; the place in the last batch of the logits behind it."""
        start = len(self._held.pop(sequence, ()))
        last = len(asked.prompt) - 1
        while start <= last:
            chunk = asked.prompt[start : start + BATCH_TOKENS]
            self._decode([(token, start + i, sequence, start + i == last) for i, token in enumerate(chunk)])
            start += len(chunk)
        return len(chunk) - 1

    def _decode(self, tokens: Sequence[tuple[int, int, int, bool]]) -> None:
        """One pass over tokens with their positions and sequences; the last says whose logits are wanted."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, (token, position, sequence, is_wanted) in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.logits[i] = token, position, is_wanted
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
        if code := llama_cpp.llama_decode(self._context, batch):
            raise RuntimeError(f"llama_decode answered {code}")


class Row:
    """One candidate."""

    def __init__(self, asked: Asked, index: int, sequence: int) -> None:
        self.asked = asked
        self.index = index
        self.sequence = sequence
        self.sampler = _sampler(asked, index)
        self.ids: list[int] = []

    @property
    def position(self) -> int:
        """Of the last token, which is read next."""
        return len(self.asked.prompt) + len(self.ids) - 1

    @property
    def is_over(self) -> bool:
        return len(self.ids) == self.asked.max_tokens

    def take(self, token: int, notes: Notes) -> None:
        self.ids.append(token)
        notes.wrote(self.asked.id, self.index, [token])


def _sampler(asked: Asked, row: int) -> Any:
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    if asked.temperature > 0:
        steps = [
            llama_cpp.llama_sampler_init_temp(asked.temperature),
            llama_cpp.llama_sampler_init_top_p(asked.top_p, 1),
            llama_cpp.llama_sampler_init_dist((asked.seed * 1000 + row) & 0xFFFFFFFF),
        ]
    else:
        steps = [llama_cpp.llama_sampler_init_greedy()]
    for step in steps:
        llama_cpp.llama_sampler_chain_add(chain, step)
    return chain


def _shared(held: Sequence[int], prompt: Sequence[int]) -> int:
    """How many tokens both begin with."""
    count = 0
    for one, other in zip(held, prompt, strict=False):
        if one != other:
            break
        count += 1
    return count


def load_batch(folder: Path, options: dict[str, Any]) -> Callable[[Sequence[Asked], Notes], None]:
    """With cells for `cache_bytes` of keys and values, which are kept in 16 bits, as by default."""
    llama_cpp.llama_backend_init()
    llama_cpp.llama_log_set(_SAY_ERRORS, ctypes.c_void_p(0))
    settings = llama_cpp.llama_model_default_params()
    model = llama_cpp.llama_model_load_from_file(str(folder / FILE).encode(), settings)
    if not model:
        raise RuntimeError(f"llama.cpp cannot load {folder / FILE}")
    num_cells = min(MAX_CELLS, options["cache_bytes"] // (options["bytes_per_column"] // 2))
    return Context(model, options["vocab_size"], options["threads"], num_cells).answer


def _say_errors(level: int, text: bytes, _data: Any) -> None:
    """Of all that it logs only errors (level 4)."""
    if level == 4:
        print(text.decode(errors="replace"), end="")


_SAY_ERRORS = llama_cpp.llama_log_callback(_say_errors)
"""As C calls it; kept here as long as C may."""
