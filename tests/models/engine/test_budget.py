"""How memory becomes slots."""

from __future__ import annotations

import logging

import pytest
import torch

from models.engine.budget import CPU_BYTES, MAX_CPU_SLOTS, MIN_SLOTS, WRITTEN_COLUMNS, plan_slots
from models.engine.network import NetworkShape

GPT2 = NetworkShape(12, 12, 12, 64, 50_257, torch.device("cpu"), torch.float32)
LLAMA_8B = NetworkShape(32, 32, 8, 128, 128_256, torch.device("cpu"), torch.bfloat16)


def test_a_column_is_what_the_model_keeps_of_a_token() -> None:
    assert GPT2.bytes_per_column == 2 * 12 * 768 * 4
    assert LLAMA_8B.bytes_per_column == 128 * 1024


def test_slots_fill_the_memory_and_never_more() -> None:
    budget = plan_slots(GPT2, 1024, 2 << 30)
    assert budget.num_columns == 1024 + WRITTEN_COLUMNS
    assert budget.num_bytes <= 2 << 30 < budget.num_bytes + budget.num_columns * GPT2.bytes_per_column
    assert budget.context_tokens == 1024


def test_on_a_cpu_the_default_is_a_gigabyte() -> None:
    assert plan_slots(GPT2, 1024, None) == plan_slots(GPT2, 1024, CPU_BYTES)


def test_a_small_model_does_not_get_more_slots_than_can_be_used() -> None:
    assert plan_slots(GPT2, 1024, 1 << 45).num_slots == MAX_CPU_SLOTS


def test_a_context_that_leaves_room_for_too_few_stories_is_cut_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        budget = plan_slots(LLAMA_8B, 131_072, 8 << 30)
    assert budget.num_slots >= MIN_SLOTS
    assert 512 < budget.context_tokens < 131_072
    assert "131072 tokens; a larger CACHE_MB" in caplog.text
    assert f"{budget.num_slots} slots" in caplog.text


def test_there_is_always_one_slot() -> None:
    budget = plan_slots(LLAMA_8B, 8192, 1)
    assert (budget.num_slots, budget.context_tokens) == (1, 512)
