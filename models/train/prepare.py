"""Text → tokenizer and token files of a run, made once; a second call reads what the first wrote."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from models.train.config import TrainConfig
from models.train.corpus import iter_source, spool_phase
from models.train.dataset import phase_order
from models.train.documents import Teach, choose_documents
from models.train.errors import NoTextError
from models.train.record import write_json
from models.train.spool import Spool
from models.train.tokens import TokenFile, id_type, write_tokens
from models.train.vocabulary import Vocabulary, learn_vocabulary, load_vocabulary, open_vocabulary, own_form


@dataclass(frozen=True)
class PreparedData:
    """Tokenized text of a run: where it is, and the number of its blocks in each phase."""

    vocabulary: Vocabulary
    train: TokenFile
    validation: TokenFile | None
    blocks: tuple[int, ...]
    sha256: str

    def order(self, seed: int) -> list[int]:
        """The blocks' numbers as the run reads them."""
        return phase_order(list(self.blocks), random.Random(seed))

    def to_record(self, context: int) -> dict[str, Any]:
        """What a run says of its data."""
        return {"blocks": list(self.blocks), "tokens": sum(self.blocks) * context, "sha256": self.sha256}


def prepare_data(config: TrainConfig, root: Path, work: Path) -> PreparedData:
    """Tokenizes every phase and the validation text. Raises `NoTextError`, also for less than one block of text.

    ``data.json`` is written last: what a killed call left behind is made anew.
    """
    record = work / "data.json"
    if not record.exists():
        write_json(record, _prepare(config, root, work))
    found = json.loads(record.read_text(encoding="utf-8"))
    vocabulary = load_vocabulary(config, work / "tokenizer")
    train, validation = _files(config, work, len(vocabulary))
    return PreparedData(vocabulary, train, validation, tuple(found["blocks"]), found["sha256"])


def _files(config: TrainConfig, work: Path, vocab_size: int) -> tuple[TokenFile, TokenFile | None]:
    dtype = id_type(vocab_size)
    return TokenFile(work / "train.bin", dtype), TokenFile(
        work / "validation.bin", dtype
    ) if config.validation else None


def _prepare(config: TrainConfig, root: Path, work: Path) -> dict[str, Any]:
    rng, context = random.Random(config.seed), config.model.context
    vocabulary = open_vocabulary(config)
    teach = choose_documents(vocabulary.form if vocabulary else own_form(config), config.examples)
    with ExitStack() as stack:
        spools = [stack.enter_context(Spool(work / f"phase-{number}")) for number in range(len(config.phases))]
        orders = [spool_phase(p, root, teach, rng, spool) for p, spool in zip(config.phases, spools, strict=True)]
        phases = list(zip(spools, orders, strict=True))
        if vocabulary is None:
            vocabulary = learn_vocabulary(config, (text for spool, order in phases for text in spool.read(order)))
        vocabulary.save(work / "tokenizer")
        train, validation = _files(config, work, len(vocabulary))
        parts = (_shown(spool.read(order), len(order), f"phase {n}") for n, (spool, order) in enumerate(phases, 1))
        blocks = write_tokens(parts, vocabulary.backend, train, context)
    _require_block(sum(blocks), "the phases' text", context)
    if validation is not None:
        documents = _validation_documents(config, root, teach, rng)
        _require_block(write_tokens([documents], vocabulary.backend, validation, context)[0], "validation", context)
    return {"blocks": blocks, "sha256": train.digest()}


def _validation_documents(config: TrainConfig, root: Path, teach: Teach, rng: random.Random) -> Iterator[str]:
    stories = (story for path in config.validation for story in iter_source(root, path))
    for story in islice(stories, config.validation_stories):
        yield from teach(story, rng)


def _shown(documents: Iterable[str], total: int, what: str) -> Iterator[str]:
    """The documents, counted on stderr while they pass; silent where stderr is no terminal."""
    yield from tqdm(documents, desc=f"tokenizing {what}", total=total, unit=" documents", disable=None)


def _require_block(blocks: int, what: str, context: int) -> None:
    if not blocks:
        raise NoTextError(f"{what}: less than one block of {context} tokens; give more text or lower model.context")
