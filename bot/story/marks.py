"""What moderators may do to a text that stands: hide it, or take it out. The text itself is kept, and comes back."""

from __future__ import annotations

from enum import StrEnum


class Mark(StrEnum):
    """What became of a text. Stored by its value, so a value is never given another meaning."""

    REDACTED = "redacted"  # it keeps its place, and a sentence stands there
    REMOVED = "removed"  # it is out of canon (or off its ballot), and what followed follows what came before
    REWOUND = "rewound"  # it is out of canon with all that followed


NOTICES = {
    Mark.REDACTED: "(The moderators have hidden this text.)",
    Mark.REMOVED: "(The moderators have removed this text.)",
    Mark.REWOUND: "(The moderators have removed this text.)",
}
"""What is read in the place of a marked text, everywhere but on the card of its case."""
