"""What a failed schema check means: the one complaint that a reader can act on."""

from __future__ import annotations

from collections import defaultdict

from jsonschema import ValidationError

DISCRIMINATORS = ("type", "style")


def explain(error: ValidationError) -> str:
    """Where and why, from the most telling of a union's alternatives."""
    leaf = _leaf(error)
    where = "/".join(str(part) for part in leaf.absolute_path) or "the body"
    message = leaf.message if len(leaf.message) < 300 else f"{leaf.message[:140]} … {leaf.message[-140:]}"
    return f"{where}: {message}"


def _leaf(error: ValidationError) -> ValidationError:
    """Follows the alternative that was meant: the one whose `type` fits, else the one that fits deepest."""
    while error.context:
        alternatives: dict[object, list[ValidationError]] = defaultdict(list)
        for inner in error.context:
            alternatives[inner.relative_schema_path[0]].append(inner)
        meant = max(alternatives.values(), key=lambda errors: (_is_meant(errors), -len(errors), _depth(errors)))
        error = max(meant, key=lambda inner: len(inner.absolute_path))
    return error


def _is_meant(errors: list[ValidationError]) -> bool:
    wrong_kind = any(tuple(e.relative_path) in {(name,) for name in DISCRIMINATORS} for e in errors)
    not_this_shape = any(not e.relative_path and e.validator == "type" for e in errors)
    return not wrong_kind and not not_this_shape


def _depth(errors: list[ValidationError]) -> int:
    return max(len(e.absolute_path) for e in errors)
