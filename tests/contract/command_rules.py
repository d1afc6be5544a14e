"""What Discord asks of command definitions beyond the published description."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.contract.message import size
from tests.contract.recorded import Recorded

COMMANDS = re.compile(r"/applications/\d+(/guilds/\d+)?/commands(/\d+)?")
CHAT_INPUT, USER, MESSAGE = 1, 2, 3
AT_MOST = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}
SUBCOMMAND, GROUP = 1, 2
LOCALES = frozenset(
    "ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk "
    "vi zh-CN zh-TW".split()
)


def command_faults(request: Recorded) -> Iterator[str]:
    """Faults of the commands that the request registers; nothing for any other request."""
    if request.method not in ("PUT", "POST", "PATCH") or not COMMANDS.fullmatch(request.path):
        return
    commands = request.body if isinstance(request.body, list) else [request.body]
    yield from registry_faults(commands)


def registry_faults(commands: list[dict[str, Any]]) -> Iterator[str]:
    """Faults of a whole set of commands."""
    for kind, most in AT_MOST.items():
        names = [c["name"] for c in commands if c.get("type", CHAT_INPUT) == kind]
        if len(names) > most:
            yield f"{len(names)} commands of type {kind}, at most {most}"
        yield from (f"command {name!r} stands {n} times" for name, n in Counter(names).items() if n > 1)
    for command in commands:
        faults = _slash_faults if command.get("type", CHAT_INPUT) == CHAT_INPUT else _menu_faults
        yield from (f"/{command['name']}: {fault}" for fault in faults(command))
        if _weight(command) > 8000:
            yield f"/{command['name']}: {_weight(command)} characters of names, descriptions and values, at most 8000"


def is_command_name(name: str) -> bool:
    r"""Discord's `^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$`, in lower case where the script has one."""
    return 1 <= len(name) <= 32 and name == name.lower() and all(map(_is_name_character, name))


def _is_name_character(character: str) -> bool:
    in_scripts = "\u0900" <= character <= "\u097f" or "\u0e00" <= character <= "\u0e7f"
    return character in "-_'" or unicodedata.category(character)[0] in "LN" or in_scripts


def _slash_faults(command: dict[str, Any]) -> Iterator[str]:
    yield from _naming_faults(command)
    yield from _option_list_faults(command.get("options") or [], depth=0)


def _menu_faults(command: dict[str, Any]) -> Iterator[str]:
    if not 1 <= size(command["name"]) <= 32:
        yield "a context menu's name has 1-32 characters"
    if command.get("description") or command.get("options"):
        yield "a context menu takes neither description nor options"


def _naming_faults(named: dict[str, Any]) -> Iterator[str]:
    """Name and description of a command or an option, in every language."""
    names = {"default": named["name"], **(named.get("name_localizations") or {})}
    descriptions = {"default": named.get("description") or "", **(named.get("description_localizations") or {})}
    for locale, name in names.items():
        if not is_command_name(name):
            yield f"the name {name!r} ({locale}) is not 1-32 letters, digits, - or _ in lower case"
    for locale, description in descriptions.items():
        if not 1 <= size(description) <= 100 or not description.strip():
            yield f"the description ({locale}) has {size(description)} characters, wanted 1-100"
    for locale in (set(names) | set(descriptions)) - LOCALES - {"default"}:
        yield f"{locale!r} is no locale of Discord's"


def _option_list_faults(options: list[dict[str, Any]], depth: int) -> Iterator[str]:
    if len(options) > 25:
        yield f"{len(options)} options, at most 25"
    for name, count in Counter(o["name"] for o in options).items():
        if count > 1:
            yield f"option {name!r} stands {count} times"
    branches = [o["type"] in (SUBCOMMAND, GROUP) for o in options]
    if any(branches) and not all(branches):
        yield "subcommands beside ordinary options"
    required = [bool(o.get("required")) for o in options]
    if required != sorted(required, reverse=True):
        yield "a required option after an optional one"
    yield from _translated_twice(options)
    for option in options:
        yield from (f"{option['name']}: {fault}" for fault in _option_faults(option, depth))


def _translated_twice(options: list[dict[str, Any]]) -> Iterator[str]:
    seen = Counter((locale, name) for o in options for locale, name in (o.get("name_localizations") or {}).items())
    yield from (f"two options are called {name!r} in {locale}" for (locale, name), n in seen.items() if n > 1)


def _option_faults(option: dict[str, Any], depth: int) -> Iterator[str]:
    yield from _naming_faults(option)
    kind = option["type"]
    if kind in (SUBCOMMAND, GROUP):
        if (kind == GROUP and depth > 0) or depth > 1:
            yield "nested deeper than group, subcommand, option"
        if kind == GROUP and any(o["type"] != SUBCOMMAND for o in option.get("options") or []):
            yield "a group holds subcommands only"
        yield from _option_list_faults(option.get("options") or [], depth + 1)
        return
    yield from _choice_faults(option)
    for least, most in (("min_value", "max_value"), ("min_length", "max_length")):
        if option.get(least) is not None and option.get(most) is not None and option[least] > option[most]:
            yield f"{least} is above {most}"


def _choice_faults(option: dict[str, Any]) -> Iterator[str]:
    choices = option.get("choices") or []
    if choices and option.get("autocomplete"):
        yield "both choices and autocomplete"
    if len(choices) > 25:
        yield f"{len(choices)} choices, at most 25"
    if len({c["name"] for c in choices}) < len(choices) or len({c["value"] for c in choices}) < len(choices):
        yield "two choices of the same name or value"
    if any(not 1 <= size(c["name"]) <= 100 or size(str(c["value"])) > 100 for c in choices):
        yield "a choice whose name is not of 1-100 characters, or whose value is longer than 100"


def _weight(named: dict[str, Any]) -> int:
    """Characters that count towards a command's 8000; of translations the longest counts."""
    texts = [[named.get("name") or "", *(named.get("name_localizations") or {}).values()]]
    texts.append([named.get("description") or "", *(named.get("description_localizations") or {}).values()])
    own = sum(max(size(text) for text in variants) for variants in texts)
    own += size(str(named["value"])) if "value" in named else 0
    return own + sum(_weight(part) for key in ("options", "choices") for part in named.get(key) or [])
