from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from models.engine.checkpoint import load_checkpoint
from models.evaluate.local import LocalSubject
from models.evaluate.measures.likelihood import file_text, score_documents, score_files
from models.evaluate.numbers import Bootstrap, Number
from models.evaluate.section import Row
from models.train.sources import Story

BOOTSTRAP = Bootstrap(50)


def number(row: Row, key: str) -> Number:
    found = row.numbers[key]
    assert found is not None
    return found


@pytest.fixture(scope="module")
def uniform(babbler: Path) -> LocalSubject:
    checkpoint = load_checkpoint(str(babbler), device="cpu")
    with torch.no_grad():
        checkpoint.model.get_output_embeddings().weight.zero_()
    return LocalSubject(checkpoint)


def test_a_uniform_model_needs_the_vocabulary_s_bits_for_every_token(uniform: LocalSubject) -> None:
    text = " Fox River. Bell Village." * 4
    row = score_documents(uniform, "t", [Story(text), Story(text * 2)], BOOTSTRAP)
    size = uniform.checkpoint.vocab_size
    tokens = 3 * len(uniform.checkpoint.tokenizer(text)["input_ids"])
    found = number(row, "bits_per_byte")
    assert found.value == pytest.approx(math.log2(size) * tokens / (3 * len(text.encode())), rel=1e-5)
    # Both documents have the same share of tokens, so nothing is uncertain.
    assert found.low == pytest.approx(found.value)
    assert found.high == pytest.approx(found.value)
    assert number(row, "perplexity").value == pytest.approx(size, rel=1e-5)


def test_documents_are_pooled_by_bytes_and_averaged_by_document(subject: LocalSubject) -> None:
    documents = [Story(" Fox River. Bell Village."), Story(" Oak Key. Glass Thunder Hill." * 5)]
    row = score_documents(subject, "t", documents, BOOTSTRAP)
    scores = [subject.document_score(story.text) for story in documents]
    pooled = sum(s.nats for s in scores) / math.log(2) / sum(s.num_bytes for s in scores)
    assert number(row, "bits_per_byte").value == pytest.approx(pooled)
    assert number(row, "document_mean").value == pytest.approx(sum(s.bits_per_byte for s in scores) / 2)
    assert row.details["bits_per_byte"] == [round(s.bits_per_byte, 4) for s in scores]
    assert row.group == "t, 2 documents"


def test_a_file_is_scored_whole_with_newlines_between_stories(subject: LocalSubject, tmp_path: Path) -> None:
    path, other = tmp_path / "a.txt", tmp_path / "b.txt"
    path.write_text(" Fox River.\n<|endoftext|>\n Bell Village.")
    other.write_text(" Oak Key. Glass Thunder Hill.")
    assert file_text(path, None) == " Fox River.\n\n\n Bell Village."
    assert file_text(path, 5) == " Fox "
    rows = score_files(subject, [path, other], None, BOOTSTRAP)
    scores = [subject.file_score(file_text(each, None)) for each in (path, other)]
    assert [number(row, "bits_per_byte").value for row in rows[:2]] == [
        pytest.approx(score.bits_per_byte) for score in scores
    ]
    assert number(rows[2], "bits_per_byte").value == pytest.approx(sum(s.bits_per_byte for s in scores) / 2)
    assert rows[0].note == f"window {scores[0].window}, stride {scores[0].stride}"
