"""The independent oracle: is this request, or this answer, one that Discord's published description allows?"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.contract.description import TOLERATIONS, Toleration, discriminated, published, strict
from tests.contract.explain import explain
from tests.contract.recorded import Recorded

JSON = "application/json"
WORDS_FOR_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Operation:
    """One method of one path template. `pointer` leads to it inside the description."""

    method: str
    template: str
    pointer: str
    parameters: tuple[Mapping[str, Any], ...]
    body_pointer: str | None
    body_required: bool
    responses: Mapping[str, Any]

    @property
    def segments(self) -> list[str]:
        return self.template.strip("/").split("/")


class Oracle:
    """Checks requests strictly (unknown keys are wrong) and responses as published."""

    def __init__(self, document: dict[str, Any], tolerations: Iterable[Toleration] = TOLERATIONS) -> None:
        self._requests = _registry(discriminated(strict(document, tolerations)))
        self._responses = _registry(discriminated(document))
        self._operations = [op for path, item in document["paths"].items() for op in _operations(path, item)]

    def operation(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The most literal operation that fits, with its path parameters; None where Discord has no such route."""
        segments = path.strip("/").split("/")
        fitting = [
            (operation, arguments)
            for operation in self._operations
            if operation.method == method and (arguments := _arguments(operation.segments, segments)) is not None
        ]
        return min(fitting, key=lambda found: len(found[1]), default=None)

    def request_faults(self, request: Recorded) -> Iterator[str]:
        """What the description has against a request."""
        found = self.operation(request.method, request.path)
        if found is None:
            yield "Discord has no such route"
            return
        operation, arguments = found
        yield from self._parameter_faults(operation, arguments, request.query)
        if request.body is None:
            if operation.body_required:
                yield "the body is missing"
        elif operation.body_pointer is None:
            yield "a body where Discord takes none"
        else:
            yield from self._faults(self._requests, operation.body_pointer, request.body)

    def response_faults(self, method: str, path: str, status: int, body: Any) -> Iterator[str]:
        """What the description has against an answer; `body` is None for an empty one."""
        found = self.operation(method, path)
        if found is None:
            if status != 404:
                yield "Discord has no such route"
            return
        operation, _ = found
        key = str(status) if str(status) in operation.responses else f"{status // 100}XX"
        if key not in operation.responses:
            # The description says nothing of Discord's own failures (5xx).
            if status < 500:
                yield f"status {status} where Discord answers {', '.join(operation.responses)}"
        elif "$ref" in operation.responses[key]:
            pointer = operation.responses[key]["$ref"].removeprefix("#")
            yield from self._faults(self._responses, f"{pointer}/content/application~1json/schema", body)
        elif JSON in operation.responses[key].get("content", {}):
            pointer = f"{operation.pointer}/responses/{key}/content/application~1json/schema"
            yield from self._faults(self._responses, pointer, body)
        elif body is not None:
            yield f"a body with status {status} where Discord sends none"

    def _faults(self, registry: Registry[Any], pointer: str, value: Any) -> Iterator[str]:
        validator = Draft202012Validator({"$ref": f"urn:discord#{pointer}"}, registry=registry)
        for error in validator.iter_errors(value):
            yield explain(error)

    def _parameter_faults(
        self, operation: Operation, arguments: Mapping[str, str], query: Mapping[str, str]
    ) -> Iterator[str]:
        declared = {(p["in"], p["name"]): p for p in operation.parameters}
        given = {("path", k): v for k, v in arguments.items()} | {("query", k): v for k, v in query.items()}
        for (place, name), text in given.items():
            parameter = declared.get((place, name))
            if parameter is None:
                yield f"unknown {place} parameter {name}"
            elif not self._fits(parameter["schema"], text):
                yield f"{place} parameter {name}: {text!r} does not fit"
        for (place, name), parameter in declared.items():
            if parameter.get("required") and (place, name) not in given:
                yield f"{place} parameter {name} is missing"

    def _fits(self, schema: Any, text: str) -> bool:
        """Whether the text, or the number or truth value that it spells, is allowed."""
        readings: list[Any] = [text]
        if text.lstrip("-").isdigit():
            readings.append(int(text))
        if text in WORDS_FOR_BOOLEANS:
            readings.append(WORDS_FOR_BOOLEANS[text])
        resolved = {"$ref": f"urn:discord{schema['$ref']}"} if "$ref" in schema else schema
        validator = Draft202012Validator(resolved, registry=self._requests)
        return any(validator.is_valid(reading) for reading in readings)


@functools.cache
def standard_oracle() -> Oracle | None:
    """The oracle over the description on this machine, None where there is none."""
    document = published()
    return None if document is None else Oracle(document)


def _registry(document: dict[str, Any]) -> Registry[Any]:
    return Registry().with_resource("urn:discord", DRAFT202012.create_resource(document))


def _operations(path: str, item: Mapping[str, Any]) -> Iterator[Operation]:
    for method in ("get", "post", "put", "patch", "delete"):
        if method not in item:
            continue
        described = item[method]
        pointer = f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method}"
        body = described.get("requestBody", {})
        # Some operations are described for multipart only; their parts are files and are not checked here.
        takes_json = JSON in body.get("content", {})
        yield Operation(
            method=method.upper(),
            template=path,
            pointer=pointer,
            parameters=(*item.get("parameters", []), *described.get("parameters", [])),
            body_pointer=f"{pointer}/requestBody/content/application~1json/schema" if takes_json else None,
            body_required=takes_json and body.get("required", False),
            responses=described["responses"],
        )


def _arguments(template: list[str], segments: list[str]) -> dict[str, str] | None:
    """The path parameters by name; None where the path does not fit the template."""
    if len(template) != len(segments):
        return None
    arguments = {}
    for expected, actual in zip(template, segments, strict=True):
        if expected.startswith("{"):
            arguments[expected[1:-1]] = actual
        elif expected != actual:
            return None
    return arguments
