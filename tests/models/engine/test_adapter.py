"""Adapters on disk: what is read, and what is refused by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants

from models.engine.adapter import CONFIG, WEIGHTS, AdapterError, load_adapter
from tests.models.lora import products, save_adapter

RANK, ALPHA = 4, 12
LAYER = "model.layers.0.self_attn"


def matrices(*modules: str, rank: int = RANK) -> dict[str, torch.Tensor]:
    torch.manual_seed(len(modules))
    return {
        f"base_model.model.{module}.lora_{side}.weight": torch.randn(*((rank, 6) if side == "A" else (8, rank)))
        for module in modules
        for side in "AB"
    }


def made(folder: Path, content: dict[str, torch.Tensor] | None = None, **config: Any) -> Path:
    save_adapter(
        folder,
        {"r": RANK, "lora_alpha": ALPHA, "target_modules": ["q_proj", "v_proj"], **config},
        content or matrices(f"{LAYER}.q_proj"),
    )
    return folder


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({}, ALPHA / RANK),
        ({"use_rslora": True}, ALPHA / RANK**0.5),
        ({"lora_alpha": 7}, 7 / RANK),
        ({"target_modules": r".*\.q_proj"}, ALPHA / RANK),
        ({"target_modules": "all-linear", "init_lora_weights": "gaussian"}, ALPHA / RANK),
        ({"fan_in_fan_out": True, "bias": "none", "layers_to_transform": [0]}, ALPHA / RANK),
        ({"alpha_pattern": {"v_proj": 1, "q_proj": 5}}, 5 / RANK),
        ({"r": 2, "rank_pattern": {r"layers\.\d+\.self_attn\.q_proj": RANK}}, ALPHA / RANK),
        ({"r": 2, "rank_pattern": {"q_proj": RANK}, "alpha_pattern": {f"^{LAYER}.q_proj": 8}, "use_rslora": True}, 4.0),
        ({"alpha_pattern": {"proj": 5}}, ALPHA / RANK),  # only whole names count
    ],
)
def test_an_update_is_the_product_of_its_matrices_times_the_scale(
    tmp_path: Path, config: dict[str, Any], scale: float
) -> None:
    content = matrices(f"{LAYER}.q_proj")
    adapter = load_adapter("noir", str(made(tmp_path / "a", content, **config)))
    (name,) = adapter.updates
    assert (adapter.name, name) == ("noir", f"{LAYER}.q_proj")
    update = adapter.updates[name]
    assert torch.allclose(update.up @ update.down, scale * products(content)[name], atol=1e-5)


def test_its_revision_changes_with_either_file_and_its_base_is_told(tmp_path: Path) -> None:
    plain = load_adapter("a", str(made(tmp_path / "plain")))
    assert plain.revision == load_adapter("b", str(made(tmp_path / "same"))).revision
    others = [made(tmp_path / "louder", lora_alpha=99), made(tmp_path / "other", matrices(f"{LAYER}.v_proj"))]
    assert len({plain.revision, *(load_adapter("c", str(folder)).revision for folder in others)}) == 3
    assert plain.base is None
    assert load_adapter("d", str(made(tmp_path / "d", base_model_name_or_path="x/y"))).base == "x/y"


def test_an_adapter_is_found_by_its_name_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    home = tmp_path / "models--writers--noir"
    made(home / "snapshots" / commit)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    adapter = load_adapter("noir", "writers/noir")
    assert (adapter.revision, len(adapter.updates)) == (commit, 1)
    with pytest.raises(AdapterError, match="cannot load the adapter noir from writers/none"):
        load_adapter("noir", "writers/none")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"peft_type": "IA3"}, 'its peft_type is "IA3"'),
        ({"task_type": "SEQ_CLS"}, 'its task_type is "SEQ_CLS"'),
        ({"bias": "lora_only"}, 'its bias is "lora_only"'),
        ({"init_lora_weights": "pissa_niter_4"}, 'its init_lora_weights is "pissa_niter_4"'),
        ({"init_lora_weights": "olora"}, 'its init_lora_weights is "olora"'),
        ({"use_dora": True}, "use_dora=true"),
        ({"use_qalora": True}, "use_qalora=true"),
        ({"lora_bias": True}, "lora_bias=true"),
        ({"modules_to_save": ["lm_head"]}, r'modules_to_save=\["lm_head"\]'),
        ({"alora_invocation_tokens": [5, 6]}, r"alora_invocation_tokens=\[5, 6\]"),
        ({"trainable_token_indices": [1]}, r"trainable_token_indices=\[1\]"),
        ({"layer_replication": [[0, 2]]}, "layer_replication="),
        ({"target_parameters": ["experts.weight"]}, "target_parameters="),
        ({"something_new": 1}, "something_new=1, which is not supported here"),
        ({"r": None}, "must say r and lora_alpha in numbers"),
        ({"lora_alpha": "16"}, "must say r and lora_alpha in numbers"),
        ({"r": 8}, "ranks 4 and 4, and 8 is named"),
        ({"target_modules": ["k_proj"]}, f"matrices for {LAYER}.q_proj, which target_modules does not name"),
        ({"target_modules": "q_proj"}, "target_modules does not name"),  # a regular expression for a whole name
    ],
)
def test_what_is_not_a_plain_low_rank_update_is_refused_by_its_name(
    tmp_path: Path, config: dict[str, Any], reason: str
) -> None:
    folder = made(tmp_path / "a", **config)
    with pytest.raises(AdapterError, match=f"the adapter noir from {folder} cannot be used: .*{reason}"):
        load_adapter("noir", str(folder))


@pytest.mark.parametrize(
    ("key", "matrix", "reason"),
    [
        ("base_model.model.model.embed_tokens.lora_embedding_A", torch.zeros(4, 9), "holds .*lora_embedding_A"),
        (f"base_model.model.{LAYER}.q_proj.lora_magnitude_vector", torch.zeros(8), "holds .*lora_magnitude_vector"),
        ("base_model.model.lm_head.weight", torch.zeros(9, 8), r"holds base_model.model.lm_head.weight \[9, 8\]"),
        (f"base_model.model.{LAYER}.v_proj.lora_A.weight", torch.zeros(4, 6), "only one of the two matrices"),
        (f"base_model.model.{LAYER}.q_proj.lora_A.weight", torch.zeros(4, 6, 1), "is no matrix"),
        (f"base_model.model.{LAYER}.q_proj.lora_B.weight", torch.zeros(8, 3), "ranks 4 and 3, and 4 is named"),
        (f"{LAYER}.q_proj.lora_A.weight", torch.zeros(4, 6), "is no matrix of a low-rank update"),
    ],
)
def test_a_file_with_other_things_in_it_is_refused(tmp_path: Path, key: str, matrix: torch.Tensor, reason: str) -> None:
    folder = made(tmp_path / "a", {**matrices(f"{LAYER}.q_proj"), key: matrix})
    with pytest.raises(AdapterError, match=reason):
        load_adapter("noir", str(folder))


def test_folders_that_are_not_whole_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match=f"the adapter noir from {tmp_path}.*{CONFIG}"):
        load_adapter("noir", str(tmp_path))
    for name, content in ((WEIGHTS, b"nonsense"), (CONFIG, b"{"), (CONFIG, b"[]"), (WEIGHTS, None)):
        broken = made(tmp_path / "broken")
        (broken / name).unlink() if content is None else (broken / name).write_bytes(content)
        with pytest.raises(AdapterError, match=f"the adapter noir from {broken}"):
            load_adapter("noir", str(broken))
    save_adapter(tmp_path / "empty", {"r": RANK, "lora_alpha": ALPHA}, {})
    with pytest.raises(AdapterError, match="holds no matrices"):
        load_adapter("noir", str(tmp_path / "empty"))
