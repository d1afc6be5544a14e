"""Loading: what is read from a folder, what is chosen, and what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

from models.engine.checkpoint import Checkpoint, CheckpointError, load_checkpoint
from models.engine.params import SamplingParams
from models.engine.placement import PlacementError, choose_device, choose_dtype
from models.engine.story_format import StoryFormat
from tests.models.tiny import CONTEXT, make_gpt2, make_llama


def test_a_folder_tells_everything_about_its_model(llama: Checkpoint, llama_folder: Path) -> None:
    assert llama.name == "tiny-llama"
    weights = (llama_folder / "model.safetensors").read_bytes()
    assert llama.revision == hashlib.sha256(weights).hexdigest()[:12]
    assert llama.context_tokens == CONTEXT
    assert llama.vocab_size == len(llama.tokenizer)
    assert llama.end_ids == {3, 4}
    assert llama.bos_id == 1
    assert llama.story_format == StoryFormat()
    assert llama.sampling == SamplingParams()
    assert (llama.device, llama.dtype) == (torch.device("cpu"), torch.float32)
    assert not llama.model.training


def test_generation_defaults_become_the_default_sampling(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "m", do_sample=True, temperature=0.8, top_p=0.95, typical_p=0.9)
    assert load_checkpoint(str(folder)).sampling == SamplingParams(temperature=0.8, top_p=0.95, typical_p=0.9)


def test_generation_defaults_that_are_not_used_are_named_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_llama(tmp_path / "m", do_sample=True, epsilon_cutoff=0.001)
    load_checkpoint(str(folder))
    assert "epsilon_cutoff" in caplog.text


def test_generation_defaults_out_of_bounds_stop_the_load(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "m", do_sample=True, temperature=9.0)
    with pytest.raises(CheckpointError, match="temperature must be between 0 and 2"):
        load_checkpoint(str(folder))


def test_the_least_context_counts(tmp_path: Path) -> None:
    folder = make_gpt2(tmp_path / "m")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 100}))
    assert load_checkpoint(str(folder)).context_tokens == 100
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 10**30}))
    assert load_checkpoint(str(folder)).context_tokens == CONTEXT


def test_models_without_pad_token_or_story_format_load(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "m", pad=False)
    (folder / "story_format.json").unlink()
    assert load_checkpoint(str(folder)).story_format is None


@pytest.mark.parametrize("content", ["{", "[1]", '{"version": 3}'])
def test_a_broken_story_format_stops_the_load(tmp_path: Path, content: str) -> None:
    folder = make_llama(tmp_path / "m")
    (folder / "story_format.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"story_format\.json"):
        load_checkpoint(str(folder))


def test_a_folder_without_a_model_names_itself(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        load_checkpoint(str(tmp_path))


def test_broken_weights_stop_the_load(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "m")
    (folder / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match="cannot load"):
        load_checkpoint(str(folder))


def test_a_folder_has_no_revision(llama_folder: Path) -> None:
    with pytest.raises(CheckpointError, match="no revisions"):
        load_checkpoint(str(llama_folder), revision="main")


def test_device_and_dtype_are_chosen_by_what_is_there() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_dtype("auto", torch.device("cpu")) is torch.float32
    assert choose_dtype("auto", torch.device("cuda")) is torch.bfloat16
    assert choose_dtype("float16", torch.device("cpu")) is torch.float16
    if not torch.cuda.is_available():
        with pytest.raises(PlacementError, match="cuda is not available"):
            choose_device("cuda")


def test_half_precision_weights_are_served_as_asked(llama_folder: Path) -> None:
    assert load_checkpoint(str(llama_folder), device="cpu", dtype="bfloat16").dtype is torch.bfloat16
