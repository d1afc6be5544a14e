"""The weights that everyone loads, and the roofline that is drawn from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, LlamaConfig

from models.bench import shapes
from models.bench.machine import Machine, measure, roofline_s
from models.bench.weights import Weights, convert, describe, make_weights
from models.bench.workloads import NEW_TOKENS, NUM_CANDIDATES, ROUNDS, make
from models.engine.checkpoint import Checkpoint, load_checkpoint
from models.engine.families import build_network
from tests.models.engine.families import make_model


@pytest.fixture
def tiny_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    config = GPT2Config(vocab_size=700, n_embd=32, n_layer=2, n_head=4, n_positions=256)
    monkeypatch.setitem(shapes.SHAPES, "gpt2", lambda: config)


@pytest.mark.usefixtures("tiny_shape")
def test_weights_of_a_shape_load_as_any_checkpoint_and_end_no_text(llama_folder: Path, tmp_path: Path) -> None:
    weights = make_weights("gpt2", llama_folder, tmp_path)
    loaded = load_checkpoint(str(weights.folder), device="cpu")
    assert (weights.vocab_size, weights.context_tokens) == (loaded.vocab_size, loaded.context_tokens) == (700, 256)
    assert loaded.end_ids == frozenset()
    assert loaded.bos_id is None
    assert all(loaded.tokenizer.decode([token]) for token in range(320, 700))  # each token makes text
    assert len(weights.proofs) == 8
    for prompt, token in weights.proofs:
        assert int(loaded.model(torch.tensor([prompt])).logits[0, -1].argmax()) == token
    stamp = weights.folder / "bench.json"
    moment = stamp.stat().st_mtime_ns
    assert make_weights("gpt2", llama_folder, tmp_path) == weights
    assert stamp.stat().st_mtime_ns == moment
    stamp.write_text(stamp.read_text().replace('"key": "', '"key": "other '))
    make_weights("gpt2", llama_folder, tmp_path)
    assert stamp.stat().st_mtime_ns != moment


def test_the_bundled_model_stays_as_it_is(llama_folder: Path, llama: Checkpoint, tmp_path: Path) -> None:
    weights = make_weights("bundled", llama_folder, tmp_path)
    loaded = load_checkpoint(str(weights.folder), device="cpu")
    assert loaded.end_ids == frozenset()
    for one, other in zip(loaded.model.parameters(), llama.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", ["llama", "llama, tied head", "llama, wide heads", "gpt2"])
def test_parameters_are_counted_where_they_are_multiplied(name: str, llama: Checkpoint) -> None:
    checkpoint = make_model(name, llama)
    weights = describe(name, checkpoint.model)
    named = dict(checkpoint.model.named_parameters())
    looked_up = [n for n in named if "embed" in n or ".wte." in n or ".wpe." in n or "lm_head" in n]
    assert weights.body_params == sum(p.numel() for n, p in named.items() if n not in looked_up)
    assert weights.head_params == 300 * 32
    assert weights.bytes_per_column == build_network(checkpoint).shape.bytes_per_column


def test_a_peers_format_is_made_again_only_for_another_key(tmp_path: Path) -> None:
    weights = Weights("x", tmp_path, 1, 1, 1, 1, 1, 1)
    calls: list[Path] = []

    def export(source: Path, target: Path) -> None:
        calls.append(target)
        assert source == tmp_path
        assert not list(target.iterdir())
        (target / "model.bin").touch()

    for key in ("1", "1", "2"):
        assert convert(weights, "peer", key, export) == tmp_path / "peer"
    assert len(calls) == 2


ENDLESS = Machine(((1, 1e30),), 1e30, 1e30)
SIZE = Weights("x", Path(), 300, 768, 1000, 100, 64, 512)


def roof(machine: Machine, name: str, precision: str = "float32") -> float:
    return roofline_s(machine, SIZE, make(name, ROUNDS[name], 300, 768), precision)


def test_a_step_reads_every_weight_and_what_is_kept_once() -> None:
    machine = replace(ENDLESS, reads=((1, 1.0),))
    (asked,) = make("W1", ROUNDS["W1"], 300, 768).next_turn(0, {})
    columns = len(asked.prompt) + NUM_CANDIDATES * NEW_TOKENS // 2
    assert roof(machine, "W1") == pytest.approx(NEW_TOKENS * (1100 * 4 + columns * 512))
    assert roof(machine, "W1", "int8") == pytest.approx(NEW_TOKENS * (1100 + columns * 512))


def test_what_is_new_is_multiplied_once_and_the_head_only_where_it_is_wanted() -> None:
    machine = replace(ENDLESS, flops_s=1.0, int8_ops_s=2.0)
    (asked,) = make("W3", ROUNDS["W3"], 300, 768).next_turn(0, {})
    body, attention = 0.0, 0.0
    known = 0
    for turn in range(5):
        length = len(asked.prompt) + turn * (NEW_TOKENS + 4)
        body += 2 * 1000 * (length - known)
        attention += 4 * 64 * (length - known) * (known + (length - known) / 2)
        known = length + NEW_TOKENS
    steps = 5 * NEW_TOKENS * 2 * 1100 * NUM_CANDIDATES
    assert roof(machine, "W3") == pytest.approx(body + attention + steps)
    assert roof(machine, "W3", "int8") == pytest.approx(body / 2 + attention + steps / 2)


def test_blocks_that_fit_a_cache_are_read_faster() -> None:
    machine = Machine(((1000, 9.0), (2000, 5.0)), 1.0, None)
    assert [machine.read_bytes_s(size) for size in (1, 1000, 1001, 9999)] == [9.0, 9.0, 5.0, 5.0]
    assert machine.multiplies_s("int8") == machine.multiplies_s("float32") == 1.0


def test_a_machine_has_speeds(monkeypatch: pytest.MonkeyPatch) -> None:
    # Some processors multiply large int8 matrices so slowly, and one thread of them, that it takes minutes.
    monkeypatch.setattr("models.bench.machine._SIDE", 256)
    machine = measure(torch.device("cpu"))
    assert all(speed > 1e6 for _, speed in machine.reads)
    assert machine.flops_s > 1e6
    assert machine.int8_ops_s is None or machine.int8_ops_s > 1e6


def test_the_shapes_are_those_that_are_known() -> None:
    sizes = {}
    for name, make_config in shapes.SHAPES.items():
        with torch.device("meta"):
            from transformers import AutoModelForCausalLM

            weights = describe(name, AutoModelForCausalLM.from_config(make_config()))
        sizes[name] = round((weights.body_params + weights.head_params) / 1e6)
    assert sizes == {"gpt2": 124, "smollm2-135m": 135, "qwen2.5-0.5b": 494}
    assert isinstance(shapes.SHAPES["smollm2-135m"](), LlamaConfig)
