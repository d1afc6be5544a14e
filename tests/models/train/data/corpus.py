"""Stories and books made up for the tests of data preparation."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from models.train.data.prepare import prepare
from models.train.data.reading import Manifest, iter_records
from models.train.data.settings import DataSettings, check_settings

WORDS = (
    "fox moon hill river owl night lantern road king song baker harbour winter bell garden stone letter ship candle "
    "wolf orchard bridge miller thread copper window feather barrel meadow tower salt ribbon drum market goose ladder"
).split()


def tell(seed: int, sentences: int = 12) -> str:
    """A story of three paragraphs that shares no long run of words with another seed's."""
    rng = random.Random(seed)
    told = [f"The {' '.join(rng.choices(WORDS, k=9))} near the {rng.choice(WORDS)}." for _ in range(sentences)]
    third = max(1, sentences // 3)
    return "\n\n".join(" ".join(told[at : at + third]) for at in range(0, sentences, third))


def write_stories(path: Path, seeds: range) -> Path:
    path.write_text("\n<|endoftext|>\n".join(tell(seed) for seed in seeds), encoding="utf-8")
    return path


def write_jsonl(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def settings(*sources: dict[str, Any], **sections: Any) -> DataSettings:
    return check_settings({"sources": list(sources), **sections}, "test")


def make(folder: Path, *sources: dict[str, Any], out: str = "out", force: bool = False, **sections: Any) -> Manifest:
    """A dataset in `folder`/`out` from sources whose paths start at `folder`."""
    return prepare(settings(*sources, **sections), folder, folder / out, force=force)


def texts(folder: Path, split: str = "train") -> list[str]:
    return [record["text"] for record in iter_records(folder, split)]
