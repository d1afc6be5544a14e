"""What became of an error inside a step, in words for whoever asked; and memory given back after it."""

from __future__ import annotations

import gc

import torch

from models.engine.events import Failed, FailureKind


def describe_failure(request_id: str, error: Exception) -> Failed:
    """The event for an error inside a step; the sentence tells nothing of the machine."""
    if is_out_of_memory(error):
        sentence = "The model ran out of memory for this request; ask for fewer or shorter texts, or try again."
        return Failed(request_id, FailureKind.OUT_OF_MEMORY, sentence)
    return Failed(request_id, FailureKind.INTERNAL, "The model failed while working on this request; the log says why.")


def is_out_of_memory(error: Exception) -> bool:
    """CUDA has an error type of its own; the CPU allocator raises a plain RuntimeError and says so in words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and ("can't allocate memory" in str(error) or "out of memory" in str(error))


def free_memory() -> None:
    """Gives back what nothing holds any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
