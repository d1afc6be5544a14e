"""What can stop a training run, each with the sentence for whoever started it.

TrainError
├── TrainConfigError    a key or value cannot be used
├── NoTextError         a source holds no story, or does not exist
├── VocabularyError     tokenizer and model do not fit each other
├── UnsupportedError    this model, machine or installation cannot do what is asked
├── RunFolderError      the run folder belongs to another run, or the disk is full
├── MemoryFullError     the device ran out of memory; names what to lower
└── DivergedError       the loss is no number any more; names the step and the last good checkpoint
"""

from __future__ import annotations


class TrainError(ValueError):
    """Training cannot start or go on; the message is meant for people."""


class TrainConfigError(TrainError):
    """The configuration cannot be used; the message names the key, what was found and what is wanted."""


class NoTextError(TrainError):
    """A source holds no story, or does not exist."""


class VocabularyError(TrainError):
    """Tokenizer and model do not fit each other; the message has both sizes."""


class UnsupportedError(TrainError):
    """This model, machine or installation cannot do what is asked; the message names the key that asks for it."""


class RunFolderError(TrainError):
    """The run folder cannot be used: another run's, damaged, or on a full disk."""


class MemoryFullError(TrainError):
    """The device ran out of memory."""


class DivergedError(TrainError):
    """The loss became NaN or infinite."""
