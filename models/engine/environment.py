"""What torch and OpenMP read from the environment, once, when torch is imported. So nothing here imports torch."""

from __future__ import annotations

import os

SPIN_COUNT = "10000"
"""OpenMP's threads spin while they wait. Without a bound, one busy neighbour on a core makes every step of a two-thread
model some twenty times slower; with this one it stays near twice, and a quiet machine loses nothing."""


DEFAULTS = {
    "GOMP_SPINCOUNT": SPIN_COUNT,
    # Weights and keys in huge pages where Linux has them to give: they are read a few per cent sooner.
    "THP_MEM_ALLOC_ENABLE": "1",
}


def set_thread_environment(threads: int | None) -> None:
    """To be called before torch is imported. What the host has set stays, but for `threads`."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if threads is not None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
