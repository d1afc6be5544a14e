"""The front door of the oracle: `check_requests` for a test's requests, `check_commands` for a bot's commands."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tests.contract.oracle import standard_oracle
from tests.contract.recorded import Recorded
from tests.contract.rules import rule_faults

SNOWFLAKE = re.compile(r"\d{15,}")
WITH_TOKEN = re.compile(r"^/(interactions|webhooks)/(\d+)/[^/]+")


def faults_of(request: Recorded) -> tuple[str, ...]:
    """Everything that is wrong with a request, by the rules and, where it is there, by Discord's description."""
    body = None if request.body is None else json.dumps(request.body)
    return _faults(replace(request, path=typical(request.path), query=_Frozen(request.query), body=body))


def check_requests(entries: Iterable[Any]) -> None:
    """Fails with every fault of every request. Takes `Recorded`s and SimCord's `env.http_requests`."""
    lines = []
    for entry in entries:
        request = entry if isinstance(entry, Recorded) else Recorded.from_simcord(entry)
        lines += [f"{request}: {fault}" for fault in faults_of(request)]
    if lines:
        raise AssertionError("Discord would not take what the bot sent:\n  " + "\n  ".join(lines))


def check_commands(bot: Any) -> None:
    """Fails with every fault of the commands that `bot.tree` would register everywhere."""
    commands = [command.to_dict(bot.tree) for command in bot.tree.get_commands()]
    check_requests([Recorded("PUT", "/applications/1/commands", body=commands)])


def typical(path: str) -> str:
    """The path with one snowflake and one token for all: what is wrong with it does not depend on which."""
    return SNOWFLAKE.sub("1", WITH_TOKEN.sub(r"/\1/\2/token", path))


class _Frozen(dict[str, str]):
    """A mapping that can be looked up in a cache."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


@functools.lru_cache(maxsize=4096)
def _faults(request: Recorded) -> tuple[str, ...]:
    """Cached: a suite sends the same commands and sentences again and again. Here `body` is JSON text."""
    whole = request if request.body is None else replace(request, body=json.loads(request.body))
    oracle = standard_oracle()
    described = () if oracle is None else oracle.request_faults(whole)
    return (*rule_faults(whole), *described)
