"""How a run's blocks are shown to its model, and the proof that borders hold in it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from models.engine.story_format import StoryFormat
from models.train.config import MaskingConfig, TrainConfig
from models.train.dataset import Block, CausalView, GivenParts, View
from models.train.errors import UnsupportedError
from models.train.masking import MaskedView, read_words
from models.train.vocabulary import Vocabulary


def choose_view(config: TrainConfig, vocabulary: Vocabulary) -> View:
    """What the objective and the packing ask for."""
    has_borders = config.packing == "borders"
    if config.objective == "masked":
        words = read_words(vocabulary.fast)
        return MaskedView(words, config.masking or MaskingConfig(), config.seed, has_borders)
    fmt = vocabulary.form.fmt
    return CausalView(given_parts(vocabulary, fmt) if fmt else None, has_borders)


def given_parts(vocabulary: Vocabulary, fmt: StoryFormat) -> GivenParts:
    """Which ids open and close the parts that a model is given; a document's start opens one too."""
    openers = {vocabulary.id_of(m) for m in fmt.special_tokens if m not in {fmt.body, fmt.passage_end}}
    if vocabulary.form.begin:
        openers.add(vocabulary.id_of(vocabulary.form.begin))
    return GivenParts(frozenset(openers), vocabulary.id_of(fmt.body))


def check_borders(model: Any, view: View, vocab_size: int) -> None:
    """Shows the model two documents in one block, and the second again after another first one.

    Raises `UnsupportedError` where the second document's logits change: the architecture reads across borders then, and
    training with ``packing: borders`` would not be what it says.
    """
    if "sliding_attention" in (getattr(model.config, "layer_types", None) or []) and isinstance(view, MaskedView):
        raise UnsupportedError("packing: borders would widen this model's local attention; use packing: stream")
    length, border = 12, 6
    rng = np.random.default_rng(0)
    first, other, second = (rng.integers(vocab_size, size=border) for _ in range(3))
    begins = np.array([0, border])
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            found = [_logits(model, view, Block(np.concatenate([each, second]), begins)) for each in (first, other)]
    except TypeError:  # it takes no positions at all
        found = []
    model.train(was_training)
    if not found or not torch.allclose(found[0][:, border:length], found[1][:, border:length], atol=1e-4, rtol=1e-3):
        raise UnsupportedError(
            f"packing: borders does not hold in the architecture {model.config.model_type}: it reads across documents; "
            "use packing: stream"
        )


def _logits(model: Any, view: View, block: Block) -> torch.Tensor:
    item = {name: tensor[None].to(model.device) for name, tensor in view(block, 0).items() if name != "labels"}
    item["input_ids"] = torch.from_numpy(block.ids)[None].to(model.device)  # a masked view would hide some
    logits: torch.Tensor = model(**item).logits.float()
    return logits
