"""Which split a group belongs to: decided by its name alone, so that no other source can move it."""

from __future__ import annotations

import hashlib

from models.train.data.settings import SplitSettings

SPLITS = ("train", "validation", "test")


def split_of(group: str, settings: SplitSettings) -> str:
    """`test`, `validation` or `train`: the group's place in [0, 1) by the hash of its name.

    Test lies at one end and validation at the other, so that another share for one moves nothing into the other.
    """
    digest = hashlib.blake2b(f"{settings.salt}\0{group}".encode(), digest_size=8).digest()
    place = int.from_bytes(digest, "big") / 2**64
    if place < settings.test:
        return "test"
    return "validation" if place >= 1 - settings.validation else "train"
