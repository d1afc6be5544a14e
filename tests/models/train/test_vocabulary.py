"""The tokens of a run: learned, or a checkpoint's with what it lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from models.engine.story_format import StoryFormat
from models.train.config import TrainConfig
from models.train.vocabulary import learn_vocabulary, load_vocabulary, open_vocabulary, own_form
from tests.models.train.toy import MASKED_SHAPE, toy_config

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

TEXTS = ["The fox went over the hill.", "The owl sang to the moon."]


@pytest.mark.parametrize(
    "changes",
    [{}, {"markers": False}, {"objective": "masked", "model": MASKED_SHAPE}],
    ids=["markers", "plain", "masked"],
)
def test_a_learned_vocabulary_is_the_same_when_it_is_read_again(changes: dict[str, Any], tmp_path: Path) -> None:
    config = toy_config(**changes)
    vocabulary = learn_vocabulary(config, TEXTS)
    vocabulary.save(tmp_path)
    again = load_vocabulary(config, tmp_path)
    assert again.form == vocabulary.form == own_form(config)
    text = f"{again.form.begin}The fox sang.{again.form.end}"
    assert again.fast(text)["input_ids"] == vocabulary.fast(text)["input_ids"]
    assert again.fast.decode(again.fast(text)["input_ids"]) == text
    assert (again.fast.eos_token, again.fast.mask_token) == (vocabulary.fast.eos_token, vocabulary.fast.mask_token)


def test_markers_are_one_token_each_and_none_is_learned_twice(tmp_path: Path) -> None:
    plain = learn_vocabulary(toy_config(markers=False), TEXTS)
    plain.save(tmp_path)
    config = toy_config(tokenizer=str(tmp_path), model={"hidden_size": 32, "context": 64})
    vocabulary = open_vocabulary(config)
    assert vocabulary is not None
    assert len(vocabulary) == len(plain) + len(StoryFormat().special_tokens)
    for marker in StoryFormat().special_tokens:
        assert vocabulary.fast(marker)["input_ids"] == [vocabulary.id_of(marker)]
    assert vocabulary.fast.decode(
        vocabulary.fast("<|story|>The fox<|end|>")["input_ids"], skip_special_tokens=True
    ) == ("The fox")
    vocabulary.save(tmp_path / "again")
    whole = open_vocabulary(toy_config(tokenizer=str(tmp_path / "again"), model={"hidden_size": 32, "context": 64}))
    assert whole is not None
    assert len(whole) == len(vocabulary)


def test_only_a_checkpoint_to_go_on_from_has_rows_to_add(tmp_path: Path) -> None:
    learn_vocabulary(toy_config(markers=False), TEXTS).save(tmp_path)
    fresh = open_vocabulary(toy_config(tokenizer=str(tmp_path), model={"hidden_size": 32, "context": 64}))
    assert fresh is not None
    assert fresh.added == ()


def test_a_document_begins_as_the_tokenizer_begins_a_text(tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    own = learn_vocabulary(toy_config(), TEXTS)
    start = own.fast.bos_token
    own.backend.post_processor = TemplateProcessing(single=f"{start} $A", special_tokens=[(start, own.id_of(start))])
    own.save(tmp_path)
    config = TrainConfig(tokenizer=str(tmp_path))
    found = open_vocabulary(config)
    assert found is not None
    assert found.form.begin == start
    assert AutoTokenizer.from_pretrained(tmp_path)("x")["input_ids"][0] == own.id_of(start)
