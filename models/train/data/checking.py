"""`talewright data check` and `show`: whether a dataset is what it says, and what is in it, in words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.train.data.manifest import dataset_hash, file_hash
from models.train.data.reading import MANIFEST, Manifest, iter_records, read_manifest


def find_damage(folder: Path) -> list[str]:
    """What differs from the manifest, a sentence each; none where the dataset is whole."""
    manifest = read_manifest(folder)
    damage = []
    if dataset_hash(manifest.record) != manifest.sha256:
        damage.append(f"{MANIFEST} was changed: its own hash does not fit")
    expected = {facts.file: facts.sha256 for facts in manifest.splits.values()}
    attribution = manifest.record.get("attribution")
    if attribution is not None:
        expected[attribution["file"]] = attribution["sha256"]
    for name, sha256 in expected.items():
        if not (folder / name).is_file():
            damage.append(f"{name} is missing")
        elif file_hash(folder / name) != sha256:
            damage.append(f"{name} was changed: its hash is not the manifest's")
    return damage


def summarise(manifest: Manifest) -> Iterator[str]:
    """Lines for a person: splits, sources with what each step dropped, leakage, remarks."""
    yield f"dataset {manifest.sha256[:16]}, format version {manifest.version}"
    for name, facts in manifest.splits.items():
        yield f"  {name:<10} {facts.stories:>9,} stories  {facts.groups:>8,} groups  {facts.words:>12,} words"
    for source in manifest.record["sources"]:
        yield from _summarise_source(source)
    leakage = manifest.record["leakage"]
    if leakage is not None:
        yield from _summarise_leakage(leakage)
    for remark in manifest.record["remarks"]:
        yield f"note: {remark}"


def _summarise_source(source: Mapping[str, Any]) -> Iterator[str]:
    steps = source["steps"]
    read = next(iter(steps.values()))["stories_before"] if steps else 0
    yield f"source {source['name']} ({source['kind']}, licence {source['licence']}): {read:,} read, " + (
        ", ".join(f"{count:,} in {split}" for split, count in source["stories"].items()) or "none left"
    )
    for name, count in steps.items():
        if count["stories_changed"] or count["stories_dropped"]:
            yield f"  {name:<22} {count['stories_changed']:>8,} changed  {count['stories_dropped']:>8,} dropped"
    for note, count in source["notes"].items():
        yield f"  {note}: {count:,}"


def _summarise_leakage(leakage: Mapping[str, Any]) -> Iterator[str]:
    for split, found in leakage["after_dropping"].items():
        if found["stories"]:
            share, near = found["share_of_ngrams_in_train"], found["stories_with_near_duplicate_in_train"]
            yield (
                f"leakage into {split}: {share:.2%} of its {leakage['ngram']}-word runs stand in train; "
                f"{near:,} of its {found['stories']:,} stories have a near-duplicate there"
            )
    if leakage["train_stories_dropped"]:
        yield f"  {leakage['train_stories_dropped']:,} train stories were dropped for it"


def draw_stories(folder: Path, split: str, num: int, seed: int) -> list[dict[str, Any]]:
    """`num` stories drawn evenly in one pass (reservoir sampling, Vitter 1985), in their order in the file."""
    rng, drawn = random.Random(seed), list[tuple[int, dict[str, Any]]]()
    for at, record in enumerate(iter_records(folder, split)):
        if len(drawn) < num:
            drawn.append((at, record))
        elif (place := rng.randrange(at + 1)) < num:
            drawn[place] = (at, record)
    return [record for _, record in sorted(drawn, key=lambda pair: pair[0])]
