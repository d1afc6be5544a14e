"""Dense layers in 8-bit floats. torch multiplies them on a CPU too, though not in the kernel of a GPU."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import linear

from models.engine.checkpoint import Checkpoint
from models.engine.families import NoNetwork, build_network
from models.engine.gpu import fp8
from models.engine.gpu.check import read
from models.engine.gpu.fp8 import LARGEST, Fp8Linear, Unaligned, rounded
from models.engine.gpu.memory import Memory
from models.engine.linear import KINDS, Quantize
from models.engine.placement import DTYPES
from tests.models.engine.families import make_model


def test_rows_are_rounded_by_a_sixteenth_at_most_whatever_their_size() -> None:
    torch.manual_seed(1)
    x = torch.randn(50, 64) * torch.logspace(-6, 6, 50)[:, None]
    numbers, scale = rounded(x)
    assert numbers.dtype == torch.float8_e4m3fn
    assert torch.equal(numbers.float().abs().amax(-1), torch.full((50,), LARGEST))
    # Numbers that are tiny beside their row's largest are subnormal: off by half of 2^-9.
    allowed = (x.abs() / 16).maximum(scale * 2**-10) * 1.001
    assert ((numbers.float() * scale - x).abs() <= allowed).all()


def test_a_row_of_zeros_stays_one() -> None:
    numbers, scale = rounded(torch.zeros(2, 16))
    assert not (numbers.float() * scale).any()


@pytest.mark.parametrize("num_rows", [0, 1, 3, 40])
@pytest.mark.parametrize("num_outputs", [32, 24, 7])
@pytest.mark.parametrize("has_bias", [True, False])
def test_a_product_is_that_of_the_rounded_numbers_and_near_the_exact_one(
    num_rows: int, num_outputs: int, has_bias: bool
) -> None:
    torch.manual_seed(2)
    weight, x = torch.randn(num_outputs, 64).bfloat16(), torch.randn(num_rows, 64).bfloat16()
    bias = torch.randn(num_outputs).bfloat16() if has_bias else None
    found = Fp8Linear(weight, bias)(x)
    assert found.dtype == torch.bfloat16
    assert found.shape == (num_rows, num_outputs)
    whole = [numbers.float() * scale for numbers, scale in (rounded(x), rounded(weight))]
    expected = linear(*whole, None if bias is None else bias.float())
    assert torch.allclose(found.float(), expected, atol=0.1, rtol=0.01)  # the answer has bfloat16's digits
    if num_rows:
        exact = linear(x.float(), weight.float(), None if bias is None else bias.float())
        assert 0 < float((found.float() - exact).square().mean()) < 0.06**2 * 64


def test_layers_of_another_width_are_refused() -> None:
    with pytest.raises(Unaligned, match="multiple of 16 inputs, not with 24"):
        KINDS[Quantize.FP8](torch.randn(16, 24))


@pytest.mark.parametrize(
    ("device", "dtype", "reason"),
    [("cpu", "bfloat16", "fp8 is for CUDA, not for cpu"), ("cuda", "float16", "fp8 goes with bfloat16")],
)
def test_fp8_is_refused_where_it_cannot_be_had(llama: Checkpoint, device: str, dtype: str, reason: str) -> None:
    placed = replace(llama, device=torch.device(device), dtype=DTYPES[dtype])
    with pytest.raises(NoNetwork, match=reason):
        build_network(placed, Quantize.FP8)


def test_an_old_gpu_is_refused(llama: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    assert "8.9 (Ada, Hopper or later), and this one has 8.0" in (
        fp8.unsupported(torch.device("cuda"), torch.bfloat16) or ""
    )
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    assert fp8.unsupported(torch.device("cuda"), torch.bfloat16) is None


def test_a_network_in_fp8_is_near_the_exact_one(llama: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """All layers go through it, and none of them the wrong way round: that would be 1.4."""
    monkeypatch.setattr(fp8, "unsupported", lambda *_: None)
    checkpoint = make_model("qwen2", llama)
    checkpoint = replace(checkpoint, model=checkpoint.model.to(torch.bfloat16), dtype=torch.bfloat16)
    text, found = list(range(20, 50)), []
    for quantize in (Quantize.NONE, Quantize.FP8):
        network = build_network(checkpoint, quantize)
        with torch.inference_mode():
            found.append(read(network, Memory(network.shape, 1, 64).by_slot, 0, text).float())
    exact, rounded_logits = found
    error = (exact - rounded_logits).square().mean().sqrt() / exact.std()
    assert 0.001 < float(error) < 0.5
