"""Dense layers, exact and in 8 bits."""

from __future__ import annotations

import pytest
import torch

from models.engine import linear
from models.engine.checkpoint import Checkpoint
from models.engine.families import build_network
from models.engine.fidelity import compare
from models.engine.linear import Int8Linear, Linear, Quantize


@pytest.mark.parametrize("rows", [0, 1, 3, 40])
@pytest.mark.parametrize("has_bias", [True, False])
def test_packed_weights_give_the_same_numbers(rows: int, has_bias: bool) -> None:
    torch.manual_seed(1)
    weight, bias, x = torch.randn(24, 16), torch.randn(24) if has_bias else None, torch.randn(rows, 16)
    assert torch.allclose(Linear(weight, bias)(x), torch.nn.functional.linear(x, weight, bias), atol=1e-5)


@pytest.mark.parametrize("has_tiles", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 40, linear.MANY_ROWS])
def test_eight_bits_are_close(rows: int, has_tiles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear, "has_tiles", lambda: has_tiles)  # oneDNN's layout works on any processor
    torch.manual_seed(2)
    weight, bias, x = torch.randn(24, 64), torch.randn(24), torch.randn(rows, 64)
    exact, rounded = torch.nn.functional.linear(x, weight, bias), Int8Linear(weight, bias)(x)
    assert rounded.shape == exact.shape
    if rows:
        assert not torch.equal(rounded, exact)
        assert float((rounded - exact).abs().mean()) < 0.02 * float(exact.abs().mean())


@pytest.mark.parametrize("has_tiles", [True, False])
def test_a_network_is_as_good_as_itself_and_worse_in_eight_bits(
    checkpoint: Checkpoint, has_tiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "has_tiles", lambda: has_tiles)
    exact = build_network(checkpoint)
    same = compare(checkpoint, exact, build_network(checkpoint))
    assert same.exact == same.quantised
    assert same.num_tokens > 20
    in_eight_bits = build_network(checkpoint, Quantize.INT8)
    assert exact.shape.dtype == torch.float32
    assert in_eight_bits.shape.dtype == (torch.bfloat16 if has_tiles else torch.float32)
    rounded = compare(checkpoint, exact, in_eight_bits)
    assert rounded.exact == same.exact
    assert 0.95 < rounded.ratio != 1


def test_sums_of_products_do_not_overflow_on_any_processor() -> None:
    """Where pairs of products are added in 16 bits, inputs of 8 bits lose more (2.9 %) than those of 7 bits (1.8 %)."""
    torch.manual_seed(0)
    weight, x = torch.randn(256, 256), torch.randn(9, 256)
    exact = x @ weight.t()
    assert (Int8Linear(weight)(x) - exact).norm() < 0.022 * exact.norm()
