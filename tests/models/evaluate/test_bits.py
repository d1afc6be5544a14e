from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from bot.cli import main
from models.evaluate.bits import NothingToScore, score_text, trained_context

FAST = ["--resamples", "20"]
TEXT = "The fox ran over the hill, and the owl — half asleep — counted the stars. " * 8


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.train_from_iterator(
        [TEXT], trainers.BpeTrainer(vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    )
    return PreTrainedTokenizerFast(tokenizer_object=raw)


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    return LlamaForCausalLM(LlamaConfig(vocab_size=300, max_position_embeddings=32, **shape)).eval()


def test_a_uniform_model_needs_log2_of_the_vocabulary_per_token(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    uniform = LlamaForCausalLM(model.config).eval()
    torch.nn.init.zeros_(uniform.lm_head.weight)
    score = score_text(uniform, tokenizer, TEXT)
    assert score.perplexity == pytest.approx(300, rel=1e-4)
    expected = math.log2(300) * score.num_tokens / len(TEXT.encode())
    assert score.bits_per_byte == pytest.approx(expected, rel=1e-5)


def test_one_window_equals_the_plain_cross_entropy(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    text = TEXT[:40]
    ids = torch.tensor([tokenizer(text)["input_ids"]])
    with torch.inference_mode():
        mean = model(input_ids=ids, labels=ids).loss.item()
    assert score_text(model, tokenizer, text).nats == pytest.approx(mean * (ids.shape[1] - 1), rel=1e-4)


def test_every_token_is_counted_once_over_windows(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    score = score_text(model, tokenizer, TEXT)
    assert score.window == trained_context(model) == 32
    assert score.num_tokens == len(tokenizer(TEXT)["input_ids"]) - 1


def test_each_token_is_predicted_from_at_least_half_a_window(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    ids = tokenizer(TEXT)["input_ids"]
    expected = 0.0
    with torch.inference_mode():
        for start in range(0, len(ids), 16):
            end = min(start + 32, len(ids))
            first = 1 if start == 0 else 16
            logp = model(input_ids=torch.tensor([ids[start:end]])).logits[0].log_softmax(-1)
            expected -= sum(logp[i - 1, ids[start + i]].item() for i in range(first, end - start))
            if end == len(ids):
                break
    assert score_text(model, tokenizer, TEXT).nats == pytest.approx(expected, rel=1e-4)


def test_a_prefix_is_given_and_not_scored(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    score = score_text(model, tokenizer, "The fox", prefix="An owl ")
    assert score.num_bytes == 7
    assert score.num_tokens == len(tokenizer("The fox")["input_ids"])


def test_blocks_add_up_to_the_whole(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    for prefix in ("", "An owl "):
        score = score_text(model, tokenizer, TEXT, prefix=prefix)
        assert len(score.blocks) > 3
        assert sum(block.nats for block in score.blocks) == pytest.approx(score.nats)
        assert sum(block.num_tokens for block in score.blocks) == score.num_tokens
        assert sum(block.num_bytes for block in score.blocks) == score.num_bytes == len(TEXT.encode())


def test_windows_inside_a_long_prefix_count_nothing(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> None:
    # Only as much of the prefix as a window holds can matter, wherever windows fall.
    score = score_text(model, tokenizer, "The fox", prefix=TEXT)
    assert score.num_tokens == len(tokenizer("The fox")["input_ids"])
    assert 0 < score.nats < 10 * score.num_tokens


def test_an_empty_text_is_refused(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    with pytest.raises(NothingToScore):
        score_text(model, tokenizer, "")


def test_the_command_writes_the_scores(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.save_pretrained(tmp_path / "m")
    tokenizer.save_pretrained(tmp_path / "m")
    (tmp_path / "t.txt").write_text(TEXT)
    out = tmp_path / "scores.json"
    assert main(["evaluate", str(tmp_path / "m"), "--text", str(tmp_path / "t.txt"), "--json", str(out), *FAST]) == 0
    record = json.loads(out.read_text())
    scores = record["scores"]["m"]
    assert scores["texts"]["t.txt"]["bits_per_byte"] == scores["mean_bits_per_byte"] > 0
    assert "mean:" in capsys.readouterr().out


def test_the_command_names_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path), "--text", str(tmp_path / "none.txt")]) == 2
    assert "none.txt" in capsys.readouterr().err
