"""A causal model's weights in a masked one: the same numbers where the two norms are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from models.train.errors import UnsupportedError
from models.train.settings import load_config
from models.train.transplant import transplant
from models.train.vocabulary import Vocabulary, learn_vocabulary, open_vocabulary
from tests.models.train.toy import toy_config

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def save_llama(folder: Path, **changes: Any) -> LlamaForCausalLM:
    """A random model, with its tokenizer, whose hidden states have mean zero, so that RMSNorm and LayerNorm agree."""
    torch.manual_seed(1)
    fast = learn_vocabulary(toy_config(), ["The fox went over the moonlit hill and sang."]).fast
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(fast),
            intermediate_size=48,
            max_position_embeddings=64,
            tie_word_embeddings=True,
            initializer_range=0.3,
            bos_token_id=fast.bos_token_id,
            eos_token_id=fast.eos_token_id,
            pad_token_id=fast.pad_token_id,
            **{**shape, **changes},
        )
    )
    with torch.no_grad():
        embeddings = model.model.embed_tokens.weight.normal_()  # the padding's row too, which is zero otherwise
        embeddings.sub_(embeddings.mean(dim=1, keepdim=True))
        embeddings.div_(embeddings.square().mean(dim=1, keepdim=True).sqrt()).mul_(0.7)
        for layer in model.model.layers:
            for written in (layer.self_attn.o_proj.weight, layer.mlp.down_proj.weight):
                written.sub_(written.mean(dim=0, keepdim=True))
            for norm in (layer.input_layernorm, layer.post_attention_layernorm):
                norm.weight.uniform_(0.5, 1.5)
        model.model.norm.weight.uniform_(0.5, 1.5)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return model.eval()


def open_masked(folder: Path) -> Vocabulary:
    config = toy_config(objective="masked", init_from_causal=str(folder), model={"context": 64})
    vocabulary = open_vocabulary(config)
    assert vocabulary is not None
    return vocabulary


def test_under_a_causal_mask_the_encoder_is_the_causal_model(tmp_path: Path) -> None:
    causal = save_llama(tmp_path)
    masked = transplant(str(tmp_path), open_masked(tmp_path), 64).eval()
    ids = torch.randint(8, 200, (2, 12), generator=torch.Generator().manual_seed(2))
    before = torch.ones(12, 12, dtype=torch.bool).tril()[None, None].expand(2, 1, 12, 12)
    with torch.no_grad():
        wanted = causal.model(ids).last_hidden_state
        found = masked.model(ids, attention_mask=before).last_hidden_state
        assert torch.allclose(found, wanted, atol=1e-4)
        both_ways = masked.model(ids).last_hidden_state
    assert not torch.allclose(both_ways, wanted, atol=1e-2), "without that mask it reads in both directions"


def test_the_output_begins_as_the_causal_models_own(tmp_path: Path) -> None:
    causal = save_llama(tmp_path)
    masked = transplant(str(tmp_path), open_masked(tmp_path), 64).eval()
    ids = torch.randint(8, 200, (1, 12), generator=torch.Generator().manual_seed(2))
    before = torch.ones(12, 12, dtype=torch.bool).tril()[None, None]
    with torch.no_grad():
        wanted = causal(ids).logits.log_softmax(-1)
        found = masked(ids, attention_mask=before).logits[..., : wanted.shape[-1]].log_softmax(-1)
    agree = (wanted.argmax(-1) == found.argmax(-1)).float().mean()
    assert agree > 0.9, "the head's own norm changes sizes a little, and hardly an order"


def test_the_mask_has_a_row_at_the_mean_of_the_others(tmp_path: Path) -> None:
    causal = save_llama(tmp_path)
    vocabulary = open_masked(tmp_path)
    assert vocabulary.fast.mask_token == "<|mask|>"
    assert vocabulary.added == (len(vocabulary) - 1,)
    rows = transplant(str(tmp_path), vocabulary, 64).get_input_embeddings().weight
    assert torch.allclose(rows[-1], causal.model.embed_tokens.weight.mean(dim=0), atol=1e-6)


def test_the_bundled_rewriter_fits_in_twelve_megabytes() -> None:
    source = ROOT / "models" / "storyteller"
    config = load_config(ROOT / "models" / "train" / "configs" / "rewriter_1.yaml", [f"init_from_causal={source}"])
    vocabulary = open_vocabulary(config)
    assert vocabulary is not None
    model = transplant(str(source), vocabulary, config.model.context)
    assert 11e6 < model.num_parameters() * 2 < 12e6


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"head_dim": 16}, "16 wide"), ({"attention_bias": True}, "biases")],
)
def test_a_causal_model_without_a_counterpart_is_refused(changes: dict[str, Any], why: str, tmp_path: Path) -> None:
    save_llama(tmp_path, **changes)
    with pytest.raises(UnsupportedError, match=why):
        transplant(str(tmp_path), open_masked(tmp_path), 64)
