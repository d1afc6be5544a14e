"""An export of rounds and ballots, read and checked. It names no member: a ballot is what was chosen, and nothing else.

::

    {"version": 1, "rounds": [{
      "id": "…",
      "kind": "continue",
      "candidates": [
        {"id": "…", "author": "model", "model": "storyteller", "revision": "…", "sampling": "…", "position": 1},
        {"id": "…", "author": "member", "position": 2}],
      "ballots": [{"approved": ["…"]}, {"ranked": ["…", "…"]}, {"chosen": "…"}]}]}

`position` counts from 1 as the candidates were shown. A ballot has one of the three: those that were approved (none,
where the member wanted none of them), a ranking with the best first (which may leave candidates out), or one choice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = 1
KINDS = ("continue", "rewrite")
MEMBER, MODEL = "member", "model"
_CANDIDATE = {"id", "author", "model", "revision", "sampling", "position"}
_ROUND = {"id", "kind", "candidates", "ballots"}


class BadExport(ValueError):
    """The export can't be used; the message names the round and the field."""


@dataclass(frozen=True)
class Entry:
    """One candidate. `competitor` is who is judged: a model with revision and sampling, or members together."""

    id: str
    competitor: str
    position: int


@dataclass(frozen=True)
class Ballot:
    """Candidates in tiers, the best first; those of one tier are not told apart. Every candidate is in some tier."""

    tiers: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Round:
    """`entries` are in no particular order."""

    id: str
    kind: str
    entries: tuple[Entry, ...]
    ballots: tuple[Ballot, ...]


def read_export(path: Path) -> list[Round]:
    """Raises `BadExport`, and `OSError` for a file that can't be read."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BadExport(f"{path} is not JSON: {error}") from error
    if not isinstance(said, dict) or said.get("version") != VERSION:
        raise BadExport(f"{path}: wanted an object with version {VERSION}")
    _known(said, {"version", "rounds"}, str(path))
    rounds = [_round(each) for each in _list(said, "rounds", str(path))]
    if not rounds:
        raise BadExport(f"{path}: there is no round")
    if len({each.id for each in rounds}) < len(rounds):
        raise BadExport(f"{path}: two rounds have the same id")
    return rounds


def _round(said: Any) -> Round:
    if not isinstance(said, dict) or not isinstance(said.get("id"), str):
        raise BadExport("a round has no id")
    where = f"round {said['id']}"
    _known(said, _ROUND, where)
    if said.get("kind") not in KINDS:
        raise BadExport(f"{where}: kind is {said.get('kind')!r}; it must be one of {', '.join(KINDS)}")
    entries = tuple(_entry(each, where) for each in _list(said, "candidates", where))
    ids = [entry.id for entry in entries]
    if len(set(ids)) < len(ids) or len(ids) < 2:
        raise BadExport(f"{where}: wanted at least 2 candidates with different ids")
    if sorted(entry.position for entry in entries) != list(range(1, len(ids) + 1)):
        raise BadExport(f"{where}: positions must be 1 to {len(ids)}, each once")
    ballots = tuple(_ballot(each, ids, where) for each in _list(said, "ballots", where))
    return Round(said["id"], said["kind"], entries, ballots)


def _entry(said: Any, where: str) -> Entry:
    if not isinstance(said, dict) or not isinstance(said.get("id"), str):
        raise BadExport(f"{where}: a candidate has no id")
    where = f"{where}, candidate {said['id']}"
    _known(said, _CANDIDATE, where)
    position = said.get("position")
    if not isinstance(position, int) or isinstance(position, bool):
        raise BadExport(f"{where}: position is {position!r}; it must be a number from 1 on")
    return Entry(said["id"], _competitor(said, where), position)


def _competitor(said: Mapping[str, Any], where: str) -> str:
    author = said.get("author")
    named = {name: said.get(name) for name in ("model", "revision", "sampling")}
    if author == MEMBER:
        if any(value is not None for value in named.values()):
            raise BadExport(f"{where}: a member's candidate has no model, revision or sampling")
        return "members"
    if author != MODEL:
        raise BadExport(f"{where}: author is {author!r}; it must be {MODEL} or {MEMBER}")
    if not isinstance(named["model"], str) or not named["model"]:
        raise BadExport(f"{where}: a model's candidate needs the model's name")
    for name in ("revision", "sampling"):
        if named[name] is not None and not isinstance(named[name], str):
            raise BadExport(f"{where}: {name} is {named[name]!r}; it must be a text")
    revision = f"@{named['revision']}" if named["revision"] else ""
    sampling = f", {named['sampling']}" if named["sampling"] else ""
    return f"{named['model']}{revision}{sampling}"


def _ballot(said: Any, ids: Sequence[str], where: str) -> Ballot:
    if not isinstance(said, dict) or len(said) != 1 or not said.keys() <= {"approved", "ranked", "chosen"}:
        raise BadExport(f"{where}: a ballot has one of approved, ranked and chosen, and nothing else")
    ((kind, value),) = said.items()
    chosen = [value] if kind == "chosen" else value
    if not isinstance(chosen, list) or any(each not in ids for each in chosen) or len(set(chosen)) < len(chosen):
        raise BadExport(f"{where}: {kind} names {value!r}; wanted ids of its candidates, each once at most")
    rest = tuple(each for each in ids if each not in chosen)
    tiers = [(each,) for each in chosen] if kind == "ranked" else [tuple(chosen)]
    return Ballot(tuple(tier for tier in (*tiers, rest) if tier))


def _list(said: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = said.get(name)
    if not isinstance(value, list):
        raise BadExport(f"{where}: {name} is {type(value).__name__}, not a list")
    return value


def _known(said: Mapping[str, Any], fields: set[str], where: str) -> None:
    if unknown := sorted(said.keys() - fields):
        raise BadExport(f"{where}: unknown field {', '.join(unknown)}")
