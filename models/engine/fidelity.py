"""What quantising costs: the perplexity of a network beside that of the exact one, on text that the exact one wrote.

Text of the model's own needs no data to ship, and is what the model is used for. On it the exact network has the lowest
perplexity that any network can have, so the ratio is at least 1 but for the chance of the draws.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy

from models.engine.batching import batch_of
from models.engine.checkpoint import Checkpoint
from models.engine.events import Delta
from models.engine.network import Network
from models.engine.params import SamplingParams
from models.engine.request import Request
from models.engine.weaving import WeavingEngine

NUM_TEXTS = 4
NUM_TOKENS = 128
_PLAIN = SamplingParams()


@dataclass(frozen=True)
class Fidelity:
    """Perplexities per token over the same texts."""

    exact: float
    quantised: float
    num_tokens: int

    @property
    def ratio(self) -> float:
        return self.quantised / self.exact


def compare(checkpoint: Checkpoint, exact: Network, quantised: Network) -> Fidelity:
    """Has the exact network write `NUM_TEXTS` texts by its own distribution, and both read them."""
    num_tokens = min(NUM_TOKENS, checkpoint.context_tokens - 2)
    texts = write(checkpoint, exact, num_tokens)
    total = sum(len(text) - 1 for text in texts)

    def perplexity(network: Network) -> float:
        return math.exp(sum(loss(checkpoint, network, text) for text in texts) / total)

    return Fidelity(perplexity(exact), perplexity(quantised), total)


def write(checkpoint: Checkpoint, network: Network, num_tokens: int) -> list[tuple[int, ...]]:
    """Texts of the model's own, from the token that begins one (or the first of the vocabulary, where none does)."""
    first = (0 if checkpoint.bos_id is None else checkpoint.bos_id,)
    engine = WeavingEngine(checkpoint, network, 1, 2 + NUM_TEXTS * num_tokens)
    engine.add(Request("text", first, seed=1, n=NUM_TEXTS, max_tokens=num_tokens, sampling=_PLAIN))
    texts = [list(first) for _ in range(NUM_TEXTS)]
    while engine.has_work:
        for event in engine.step():
            if isinstance(event, Delta):
                texts[event.index] += event.token_ids
    return [tuple(text) for text in texts if len(text) > 1]


@torch.inference_mode()
def loss(checkpoint: Checkpoint, network: Network, ids: tuple[int, ...]) -> float:
    """Summed negative log-likelihood of all tokens but the first, in nats."""
    engine = WeavingEngine(checkpoint, network, 1, len(ids))
    growth = engine.begin(Request("read", ids, seed=0, max_tokens=0, prompt_logprobs=True))
    logits = network.forward(batch_of([growth.part(len(ids))], network.shape.device), engine.pool.cache)
    return float(cross_entropy(logits[:-1].float(), torch.tensor(ids[1:], device=logits.device), reduction="sum"))
