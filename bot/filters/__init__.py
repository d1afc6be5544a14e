"""What may be said: text in, verdict out. The same chain for hints, members' text and the model's."""

from bot.filters.base import Chain, Filter, TextKind, Verdict
from bot.filters.build import build_chain

__all__ = ["Chain", "Filter", "TextKind", "Verdict", "build_chain"]
