"""What only a GPU can show: the kernel, the graphs, copies in the background, 8-bit products."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import linear
from transformers import AutoModelForCausalLM, LlamaConfig

from models.engine.checkpoint import Checkpoint
from models.engine.families import build_network
from models.engine.gpu import check, fp8
from models.engine.gpu.decoder import Decoder
from models.engine.gpu.graphs import SIZES, Captured, Replayed
from models.engine.gpu.ranges import Ranges, look_plainly, look_varlen
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.weaving import WeavingEngine
from tests.models.tiny import drain, finished, texts

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA")

COLUMNS = 400
GREEDY = SamplingParams(temperature=0)
NUCLEUS = SamplingParams(temperature=0.9, top_p=0.9)


@pytest.fixture(scope="module")
def on_gpu(request: pytest.FixtureRequest) -> Checkpoint:
    llama: Checkpoint = request.getfixturevalue("llama")
    torch.manual_seed(4)
    config = LlamaConfig(
        vocab_size=320,
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=8,
        num_key_value_heads=2,
        max_position_embeddings=192,
        initializer_range=0.08,
    )
    model = AutoModelForCausalLM.from_config(config).eval().to("cuda", torch.bfloat16)
    return replace(
        llama, model=model, vocab_size=320, device=torch.device("cuda"), dtype=torch.bfloat16, end_ids=frozenset()
    )


def requests() -> list[Request]:
    kinds = [
        GREEDY,
        NUCLEUS,
        SamplingParams(top_k=20),
        SamplingParams(frequency_penalty=0.4, min_p=0.05),
        SamplingParams(temperature=0, repetition_penalty=1.2),
    ]
    return [
        Request(
            f"{k}", tuple(range(10 + k, 60 + 5 * k)), seed=k, n=1 + k % 4, max_tokens=8 + 5 * k, sampling=kinds[k % 5]
        )
        for k in range(10)
    ]


def engine_of(checkpoint: Checkpoint, runner: type[Captured] | type[Replayed]) -> WeavingEngine:
    network = build_network(checkpoint)
    decoder = Decoder(network, 6, COLUMNS, look_varlen, runner)
    return WeavingEngine(checkpoint, network, 6, COLUMNS, decoder=decoder)


@pytest.mark.parametrize("group", [1, 4, 7])
@pytest.mark.parametrize("head_dim", [64, 128])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_cuda_kernel_sees_what_plain_operations_see(group: int, head_dim: int, dtype: torch.dtype) -> None:
    """Ranges with gaps between them, without queries, and beyond others in memory."""
    torch.manual_seed(3)
    rows, sizes, used = [0, 2, 2, 5, 6], 100, [7, 3, 64, 99]
    query = torch.randn(rows[-1] * group, 2, head_dim, device="cuda", dtype=dtype)
    keys, values = (torch.randn(4 * sizes, 2, head_dim, device="cuda", dtype=dtype) for _ in range(2))
    ranges = Ranges(
        firsts=torch.tensor([row * group for row in rows], dtype=torch.int32, device="cuda"),
        starts=torch.tensor([0, 1, 2, 3, 3], dtype=torch.int32, device="cuda") * sizes,
        used=torch.tensor(used, dtype=torch.int32, device="cuda"),
        most_queries=3 * group,
        most_columns=sizes,
    )
    for scale in (None, 0.3):
        found, weight = look_varlen(query, keys, values, ranges, scale)
        expected, expected_weight = look_plainly(query, keys, values, ranges, scale)
        assert torch.allclose(weight, expected_weight, atol=2e-2)
        assert torch.allclose(found.float(), expected.float(), atol=2e-2)


def test_cuda_check_passes_and_its_graphs_are_captured(on_gpu: Checkpoint) -> None:
    network = build_network(on_gpu)
    decoder = check.choose_decoder(on_gpu, network, 4, COLUMNS)
    assert decoder is not None
    assert isinstance(decoder._run, Captured)
    captured = {bucket.num_lanes for bucket, graph in decoder._run._graphs.items() if graph is not None}
    assert captured == set(SIZES)


def test_cuda_graphs_write_what_the_steps_themselves_write(on_gpu: Checkpoint) -> None:
    together = [drain(engine_of(on_gpu, runner), *requests()) for runner in (Captured, Replayed)]
    for request in requests():
        assert texts(together[0], request.id) == texts(together[1], request.id)


def test_cuda_a_seed_gives_the_same_text_again(on_gpu: Checkpoint) -> None:
    """In the same company exactly; the company changes the shapes of the products, and so their last bits."""
    engine = engine_of(on_gpu, Captured)
    first = drain(engine, *requests())
    engine.reset()
    again = drain(engine, *requests())
    for request in requests():
        assert texts(first, request.id) == texts(again, request.id)
    assert engine.pool.num_free == 6


def test_cuda_the_next_turn_goes_on_from_rows_that_stood_apart(on_gpu: Checkpoint) -> None:
    engine, prompt = engine_of(on_gpu, Captured), tuple(range(10, 60))
    for turn in range(3):
        events = drain(engine, Request(f"{turn}", prompt, seed=turn, n=3, max_tokens=20, sampling=NUCLEUS))
        assert [end.num_tokens for end in finished(events).values()] == [20, 20, 20]
        prompt = (*prompt, *engine.pool.slots[0].rows[turn], 7, 8)
    assert len([slot for slot in engine.pool.slots if slot.tokens]) == 1


@pytest.mark.parametrize("num_rows", [1, 3, 17, 64])
def test_cuda_products_in_fp8_are_those_of_the_rounded_numbers(num_rows: int) -> None:
    if (reason := fp8.unsupported(torch.device("cuda"), torch.bfloat16)) is not None:
        pytest.skip(reason)
    torch.manual_seed(2)
    weight, x = (torch.randn(size, 256, device="cuda").bfloat16() for size in (200, num_rows))
    whole = [numbers.float() * scale for numbers, scale in (fp8.rounded(x), fp8.rounded(weight))]
    assert torch.allclose(fp8.Fp8Linear(weight)(x).float(), linear(*whole), atol=0.3, rtol=0.02)
