"""The benchmark measures what it says, on a tiny model. (How fast anything is, no test says.)"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli import main
from models.bench.machine import Machine, measure, roofline_s
from models.bench.report import BASELINE, Conditions, measure_all, show
from models.bench.subjects import EngineSubject, GenerateSubject
from models.bench.workloads import NEW_TOKENS, NUM_CANDIDATES, make, make_arrivals
from models.engine.checkpoint import Checkpoint
from models.engine.families import build_network
from models.engine.weaving import WeavingEngine
from tests.models.engine.families import make_model


@pytest.fixture(scope="module")
def endless(llama: Checkpoint) -> Checkpoint:
    """Long enough for five turns."""
    return replace(make_model("llama", llama), context_tokens=192 * 4)


def subject(checkpoint: Checkpoint) -> EngineSubject:
    return EngineSubject("engine", WeavingEngine(checkpoint, build_network(checkpoint), 8, 1200))


@pytest.mark.parametrize(("name", "num_rounds"), [("W1", 1), ("W2", 8), ("W3", 5)])
def test_every_candidate_is_written_to_its_end(endless: Checkpoint, name: str, num_rounds: int) -> None:
    timing = subject(endless).run(make(name, 300, 768))
    assert timing.num_tokens == num_rounds * NUM_CANDIDATES * NEW_TOKENS
    assert len(timing.first_s) == len(timing.done_s) == num_rounds
    assert all(first < done <= timing.total_s for first, done in zip(timing.first_s, timing.done_s, strict=True))


def test_a_turn_goes_on_with_what_was_written() -> None:
    workload = make("W3", 300, 768)
    (first,) = workload.next_turn(0, {})
    written = {first.id: [[20 + row] * NEW_TOKENS for row in range(NUM_CANDIDATES)]}
    (second,) = workload.next_turn(1, written)
    assert second.prompt_ids[: len(first.prompt_ids)] == first.prompt_ids
    assert second.prompt_ids[len(first.prompt_ids) :][:NEW_TOKENS] == (21,) * NEW_TOKENS
    assert not workload.next_turn(5, written)


@pytest.mark.parametrize("is_together", [True, False])
def test_generate_writes_as_much_as_the_engine(endless: Checkpoint, is_together: bool) -> None:
    timing = GenerateSubject("x", endless, is_together=is_together).run(make("W1", 300, 768))
    assert timing.num_tokens == NUM_CANDIDATES * NEW_TOKENS
    assert len(timing.first_s) == len(timing.done_s) == 1


def test_requests_come_at_their_moment_and_all_are_answered(endless: Checkpoint) -> None:
    arrivals = make_arrivals(300, 768, num_channels=3, seconds=2.0, per_second=4.0)
    moments = [at for at, _ in arrivals.requests]
    assert moments == sorted(moments)
    timing = subject(endless).run_arrivals(arrivals)
    assert len(timing.done_s) == len(arrivals.requests) > 2
    assert timing.total_s >= moments[-1]
    assert timing.num_tokens == sum(request.n * request.max_tokens for _, request in arrivals.requests)
    assert all(seconds >= 0 for seconds in timing.first_s)


def test_the_roofline_counts_weights_once_a_step_and_what_is_new_once(endless: Checkpoint) -> None:
    shape = build_network(endless).shape
    per_byte, per_flop = Machine(1.0, 1e30), Machine(1e30, 1.0)
    num_params = 1000
    (request,) = make("W1", 300, 768).next_turn(0, {})
    columns = len(request.prompt_ids) + NUM_CANDIDATES * NEW_TOKENS // 2
    expected = NEW_TOKENS * (num_params * 4 + columns * shape.bytes_per_column)
    assert roofline_s(per_byte, endless, shape, make("W1", 300, 768), num_params) == pytest.approx(expected)
    dense = num_params - 300 * 32  # the embedding is looked up, not multiplied
    (request,) = make("W3", 300, 768).next_turn(0, {})
    flops = roofline_s(per_flop, endless, shape, make("W3", 300, 768), num_params)
    assert flops == pytest.approx(2 * dense * (len(request.prompt_ids) + 4 * 4))  # four tokens more in each later turn


def test_a_machine_has_speeds(endless: Checkpoint) -> None:
    machine = measure(endless.device)
    assert machine.read_bytes_s > 1e6
    assert machine.flops_s > 1e6


def test_a_whole_run_gives_a_record_and_tables(llama_folder: Path) -> None:
    conditions = Conditions(("bundled",), ("W1", "W4"), ("none", "int8"), True, 1, "cpu", "auto", 1.0, 5.0)
    lines: list[str] = []
    record = measure_all(conditions, str(llama_folder), lines.append)
    assert len(lines) == len(record["rows"]) == 2 * 3 + 2
    assert json.loads(json.dumps(record))["rows"] == record["rows"]
    table = show(record)
    baseline = next(line for line in table.splitlines() if line.startswith(f"| {BASELINE}"))
    assert "| 1.0 |" in baseline
    assert table.count("| engine, int8 |") == 2


def test_a_model_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "engine", "--model", "gpt5"]) == 2
    assert "no model gpt5; there are bundled, gpt2" in capsys.readouterr().err
