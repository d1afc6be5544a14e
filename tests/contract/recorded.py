"""One HTTP request as the bot sent it, whoever recorded it: SimCord, or the stand-in on a real socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Recorded:
    """A request below `/api/v10`. `body` is the JSON (of a multipart body: its `payload_json`), None for none.

    `files` are the names of the uploaded files; a recorder that cannot tell leaves it None.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    reason: str | None = None
    files: tuple[str, ...] | None = ()

    @classmethod
    def from_simcord(cls, entry: Any) -> Recorded:
        """From an entry of SimCord's `env.http_requests`, which does not keep the names of files."""
        query = {name: str(value) for name, value in entry.params.items()}
        return cls(entry.method, unquote(entry.path), query, entry.json, entry.reason, files=None)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
