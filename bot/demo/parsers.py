"""Makes SimCord's page quick enough for a long conversation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from simcord.preview import _markdown

MOST_PARSERS = 64


@contextmanager
def kept_parsers() -> Iterator[None]:
    """Within this block SimCord keeps its Markdown parsers.

    By itself it builds one for each text of each message, twice for each picture of the page: with 20 messages that
    is most of what a picture costs (measured: 65 ms of a CPU, 24 ms with parsers kept), and the bot waits meanwhile. A
    parser remembers nothing of what it has parsed; it depends only on the two arguments that it is built from.
    """
    build = _markdown._markdown_parser
    kept: dict[str, Any] = {}

    def find_or_build(policy: Mapping[str, bool | str], context: Mapping[str, Any]) -> Any:
        key = json.dumps([policy, context], sort_keys=True, default=str)
        if key not in kept:
            if len(kept) >= MOST_PARSERS:
                kept.clear()
            kept[key] = build(policy, context)
        return kept[key]

    _markdown._markdown_parser = find_or_build
    try:
        yield
    finally:
        _markdown._markdown_parser = build
