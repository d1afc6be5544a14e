"""OpenVINO GenAI: its continuous batching over a paged cache that keeps what it has read, with the weights in 8 bits.

Where a request asks for several candidates, it gives nothing before the last of them has ended.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import openvino
import openvino_genai

if TYPE_CHECKING:
    from models.bench.runners.runner import Asked, Notes


def export(source: Path, target: Path) -> None:
    """By optimum, with its weight compression; the tokenizer too, without which the pipeline does not load."""
    from openvino_tokenizers import convert_tokenizer
    from optimum.intel import OVModelForCausalLM, OVWeightQuantizationConfig
    from transformers import AutoTokenizer

    weights = OVWeightQuantizationConfig(bits=8)
    OVModelForCausalLM.from_pretrained(source, export=True, compile=False, quantization_config=weights).save_pretrained(
        target
    )
    tokenizer, detokenizer = convert_tokenizer(AutoTokenizer.from_pretrained(source), with_detokenizer=True)
    openvino.save_model(tokenizer, target / "openvino_tokenizer.xml")
    openvino.save_model(detokenizer, target / "openvino_detokenizer.xml")


class Pipeline:
    """Answers what is added; see `runner.Answerer`."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._number = 0
        self._open: dict[str, Any] = {}  # request → its handle

    def add(self, asked: Asked) -> None:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = config.min_new_tokens = asked.max_tokens
        config.set_eos_token_id(0)  # it wants one, and then ignores it
        config.ignore_eos = True
        config.do_sample = asked.temperature > 0
        config.temperature = asked.temperature or 1.0
        config.top_p = asked.top_p
        config.num_return_sequences = asked.n
        config.rng_seed = asked.seed
        prompt = openvino.Tensor(np.array([asked.prompt], dtype=np.int64))
        self._number += 1
        self._open[asked.id] = self._pipeline.add_request(self._number, prompt, config)

    @property
    def has_work(self) -> bool:
        return bool(self._open)

    def step(self, notes: Notes) -> None:
        self._pipeline.step()
        for request_id, handle in list(self._open.items()):
            while handle.can_read():
                for row, output in enumerate(handle.read().values()):
                    notes.wrote(request_id, row, output.generated_ids)
            if notes.answers[request_id].done_s is not None:
                del self._open[request_id]


def load(folder: Path, options: dict[str, Any]) -> Pipeline:
    """With `cache_bytes` of keys and values, and in whatever precision the library chooses for this processor."""
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.cache_size = max(1, options["cache_bytes"] >> 30)
    scheduler.enable_prefix_caching = True
    scheduler.dynamic_split_fuse = True
    properties = {"INFERENCE_NUM_THREADS": options["threads"]}
    return Pipeline(openvino_genai.ContinuousBatchingPipeline(str(folder), scheduler, "CPU", properties))
