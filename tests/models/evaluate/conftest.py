"""A tiny storyteller of real parts, its worker on loopback, and a small file of held-out stories in its words."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the worker's extra is not installed")

from models.engine.checkpoint import load_checkpoint
from models.engine.story_format import StoryFormat
from models.evaluate.local import LocalSubject
from tests.bot.service.far_end import WORDS
from tests.models.babbler import make_babbler
from tests.models.serve.conftest import load_fast, serve

NUM_STORIES = 8


@pytest.fixture(scope="session")
def babbler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_babbler(tmp_path_factory.mktemp("evaluated") / "babbler")


@pytest.fixture(scope="session")
def looking_ahead(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a story format of version 2."""
    folder = make_babbler(tmp_path_factory.mktemp("evaluated") / "ahead")
    fmt = StoryFormat(tags="", suffix="<|hint|>{text}<|text|>").to_json()  # markers that its tokenizer has
    (folder / "story_format.json").write_text(json.dumps(fmt))
    return folder


@pytest.fixture(scope="session")
def subject(babbler: Path) -> LocalSubject:
    return LocalSubject(load_checkpoint(str(babbler), device="cpu"))


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stories of forty sentences of five words, two paragraphs each."""
    rng = random.Random(5)

    def sentence() -> str:
        return " ".join(word.capitalize() for word in rng.sample(WORDS, 5)) + "."

    def story() -> str:
        return "\n\n".join(" ".join(sentence() for _ in range(20)) for _ in range(2))

    path = tmp_path_factory.mktemp("texts") / "held.txt"
    path.write_text("\n<|endoftext|>\n".join(story() for _ in range(NUM_STORIES)) + "\n")
    return path


@pytest.fixture(scope="session")
def worker_url(babbler: Path) -> Iterator[str]:
    """The real worker, with the babbler."""
    with serve(lambda: load_fast(babbler), max_n=8, max_tokens=160) as running:
        yield running.url
