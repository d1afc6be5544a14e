"""CTranslate2: a few prompts at a time, with the weights in 8 bits.

Candidates are `num_hypotheses` of one prompt, which is read once; nothing comes before the end of a batch. A prompt
that goes on from the first one of its series has that first one's keys and values from the cache of static prompts,
the only cache between calls that there is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ctranslate2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.bench.runners.runner import Asked, Notes

TOGETHER = 2
"""Prompts in a call. For eight of GPT-2's size a call each takes 36 s, pairs 25 to 35, one call for all 54 to 72."""


def export(source: Path, target: Path) -> None:
    """The converter that comes with it. It wants special tokens to have names; they are never drawn or looked up."""
    from transformers import PreTrainedTokenizerFast

    class Converter(ctranslate2.converters.TransformersConverter):  # type: ignore[misc]  # it is not installed here
        def load_tokenizer(self, _kind: Any, where: str, **_options: Any) -> Any:
            # Tokenizers of some families add a token of their own to any vocabulary.
            return PreTrainedTokenizerFast.from_pretrained(where)

    Converter(str(source)).convert(str(target), quantization="int8", force=True)
    config = json.loads((target / "config.json").read_text(encoding="utf-8"))
    first = _vocabulary(target)[0]
    config = {name: first if value is None and name.endswith("_token") else value for name, value in config.items()}
    (target / "config.json").write_text(json.dumps(config), encoding="utf-8")


def _vocabulary(folder: Path) -> list[str]:
    words: list[str] = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    return words


class Batches:
    """Calls for what waits, of requests for the same length and number."""

    def __init__(self, generator: Any, vocabulary: Sequence[str]) -> None:
        self._generator = generator
        self._vocabulary = vocabulary
        self._static: tuple[int, ...] = ()

    def answer(self, batch: Sequence[Asked], notes: Notes) -> None:
        groups: dict[tuple[int, int, float, float], list[Asked]] = {}
        for asked in batch:
            groups.setdefault((asked.n, asked.max_tokens, asked.temperature, asked.top_p), []).append(asked)
        batches = [group[i : i + TOGETHER] for group in groups.values() for i in range(0, len(group), TOGETHER)]
        for group in batches:
            for asked, result in zip(group, self._generate(group), strict=True):
                for row, ids in enumerate(result.sequences_ids):
                    notes.wrote(asked.id, row, ids)

    def _generate(self, group: Sequence[Asked]) -> Any:
        first = group[0]
        static = self._static_for(group)
        prompts = [[self._vocabulary[i] for i in asked.prompt[len(static) :]] for asked in group]
        return self._generator.generate_batch(
            prompts,
            static_prompt=[self._vocabulary[i] for i in static] or None,
            num_hypotheses=first.n,
            max_length=first.max_tokens,
            min_length=first.max_tokens,
            sampling_topk=0 if first.temperature > 0 else 1,
            sampling_topp=first.top_p,
            sampling_temperature=first.temperature or 1.0,
            include_prompt_in_result=False,
        )

    def _static_for(self, group: Sequence[Asked]) -> tuple[int, ...]:
        """The beginning that is cached: the last series' where this prompt goes on from it, else all but one token."""
        if len(group) > 1:
            return ()
        prompt = group[0].prompt
        if not self._static or prompt[: len(self._static)] != self._static:
            self._static = prompt[:-1]
        return self._static


def load_batch(folder: Path, options: dict[str, Any]) -> Callable[[Sequence[Asked], Notes], None]:
    """On the CPU, with so many threads."""
    generator = ctranslate2.Generator(str(folder), device="cpu", compute_type="int8", intra_threads=options["threads"])
    return Batches(generator, _vocabulary(folder)).answer
