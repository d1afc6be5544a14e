"""The check at the start: what agrees is used, what does not is not, and the log says why."""

from __future__ import annotations

import logging

import pytest
import torch

from models.engine.checkpoint import Checkpoint
from models.engine.families import build_network
from models.engine.gpu import check
from models.engine.gpu.graphs import Replayed
from models.engine.gpu.ranges import Look, Ranges, look_plainly
from models.engine.gpu.step import Bucket
from models.engine.weaving import WeavingEngine
from tests.models.engine.families import WINDOWED, make_model
from tests.models.engine.test_weaving import alone, ask
from tests.models.tiny import drain, texts


def one_column_short(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, ranges: Ranges, scale: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """A kernel that overlooks each range's last column."""
    short = Ranges(ranges.firsts, ranges.starts, (ranges.used - 1).clamp_min(1), ranges.most_queries, 64)
    return look_plainly(query, keys, values, short, scale)


def with_weights_mixed_up(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, ranges: Ranges, scale: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    seen, weight = look_plainly(query, keys, values, ranges, scale)
    return seen, weight.flip(0)


def spoiled(*_: object) -> tuple[torch.Tensor, torch.Tensor]:
    raise RuntimeError("no kernel image is available")


class Lost(Replayed):
    """Replays that compute and leave nothing."""

    def __call__(self, bucket: Bucket) -> None:
        pass


def test_what_agrees_is_used(checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture) -> None:
    network = build_network(checkpoint)
    with caplog.at_level(logging.INFO):
        decoder = check.checked(checkpoint, network, 2, 292, look_plainly, Replayed)
    assert decoder is not None
    assert "whole steps are launched at once" in caplog.text
    engine = WeavingEngine(checkpoint, network, 2, 292, decoder=decoder)
    request = ask(checkpoint, num_logprobs=None)
    assert set(texts(drain(engine, request))) == set(texts(alone(checkpoint, request)))


@pytest.mark.parametrize("look", [one_column_short, with_weights_mixed_up, spoiled])
def test_what_does_not_agree_is_not_used(llama: Checkpoint, caplog: pytest.LogCaptureFixture, look: Look) -> None:
    checkpoint = make_model("qwen3", llama)
    assert check.checked(checkpoint, build_network(checkpoint), 2, 292, look, Replayed) is None
    assert "because the decoder's check failed" in caplog.text


def test_graphs_that_do_nothing_are_found_out(llama: Checkpoint) -> None:
    checkpoint = make_model("llama", llama)
    network = build_network(checkpoint)
    limit = check.check_logits(network, look_plainly)  # which runs no graph
    with pytest.raises(check.CheckFailed, match=r"deviations below the best|generation failed"):
        check.check_tokens(checkpoint, network, look_plainly, Lost, limit)


def test_models_that_look_back_over_a_window_go_the_plain_way(
    llama: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    for name in WINDOWED:
        caplog.clear()
        checkpoint = make_model(name, llama)
        assert check.checked(checkpoint, build_network(checkpoint), 2, 292, look_plainly, Replayed) is None
        assert "look back over a window" in caplog.text
        assert "Traceback" not in caplog.text


def test_a_cpu_has_no_decoder(checkpoint: Checkpoint) -> None:
    assert check.choose_decoder(checkpoint, build_network(checkpoint), 2, 292) is None
