"""Puts the chain together that judges every text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bot.filters.base import Chain
from bot.filters.words import WordListFilter, load_words

GENERAL = Path(__file__).with_name("general.txt")
"""The list that comes with the bot; its first lines say what it leaves out and why."""


def build_chain(word_files: Sequence[Path]) -> Chain:
    """The bundled list and the host's files. Raises `ConfigError` for a file that cannot be used."""
    terms = [term for path in (GENERAL, *word_files) for term in load_words(path)]
    return Chain([WordListFilter(terms)])
