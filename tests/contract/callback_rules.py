"""What Discord asks of the other answers to an interaction: deferring, autocomplete and modals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.contract.component_rules import select_faults
from tests.contract.message import CALLBACK, EPHEMERAL, ROW, SELECTS, TEXT, size, walk
from tests.contract.recorded import Recorded

TEXT_INPUT, LABEL = 4, 18
FIELDS = {TEXT_INPUT, *SELECTS, 19, 21, 22, 23}


def callback_faults(request: Recorded) -> Iterator[str]:
    """Faults of a callback that carries no message; nothing for any other request."""
    if request.method != "POST" or not CALLBACK.fullmatch(request.path) or not isinstance(request.body, dict):
        return
    kind = request.body.get("type")
    rule = {5: deferring, 6: deferring_update, 8: autocomplete, 9: modal}.get(kind)
    if rule is not None:
        yield from rule(request.body.get("data") or {})


def deferring(data: dict[str, Any]) -> Iterator[str]:
    if set(data) - {"flags"} or (data.get("flags") or 0) & ~EPHEMERAL:
        yield f"a deferred answer takes the ephemeral flag only, not {data}"


def deferring_update(data: dict[str, Any]) -> Iterator[str]:
    if data:
        yield f"a deferred update takes no data, not {data}"


def autocomplete(data: dict[str, Any]) -> Iterator[str]:
    choices = data.get("choices") or []
    if len(choices) > 25:
        yield f"{len(choices)} choices, at most 25"
    for choice in choices:
        if not 1 <= size(choice["name"]) <= 100 or size(str(choice["value"])) > 100:
            yield f"choice {choice['name'][:40]!r}: name and value have at most 100 characters, the name at least 1"


def modal(data: dict[str, Any]) -> Iterator[str]:
    top = data.get("components") or []
    if not 1 <= len(top) <= 5:
        yield f"a modal with {len(top)} components, wanted 1-5"
    for name, text, most in (("title", data.get("title"), 45), ("custom_id", data.get("custom_id"), 100)):
        if not 1 <= size(text or "") <= most:
            yield f"a modal's {name} has {size(text or '')} characters, wanted 1-{most}"
    custom_ids = Counter(c["custom_id"] for c in walk(top) if c.get("custom_id") is not None)
    yield from (f"custom_id {name!r} stands {n} times" for name, n in custom_ids.items() if n > 1)
    for component in top:
        yield from _TOP_OF_MODAL.get(component["type"], _unknown_in_modal)(component)
    for field in walk(top):
        if field["type"] == TEXT_INPUT:
            yield from text_input(field)
        elif field["type"] in SELECTS:
            yield from select_faults(field)


def text_input(field: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one text field."""
    least, most = field.get("min_length") or 0, field.get("max_length")
    if not 0 <= least <= (4000 if most is None else most) <= 4000:
        yield f"a text input of {least} to {most} characters"
    if most is not None and size(field.get("value") or "") > most:
        yield "a text input whose value is longer than it allows"
    if size(field.get("placeholder") or "") > 100:
        yield "a text input's placeholder has more than 100 characters"
    if not 1 <= size(field.get("custom_id") or "") <= 100:
        yield "a text input needs a custom_id of 1-100 characters"


def _label(component: dict[str, Any]) -> Iterator[str]:
    if not 1 <= size(component.get("label") or "") <= 45:
        yield f"label {component.get('label')!r}: wanted 1-45 characters"
    if size(component.get("description") or "") > 100:
        yield "a label's description has more than 100 characters"
    inside = component.get("component") or {}
    if inside.get("type") not in FIELDS:
        yield f"a label around a component of type {inside.get('type')}"
    if inside.get("label") is not None:
        yield "a field inside a label has no label of its own"


def _row_in_modal(row: dict[str, Any]) -> Iterator[str]:
    inside = row.get("components") or []
    if [c["type"] for c in inside] != [TEXT_INPUT]:
        yield "an action row in a modal holds one text input"
    elif not 1 <= size(inside[0].get("label") or "") <= 45:
        yield "a text input in an action row needs a label of 1-45 characters"


def _text_in_modal(component: dict[str, Any]) -> Iterator[str]:
    if not (component.get("content") or "").strip():
        yield "a text display without text"


def _unknown_in_modal(component: dict[str, Any]) -> Iterator[str]:
    yield f"a component of type {component['type']} at the top of a modal"


_TOP_OF_MODAL: dict[int, Callable[[dict[str, Any]], Iterator[str]]] = {
    LABEL: _label,
    ROW: _row_in_modal,
    TEXT: _text_in_modal,
}
