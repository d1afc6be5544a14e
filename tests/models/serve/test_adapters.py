"""Adapters over HTTP: configured, listed, chosen by the field `model`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, GPTNeoXConfig

from models.engine.adapter import WEIGHTS, AdapterError, load_adapter
from models.engine.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from models.engine.request import Request
from models.engine.serial import SerialEngine
from models.engine.story_format import StoryFormat
from models.serve.config import load_config
from models.serve.loading import choose_engine, load
from tests.models.lora import make_adapter, merged, products
from tests.models.serve.conftest import Worker, serve, until
from tests.models.tiny import drain, encode, texts

NAMES = ("noir", "fable", "saga/old")
PROMPT = "Once upon a time"
ASK: dict[str, Any] = {"prompt": PROMPT, "seed": 3, "max_tokens": 30, "n": 2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, llama: Checkpoint) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("adapters")
    return {name: make_adapter(root / name, llama.model, number) for number, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def adapted(llama_folder: Path, folders: dict[str, Path]) -> Iterator[Worker]:
    """A worker that was started with three adapters."""
    listed = ",".join(f"{name}={folder}" for name, folder in folders.items())
    config = load_config(None, model=str(llama_folder), device="cpu", cache_mb="4", adapters=listed)
    with serve(lambda: load(config), queue_size=10) as running:
        yield running


@pytest.fixture
def client(adapted: Worker) -> Iterator[openai.OpenAI]:
    made = adapted.client()
    yield made
    made.close()


def alone(llama: Checkpoint, folder: Path | None) -> dict[int, str]:
    """What the merged weights write."""
    deltas = {} if folder is None else products(load_file(folder / WEIGHTS))
    checkpoint = merged(llama, {name: 2 * delta for name, delta in deltas.items()})
    return texts(drain(SerialEngine(checkpoint), Request("r", encode(llama, PROMPT), seed=3, n=2, max_tokens=30)))


def test_the_model_and_its_adapters_are_listed(
    client: openai.OpenAI, llama: Checkpoint, folders: dict[str, Path]
) -> None:
    cards = {card.id: card for card in client.models.list().data}
    assert list(cards) == ["tiny-llama", *NAMES]
    assert cards["tiny-llama"].model_extra == {
        "max_model_len": llama.context_tokens,
        "parent": None,
        "revision": llama.revision,
        "story_format": StoryFormat().to_json(),
        "kind": "causal",
        "abilities": ["title", "premise", "tags", "hint", "suffix", "must_include", "banned_phrases"],
    }
    for name in NAMES:
        revision = load_adapter(name, str(folders[name])).revision
        assert cards[name].model_extra == {
            **cards["tiny-llama"].model_extra,
            "parent": "tiny-llama",
            "revision": f"{llama.revision}+{revision}",
        }
        assert client.models.retrieve(name) == cards[name]


def test_the_field_model_chooses_the_adapter(
    client: openai.OpenAI, llama: Checkpoint, folders: dict[str, Path]
) -> None:
    def ask(name: str) -> dict[int, str]:
        answer = client.completions.create(model=name, **ASK)
        assert answer.model == name
        return {choice.index: choice.text for choice in answer.choices}

    expected = {name: alone(llama, folders.get(name)) for name in ("tiny-llama", *NAMES)}
    assert len({text for rows in expected.values() for text in rows.values()}) == 8
    with ThreadPoolExecutor(4) as pool:
        assert dict(zip(expected, pool.map(ask, expected), strict=True)) == expected


def test_a_stream_names_its_adapter_too(client: openai.OpenAI, llama: Checkpoint, folders: dict[str, Path]) -> None:
    chunks = list(client.completions.create(model="fable", stream=True, **ASK))
    assert {chunk.model for chunk in chunks} == {"fable"}
    written = "".join(choice.text for chunk in chunks for choice in chunk.choices if choice.index == 1)
    assert written == alone(llama, folders["fable"])[1]


def test_tokens_are_counted_and_other_names_refused(adapted: Worker, client: openai.OpenAI) -> None:
    assert adapted.post({"prompt": PROMPT, "model": "noir"}, "/tokenize").json()["count"] > 0
    with pytest.raises(openai.NotFoundError, match="'tiny-llama', 'fable', 'noir', 'saga/old' are"):
        client.completions.create(model="saga", prompt=PROMPT)


def test_an_adapter_of_another_base_is_told_in_the_log(
    llama: Checkpoint, llama_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, base in (("same", "somewhere/else/tiny-llama"), ("other", "writers/large-llama")):
        folder = make_adapter(tmp_path / name, llama.model, 1, base_model_name_or_path=base)
        checkpoint = load_checkpoint(str(llama_folder), device="cpu")
        choose_engine(checkpoint, 4 << 20, adapters=[load_adapter(name, str(folder))])
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["the adapter other was trained on writers/large-llama, not on tiny-llama"]


def test_adapters_that_cannot_be_used_stop_the_start(
    llama_folder: Path, gpt2: Checkpoint, folders: dict[str, Path], tmp_path: Path
) -> None:
    foreign = make_adapter(tmp_path / "foreign", gpt2.model, 1)
    bad = {
        f"noir={tmp_path}": "cannot load the adapter noir",
        f"tiny-llama={folders['noir']}": "tiny-llama is named as the model is",
        f"noir={foreign}": r"noir changes transformer\.h\.0\.attn\.c_attn",
    }
    for listed, reason in bad.items():
        config = load_config(None, model=str(llama_folder), device="cpu", cache_mb="4", adapters=listed)
        with pytest.raises(AdapterError, match=reason):
            load(config)
    with serve(lambda: load(config), is_awaited=False) as worker:
        until(lambda: worker.get("/health").json()["status"] == "failed", "the start is given up")
        assert "noir changes transformer.h.0.attn.c_attn" in worker.get("/health").json()["detail"]


def test_the_generic_path_refuses_adapters(llama: Checkpoint, folders: dict[str, Path]) -> None:
    config = GPTNeoXConfig(
        vocab_size=llama.vocab_size,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=llama.context_tokens,
    )
    other = replace(llama, name="other", model=AutoModelForCausalLM.from_config(config).eval())
    with pytest.raises(CheckpointError, match="ADAPTERS can't be used with other: its kind is gpt_neox"):
        choose_engine(other, None, adapters=[load_adapter("noir", str(folders["noir"]))])
