"""Reads a run's settings from a YAML file and from flags, and names the key nearest to one that does not exist."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from models.train.config import TrainConfig
from models.train.errors import TrainConfigError


def load_config(path: Path | None, overrides: Iterable[str] = ()) -> TrainConfig:
    """The settings in a YAML file, with each override ``key.of.it=value`` (value in YAML) put in its place.

    Without a file, the overrides alone. Raises `TrainConfigError` naming the first bad key.
    """
    found = _read_yaml(path) if path else {}
    for each in overrides:
        _put(found, each)
    try:
        return TrainConfig.model_validate(found)
    except ValidationError as error:
        where = f"{path}: " if path else ""
        raise TrainConfigError(f"{where}{_sentence(error)}") from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise TrainConfigError(f"{path}: {error}") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise TrainConfigError(f"{path}: keys with values are wanted (found {type(found).__name__})")
    return found


def _put(settings: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise TrainConfigError(f"--set {override}: key=value is wanted, such as optimiser.learning_rate=3e-4")
    *folders, last = key.split(".")
    at: Any = settings
    for name in folders:
        at = at.setdefault(name, {}) if isinstance(at, dict) else _item(at, name, override)
    if isinstance(at, list):
        _item(at, last, override)
        at[int(last)] = _value(text, override)
    elif isinstance(at, dict):
        at[last] = _value(text, override)
    else:
        raise TrainConfigError(f"--set {override}: {'.'.join(folders)} is a value and has no keys")


def _item(at: Any, name: str, override: str) -> Any:
    if not isinstance(at, list) or not name.isdigit() or int(name) >= len(at):
        raise TrainConfigError(f"--set {override}: there is no {name} at that place")
    return at[int(name)]


def _value(text: str, override: str) -> Any:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TrainConfigError(f"--set {override}: {error}") from error
    # YAML 1.1 reads 3e-4 as a word; whoever types it means the number.
    if isinstance(found, str):
        try:
            return float(found)
        except ValueError:
            return found
    return found


def _sentence(error: ValidationError) -> str:
    # A mistyped key is also a missing one; the mistyping is what to say.
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        plain = ".".join(str(part) for part in first["loc"] if isinstance(part, str))
        near = difflib.get_close_matches(plain, known_keys(), n=1, cutoff=0.0)
        return f"{key} is no key; the nearest is {near[0]}"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":
        return f"{key}: {message}" if key else message
    return f"{key}: {message} (found {first['input']!r})"


def known_keys() -> list[str]:
    """Every key of a run, with dots between a key and those inside it."""
    return list(_keys(TrainConfig, ""))


def _keys(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for inner in _models_in(field.annotation):
            yield from _keys(inner, f"{prefix}{name}.")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models_in(inner)
