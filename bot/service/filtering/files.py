"""Rules and levels as files, for other servers and for spreadsheets.

JSON has everything; CSV has a line for each pattern of the rules, and no levels.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import RuleError
from bot.filters import Level, Rule, check_rule
from bot.service.filtering.choice import NO_LEVELS
from bot.service.filtering.codec import levels_from_mapping, levels_to_mapping, rule_from_mapping, rule_to_mapping

MARK = "talewright_rules"
VERSION = 1
MAX_FILE_BYTES = 1_000_000
MAX_FILE_RULES = 500
COLUMNS = ("name", "kind", "pattern", "category", "action", "mode", "text_kinds", "bypass_roles", "tiers", "options")
_LISTS = ("text_kinds", "bypass_roles", "tiers")


@dataclass(frozen=True)
class RuleFile:
    """What a file holds. A list that `levels` does not name is left as it is."""

    rules: tuple[Rule, ...]
    levels: Mapping[str, Level] = field(default_factory=lambda: NO_LEVELS)


def to_json(rules: Sequence[Rule], levels: Mapping[str, Level] = NO_LEVELS) -> str:
    """Rules and levels, as `from_json` reads them back."""
    fields: dict[str, Any] = {MARK: VERSION, "rules": [rule_to_mapping(rule) for rule in rules]}
    if levels:
        fields["levels"] = levels_to_mapping(levels)
    return json.dumps(fields, ensure_ascii=False, indent=1)


def to_csv(rules: Sequence[Rule]) -> str:
    """A line for each pattern; lists stand with blanks between, options as JSON."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for rule in rules:
        fields = rule_to_mapping(rule)
        shared = {name: fields[name] for name in ("name", "kind", "category", "action", "mode")}
        shared |= {name: " ".join(map(str, fields[name])) for name in _LISTS}
        shared["options"] = json.dumps(fields["options"]) if fields["options"] else ""
        writer.writerows({**shared, "pattern": pattern} for pattern in fields["patterns"] or [""])
    return out.getvalue()


def read_file(data: bytes, file_name: str) -> RuleFile:
    """What a file holds, each rule checked; belongs into a thread. Raises RuleError naming what is at fault."""
    if len(data) > MAX_FILE_BYTES:
        raise RuleError(f"The file is larger than {MAX_FILE_BYTES // 1_000_000} MB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleError("The file is not UTF-8 text.") from error
    found = from_json(text) if file_name.lower().endswith(".json") else RuleFile(tuple(from_csv(text)))
    if not found.rules and not found.levels:
        raise RuleError("There is no rule in this file.")
    if len(found.rules) > MAX_FILE_RULES:
        raise RuleError(f"The file has {len(found.rules)} rules; {MAX_FILE_RULES} is the most.")
    _require_names(found.rules)
    for rule in found.rules:
        try:
            check_rule(rule)
        except RuleError as error:
            raise RuleError(f"The rule “{rule.name[:60]}”: {error}") from error
    return found


def from_json(text: str) -> RuleFile:
    """A list of rules, or an object that has one under "rules", levels under "levels", or both."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RuleError(f"The file is not JSON: {error}") from error
    fields = found if isinstance(found, Mapping) else {"rules": found}
    version = fields.get(MARK, VERSION)
    if version != VERSION:
        raise RuleError(f"The file is of version {str(version)[:20]}; I can read version {VERSION}.")
    levels = levels_from_mapping(fields.get("levels", {}))
    rules = fields.get("rules", [] if levels else None)
    if not isinstance(rules, list):
        raise RuleError("The file has no list of rules.")
    made = [_numbered(f"Rule {number} of the file", one) for number, one in enumerate(rules, start=1)]
    return RuleFile(tuple(made), levels)


def from_csv(text: str) -> list[Rule]:
    """Lines of one name make one rule; what a later line of it leaves empty is as the first one says.

    Columns may be left out, except `pattern` (`word` will do, too): a plain list of words is a rule named “imported”.
    """
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise RuleError(f"The file is not CSV: line {reader.line_num}: {error}.") from error
    columns = [_column(name) for name in reader.fieldnames or []]
    unknown = [name for name in columns if name not in COLUMNS]
    if "pattern" not in columns or unknown:
        what = f"it has a column “{unknown[0][:50]}”" if unknown else "it has no column “pattern”"
        raise RuleError(f"The file’s first line names its columns, and {what}. There are: {', '.join(COLUMNS)}.")
    rules: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, start=2):
        if None in row:
            raise RuleError(f"Line {number} has more cells than the first line names columns.")
        _add_line(rules, number, {_column(name): (value or "").strip() for name, value in row.items()})
    return [_numbered(f"The rule “{fields['name'][:60]}”", fields) for fields in rules.values()]


def _add_line(rules: dict[str, dict[str, Any]], number: int, cells: Mapping[str, str]) -> None:
    name = cells.get("name") or "imported"
    fields = rules.setdefault(name.casefold(), {"name": name, "kind": "words", "patterns": []})
    said = {column: value for column, value in cells.items() if value and column not in ("name", "pattern")}
    for column, value in said.items():
        read = _cell(number, column, value)
        is_first = not fields["patterns"]
        if not is_first and fields.get(column, read) != read:
            raise RuleError(f"Line {number} says something else on “{column}” than earlier lines of “{name[:60]}”.")
        fields[column] = read
    fields["patterns"] += [cells["pattern"]] if cells["pattern"] else []


def _cell(number: int, column: str, value: str) -> Any:
    try:
        if column == "bypass_roles":
            return [int(word) for word in value.split()]
        return value.split() if column in _LISTS else json.loads(value) if column == "options" else value
    except ValueError as error:
        wanted = "ids of roles with blanks between" if column == "bypass_roles" else "JSON"
        raise RuleError(f"Line {number}: “{column}” must be {wanted}.") from error


def _column(name: str | None) -> str:
    plain = (name or "").strip().casefold()
    return "pattern" if plain in ("word", "words", "patterns") else plain


def _numbered(where: str, fields: object) -> Rule:
    try:
        return rule_from_mapping(fields)
    except RuleError as error:
        raise RuleError(f"{where}: {error}") from error


def _require_names(rules: Iterable[Rule]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.name.casefold() in seen:
            raise RuleError(f"The file has two rules with the name “{rule.name[:60]}”.")
        seen.add(rule.name.casefold())
