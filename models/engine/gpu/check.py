"""Proves the decoder beside the plain path before it is used, at every start: kernels differ between GPUs and versions.

Twice the same is computed both ways. Rows with fixed tokens, of which each sees a prompt and its own columns: their
logits must agree as far as the plain path agrees with itself, when it reads a text at once and token by token. And a
whole greedy generation through graphs, lookahead and all: by the plain path's logits, each of its tokens must be as
good as the best.
"""

from __future__ import annotations

import itertools
import logging
import random
from collections.abc import Callable, Sequence

import torch

from models.engine.batching import batch_of
from models.engine.checkpoint import Checkpoint
from models.engine.events import Delta, Failed
from models.engine.gpu.decoder import Decoder
from models.engine.gpu.graphs import Captured, Runner
from models.engine.gpu.lanes import Lane, Lanes
from models.engine.gpu.memory import Memory
from models.engine.gpu.ranges import Look, look_varlen, unsupported
from models.engine.gpu.step import Step
from models.engine.growth import Part
from models.engine.network import KeyValues, Network
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.weaving import WeavingEngine

log = logging.getLogger(__name__)

_TIMES = 3
"""How much further from the plain path the decoder may be than that from itself. In bfloat16 that is about a hundredth
of the logits' spread with small weights and a tenth with large ones; a row that sees a column too few or too many is
four to forty times as far away."""
_LENGTHS = ((11, 3), (29, 2))
"""Tokens of a prompt and its rows, slot by slot."""
_SIZES = (8, 24, 64)
"""Buckets that read a prompt in several parts, in two, and in one."""
_NEW = 6
_COLUMNS = 64


class CheckFailed(Exception):
    """The decoder and the plain path do not agree; the message says where."""


def choose_decoder(
    checkpoint: Checkpoint, network: Network, num_slots: int, num_columns: int, *, is_wanted: bool = True
) -> Decoder | None:
    """A decoder that was checked on this machine, ready for these slots. None: the plain path, and the log says why."""
    shape = network.shape
    if shape.device.type == "cpu":
        return None
    if not is_wanted:
        log.info("steps are launched one kernel at a time: GPU_DECODER=off")
        return None
    reason = unsupported(shape.head_dim, shape.device, shape.dtype)
    if checkpoint.context_tokens < _COLUMNS:
        reason = f"the check wants room for {_COLUMNS} tokens"
    if reason is not None:
        log.warning("steps are launched one kernel at a time: %s", reason)
        return None
    return checked(checkpoint, network, num_slots, num_columns, look_varlen, Captured)


def checked(
    checkpoint: Checkpoint,
    network: Network,
    num_slots: int,
    num_columns: int,
    look: Look,
    runner: Callable[[Step], Runner],
) -> Decoder | None:
    """A decoder, where it agrees with the plain path; else None, and the log says why."""
    try:
        limit = check_logits(network, look)
        check_tokens(checkpoint, network, look, runner, limit)
        decoder = Decoder(network, num_slots, num_columns, look, runner)
        decoder.prepare()
    except NotImplementedError as reason:
        log.warning("steps are launched one kernel at a time: %s", reason)
        return None
    except Exception:
        log.exception("steps are launched one kernel at a time, because the decoder's check failed")
        return None
    log.info("whole steps are launched at once; checked beside the plain path")
    return decoder


