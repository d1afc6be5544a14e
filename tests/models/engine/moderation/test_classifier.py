"""Loading classifiers, and their scores beside those of transformers' own pipeline."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import TextClassificationPipeline

from models.engine.checkpoint import CheckpointError
from models.engine.moderation.checkpoint import MAX_WINDOW_TOKENS, ClassifierCheckpoint, Head, load_classifier
from models.engine.moderation.forward import NotFinite, read_windows
from tests.models import classifiers, masked
from tests.models.classifiers import KINDS, MULTI, SINGLE, TEXTS

PROBLEMS = {
    "single": (SINGLE, "single_label_classification", Head.SOFTMAX),
    "multi": (MULTI, "multi_label_classification", Head.SIGMOID),
    "unsaid": (SINGLE, None, Head.SOFTMAX),
    "one": (("toxic",), None, Head.SIGMOID),
}


def by_the_pipeline(checkpoint: ClassifierCheckpoint, folder: Path) -> list[dict[str, float]]:
    from transformers import AutoTokenizer

    pipeline: Any = TextClassificationPipeline(
        model=checkpoint.model, tokenizer=AutoTokenizer.from_pretrained(folder), top_k=None, device="cpu"
    )
    return [{each["label"]: each["score"] for each in found} for found in pipeline(list(TEXTS))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_scores_are_those_of_the_pipeline(kind: str, problem: str, tmp_path: Path) -> None:
    labels, said, head = PROBLEMS[problem]
    folder = classifiers.make(kind, tmp_path / kind, labels, said)
    checkpoint = load_classifier(str(folder), device="cpu")
    assert checkpoint.head is head
    together = read_windows(checkpoint, [checkpoint.windows(text)[0] for text in TEXTS])
    alone = [read_windows(checkpoint, checkpoint.windows(text))[0] for text in TEXTS]
    wanted = by_the_pipeline(checkpoint, folder)
    assert len({round(score, 3) for scores in together for score in scores}) > 2, "scores that tell texts apart"
    for scores in (together, alone):
        for found, their in zip(scores, wanted, strict=True):
            assert dict(zip(checkpoint.labels.categories, found, strict=True)) == pytest.approx(
                {name: score for name, score in their.items() if name != "neutral"}, abs=1e-5
            )


def test_what_is_known_of_a_checkpoint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        checkpoint = load_classifier(str(classifiers.make("roberta", tmp_path / "guard")), device="cpu")
    assert (checkpoint.name, checkpoint.context_tokens) == ("guard", masked.CONTEXT)
    assert len(checkpoint.revision) == 12
    assert checkpoint.labels.categories == ("hate", "violence")
    assert "categories: hate, violence; no category: neutral" in caplog.text
    assert "puts every text" not in caplog.text


def test_classes_without_a_neutral_one_are_told_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = classifiers.make("bert", tmp_path / "guard", ("hate", "violence"))
    load_classifier(str(folder), device="cpu")
    assert "puts every text into one of its categories" in caplog.text


def test_excluding_classes_of_one_name_add_up_and_others_take_the_highest(tmp_path: Path) -> None:
    naming = {"violence": "bad", "hate": "bad"}
    for problem, together in (("single", sum), ("multi", max)):
        labels, said, _ = PROBLEMS[problem]
        folder = classifiers.make("bert", tmp_path / problem, labels, said)
        plain = load_classifier(str(folder), device="cpu")
        named = load_classifier(str(folder), device="cpu", naming=naming)
        for text in TEXTS:
            parts = dict(zip(plain.labels.categories, read_windows(plain, plain.windows(text))[0], strict=True))
            whole = dict(zip(named.labels.categories, read_windows(named, named.windows(text))[0], strict=True))
            assert whole["bad"] == pytest.approx(together((parts["hate"], parts["violence"])), abs=1e-6)


def test_special_tokens_that_are_written_out_are_text(tmp_path: Path) -> None:
    checkpoint = load_classifier(str(classifiers.make("bert", tmp_path / "guard")), device="cpu")
    ends = {*checkpoint.reader.before, *checkpoint.reader.after, checkpoint.pad_id}
    (window,) = checkpoint.windows("a [SEP] cat [PAD] [CLS]")
    assert not ends & set(window[1:-1])


def test_no_window_is_wider_than_what_may_be_read_at_once(tmp_path: Path) -> None:
    folder = classifiers.make("llama", tmp_path / "guard")
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**said, "max_position_embeddings": 4096}))
    checkpoint = load_classifier(str(folder), device="cpu")
    assert checkpoint.context_tokens == MAX_WINDOW_TOKENS
    assert max(map(len, checkpoint.windows("cat " * 2000))) == MAX_WINDOW_TOKENS


def test_a_model_without_a_filling_token_reads_alone(tmp_path: Path) -> None:
    folder = classifiers.make("llama", tmp_path / "guard")
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**said, "pad_token_id": None}))
    assert not load_classifier(str(folder), device="cpu").can_share
    assert load_classifier(str(classifiers.make("llama", tmp_path / "other")), device="cpu").can_share


def test_weights_without_a_head_are_refused(tmp_path: Path) -> None:
    folder = masked.make("bert", tmp_path / "bert")
    with pytest.raises(CheckpointError, match=r"no text classifier: its weights lack bert\.pooler.*classifier\.bias"):
        load_classifier(str(folder), device="cpu")


def test_a_regression_is_refused(tmp_path: Path) -> None:
    folder = classifiers.make("bert", tmp_path / "guard", ("anger",), "regression")
    with pytest.raises(CheckpointError, match="is a regression"):
        load_classifier(str(folder), device="cpu")


def test_labels_without_a_meaning_stop_the_start(tmp_path: Path) -> None:
    folder = classifiers.make("bert", tmp_path / "guard", ("LABEL_0", "LABEL_1"))
    with pytest.raises(CheckpointError, match=r"the labels of .*guard: nothing says what its labels LABEL_0, LABEL_1"):
        load_classifier(str(folder), device="cpu")
    named = load_classifier(str(folder), device="cpu", naming={"LABEL_0": None, "LABEL_1": "hate"})
    assert named.labels.categories == ("hate",)


def test_a_folder_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match=r"cannot load .*empty as a text classifier"):
        load_classifier(str(tmp_path / "empty"), device="cpu")


def test_outputs_that_are_no_numbers_are_an_error_and_no_pass(tmp_path: Path) -> None:
    checkpoint = load_classifier(str(classifiers.make("bert", tmp_path / "guard")), device="cpu")
    with torch.no_grad():
        checkpoint.model.get_submodule("classifier").get_parameter("bias").fill_(float("nan"))
    with pytest.raises(NotFinite):
        read_windows(checkpoint, checkpoint.windows("a cat"))
