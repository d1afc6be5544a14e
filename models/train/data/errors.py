"""What can go wrong with data; every error carries the sentence for whoever runs the command.

DataError
├── SettingsError   a key or value of the configuration
├── SourceError     a source cannot be read, or holds no text
├── EmptyResult     nothing is left after cleaning
└── DatasetError    a dataset folder is missing, unfinished, damaged, or in the way
"""

from __future__ import annotations


class DataError(ValueError):
    """Anything that stops a dataset from being made or read."""


class SettingsError(DataError):
    """The configuration cannot be used; the message names the key, what was found and what is wanted."""


class SourceError(DataError):
    """A source is missing, unreadable, has no text, or lacks a column."""


class EmptyResult(DataError):
    """Cleaning dropped everything; the message says which step dropped how many."""


class DatasetError(DataError):
    """A dataset folder is missing, unfinished, of another format, damaged, or would be overwritten."""