@torch.inference_mode()
def check_logits(network: Network, look: Look) -> float:
    """Rows with fixed tokens over two prompts, both ways. Raises `CheckFailed`.

    Returns how far the logits may be apart: the root mean square of a row's differences as a share of their spread.
    """
    shape, rng = network.shape, random.Random(1)
    memory = Memory(shape, len(_LENGTHS), _COLUMNS)
    lanes = Lanes(shape, max(_SIZES), len(_LENGTHS), _COLUMNS)
    step = Step(network, memory, lanes, look)
    texts, places = list[tuple[int, list[int]]](), list[Lane]()
    for slot, (length, num_rows) in enumerate(_LENGTHS):
        prompt = _random_ids(rng, shape.vocab_size, length)
        read(network, memory.by_slot, slot, prompt)
        for row in range(num_rows):
            own = _random_ids(rng, shape.vocab_size, _NEW)
            start = slot * _COLUMNS + length + row * _NEW
            places.append(Lane(slot, tuple(prompt), start, _NEW, (own[0],), SamplingParams()))
            texts.append((length, prompt + own))
    exact = [read(network, Memory(shape, 1, _COLUMNS).by_slot, 0, text)[length:] for length, text in texts]
    again = [_read_slowly(network, text)[length:] for length, text in texts]
    limit = _TIMES * max(torch.finfo(shape.dtype).eps, apart(torch.cat(again), torch.cat(exact)))
    for size, number in itertools.product(_SIZES, range(_NEW)):
        if number == 0:
            lanes.arrange(places, size)
        ids = [text[length + number] for length, text in texts]
        lanes.ids[: len(ids)] = torch.tensor(ids, device=shape.device)
        lanes.lengths[: len(ids)] = number
        found = apart(step.logits(size)[: len(ids)], torch.stack([logits[number] for logits in exact]))
        if not found <= limit:  # NaN fails every comparison
            raise CheckFailed(f"a row's logits are {found:.4f} of their spread away, and {limit:.4f} is allowed")
    return limit


@torch.inference_mode()
def check_tokens(
    checkpoint: Checkpoint, network: Network, look: Look, runner: Callable[[Step], Runner], limit: float
) -> None:
    """A greedy generation through an engine with a decoder. `limit`: see `check_logits`. Raises `CheckFailed`."""
    shape, rng = network.shape, random.Random(2)
    decoder = Decoder(network, len(_LENGTHS), _COLUMNS, look, runner, most=8)
    engine = WeavingEngine(checkpoint, network, len(_LENGTHS), _COLUMNS, decoder=decoder)
    greedy, texts = SamplingParams(temperature=0), dict[tuple[str, int], list[int]]()
    for number, (length, num_rows) in enumerate(_LENGTHS):
        prompt = _random_ids(rng, shape.vocab_size, length)
        engine.add(Request(str(number), tuple(prompt), seed=0, n=num_rows, max_tokens=_NEW, sampling=greedy))
        texts |= {(str(number), row): list(prompt) for row in range(num_rows)}
    while engine.has_work:
        for event in engine.step():
            if isinstance(event, Failed):
                raise CheckFailed("a greedy generation failed")
            if isinstance(event, Delta):
                texts[event.request_id, event.index] += event.token_ids
    for (request_id, _), text in texts.items():
        length = _LENGTHS[int(request_id)][0]
        logits = read(network, Memory(shape, 1, _COLUMNS).by_slot, 0, text)[length - 1 : -1].float()
        drawn = logits.gather(1, torch.tensor(text[length:], device=shape.device)[:, None])[:, 0]
        worst = float(((logits.amax(-1) - drawn) / logits.std(-1)).max()) if len(drawn) else 0.0
        if not worst <= 2 * _TIMES * limit:  # two tokens' errors, and the largest of many
            raise CheckFailed(f"a token lies {worst:.3f} deviations below the best one")


def apart(found: torch.Tensor, exact: torch.Tensor) -> float:
    """How far the worst row of `found` [rows, vocab] is away from `exact`, as a share of the spread of that."""
    spread = (exact.float() - exact.float().mean(-1, keepdim=True)).square().mean().sqrt()
    return float((found.float() - exact.float()).square().mean(-1).sqrt().max() / spread)


def read(network: Network, cache: list[KeyValues], slot: int, text: Sequence[int], start: int = 0) -> torch.Tensor:
    """Logits [tokens, vocab] of a text that begins a slot, by the plain path; or of one token, at `start`."""
    columns = torch.arange(start, start + len(text), device=network.shape.device)
    places = range(start, start + len(text))
    part = Part(
        *(slot, text, places, columns, places.stop, None, True, range(len(text))),
        woven_from=places.stop,
        stride=1,
        adapter=None,
    )
    return network.forward(batch_of([part], network.shape.device), cache)


def _read_slowly(network: Network, text: Sequence[int]) -> torch.Tensor:
    """The same logits, token by token."""
    cache = Memory(network.shape, 1, _COLUMNS).by_slot
    return torch.cat([read(network, cache, 0, [token], start) for start, token in enumerate(text)])


def _random_ids(rng: random.Random, vocab_size: int, count: int) -> list[int]:
    return [rng.randrange(vocab_size) for _ in range(count)]
