"""Which engine a checkpoint gets, and that the fast one is one to its clients."""

from __future__ import annotations

import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, GPTNeoXConfig

from models.engine.checkpoint import CheckpointError, load_checkpoint
from models.engine.linear import Quantize
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine
from models.serve.loading import choose_engine
from tests.models.serve.conftest import load_fast, sent, serve, until

ASK: dict[str, Any] = {"model": "tiny-llama", "prompt": "Once upon a time", "seed": 3, "max_tokens": 100, "n": 2}


def test_a_model_of_a_known_family_gets_the_fast_engine_and_gives_its_weights_away(llama_folder: Path) -> None:
    checkpoint = load_checkpoint(str(llama_folder), device="cpu")
    served, engine = choose_engine(checkpoint, cache_bytes=4 << 20)
    assert isinstance(engine, WeavingEngine)
    assert served.context_tokens == checkpoint.context_tokens
    assert sum(parameter.numel() for parameter in checkpoint.model.parameters()) == 0


def test_any_other_model_is_served_too_and_the_log_says_why_slowly(
    llama_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loaded = load_checkpoint(str(llama_folder), device="cpu")
    config = GPTNeoXConfig(
        vocab_size=loaded.vocab_size,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=loaded.context_tokens,
    )
    checkpoint = replace(loaded, model=AutoModelForCausalLM.from_config(config).eval())
    with caplog.at_level(logging.WARNING):
        served, engine = choose_engine(checkpoint, cache_bytes=None)
    assert isinstance(engine, SerialEngine)
    assert "one request at a time: its kind is gpt_neox" in caplog.text
    assert served is checkpoint


def test_int8_says_at_the_start_what_it_costs(llama_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    checkpoint = load_checkpoint(str(llama_folder), device="cpu")
    with caplog.at_level(logging.INFO):
        _, engine = choose_engine(checkpoint, 4 << 20, Quantize.INT8)
    assert isinstance(engine, WeavingEngine)
    said = re.search(r"int8: perplexity ([\d.]+) instead of ([\d.]+) on \d+ tokens", caplog.text)
    assert said is not None
    quantised, exact = map(float, said.groups())
    assert exact != quantised == pytest.approx(exact, rel=0.2)


def test_int8_is_refused_where_it_cannot_be_had(llama_folder: Path) -> None:
    checkpoint = load_checkpoint(str(llama_folder), device="cpu", dtype="bfloat16")
    with pytest.raises(CheckpointError, match=r"QUANTIZE=int8 .*bfloat16"):
        choose_engine(checkpoint, 4 << 20, Quantize.INT8)


def test_many_clients_at_once_get_what_each_would_get_alone(llama_folder: Path) -> None:
    with serve(lambda: load_fast(llama_folder), queue_size=0) as worker:
        client = worker.client()

        def ask(seed: int) -> dict[int, str]:
            answer = client.completions.create(**{**ASK, "seed": seed})
            return {choice.index: choice.text for choice in answer.choices}

        alone = [ask(seed) for seed in range(6)]
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(ask, range(6))) == alone
        assert len({text for texts in alone for text in texts.values()}) > 6


def test_a_client_that_leaves_stops_its_own_work_only(llama_folder: Path) -> None:
    with serve(lambda: load_fast(llama_folder), max_tokens=150) as worker:
        engine = worker.runner.loaded().engine
        step, gate = engine.step, threading.Semaphore(0)

        def gated_step() -> Any:
            assert gate.acquire(timeout=30)
            return step()

        engine.step = gated_step  # type: ignore[method-assign]
        with ThreadPoolExecutor(1) as pool:
            staying = pool.submit(worker.client().completions.create, **ASK)
            until(lambda: worker.runner.num_waiting + worker.runner.num_running == 1, "the first has come")
            with sent(worker, ASK):
                until(lambda: worker.runner.num_waiting + worker.runner.num_running == 2, "the second has come")
                gate.release(3)
                until(lambda: worker.runner.num_running == 2, "both are running")
            gate.release(1000)
            until(lambda: worker.metric("talewright_requests_total", outcome="cancelled") == 1, "one is given up")
            assert len(staying.result(30).choices) == 2
        engine.step = step  # type: ignore[method-assign]
        assert isinstance(engine, WeavingEngine)
        assert engine.pool.num_free == engine.max_running
