"""What Discord asks of a message's components beyond the published description.

Each rule is a function from a `Message` to the sentences that it has against it. Where the unit of a length is not
documented (code points or UTF-16), the larger count must fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.contract.message import BUTTON, CONTAINER, ROW, SECTION, SELECTS, TEXT, Message, size, walk

LINK_STYLE, PREMIUM_STYLE = 5, 6
INSIDE_CONTAINER = {1, 9, 10, 12, 13, 14}
TOP_LEVEL = INSIDE_CONTAINER | {CONTAINER}


def v2_excludes_content(message: Message) -> Iterator[str]:
    if message.is_v2:
        for key in ("content", "embeds", "poll", "sticker_ids"):
            if message.body.get(key):
                yield f"{key} beside the components V2 flag"


def v2_needs_its_flag(message: Message) -> Iterator[str]:
    if not message.is_v2:
        new = sorted({c["type"] for c in message.all_components if c["type"] >= SECTION})
        if new:
            yield f"components V2 (types {new}) without the flag"
        if any(c["type"] != ROW for c in message.top_level):
            yield "only action rows may stand at the top without the components V2 flag"
        if len(message.top_level) > 5:
            yield f"{len(message.top_level)} rows, at most 5"


def forty_components(message: Message) -> Iterator[str]:
    count = sum(1 for _ in message.all_components)
    if count > 40:
        yield f"{count} components counting nested ones, at most 40"


def four_thousand_characters(message: Message) -> Iterator[str]:
    total = sum(size(c.get("content") or "") for c in message.all_components if c["type"] == TEXT)
    if total > 4000:
        yield f"{total} characters in text displays, at most 4000 in a message"


def texts_are_not_blank(message: Message) -> Iterator[str]:
    for component in message.all_components:
        if component["type"] == TEXT and not (component.get("content") or "").strip():
            yield "a text display without text"


def identifiers_are_unique(message: Message) -> Iterator[str]:
    custom_ids = Counter(c["custom_id"] for c in message.all_components if c.get("custom_id") is not None)
    for custom_id, count in custom_ids.items():
        if count > 1:
            yield f"custom_id {custom_id!r} stands {count} times"
        if not 1 <= size(custom_id) <= 100:
            yield f"custom_id {custom_id!r} has {size(custom_id)} characters, wanted 1-100"
    numbers = Counter(c["id"] for c in message.all_components if c.get("id"))
    for number, count in numbers.items():
        if count > 1:
            yield f"component id {number} stands {count} times"


def rows_hold_buttons_or_one_select(message: Message) -> Iterator[str]:
    for row in (c for c in message.all_components if c["type"] == ROW):
        kinds = [c["type"] for c in row.get("components") or []]
        if not kinds:
            yield "an empty action row"
        elif set(kinds) == {BUTTON}:
            if len(kinds) > 5:
                yield f"{len(kinds)} buttons in a row, at most 5"
        elif len(kinds) > 1 or kinds[0] not in SELECTS:
            yield f"an action row of {kinds}: wanted up to 5 buttons or one select"


def buttons_are_complete(message: Message) -> Iterator[str]:
    for button in (c for c in message.all_components if c["type"] == BUTTON):
        label, style = button.get("label") or "", button.get("style")
        if size(label) > 80:
            yield f"button label {label[:40]!r}… has {size(label)} characters, at most 80"
        if style == PREMIUM_STYLE:
            continue
        if not label.strip() and not button.get("emoji"):
            yield "a button with neither label nor emoji"
        if style == LINK_STYLE and (not button.get("url") or button.get("custom_id")):
            yield "a link button needs a url and takes no custom_id"
        if style != LINK_STYLE and (button.get("url") or not button.get("custom_id")):
            yield "a button that is no link needs a custom_id and takes no url"


def selects_are_possible(message: Message) -> Iterator[str]:
    for select in (c for c in message.all_components if c["type"] in SELECTS):
        yield from select_faults(select)


def select_faults(select: dict[str, Any]) -> Iterator[str]:
    """What is wrong with one select menu, in a message or a modal."""
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if least is not None and most is not None and not (0 <= least <= most <= 25 and most >= 1):
        yield f"a select that wants {least} to {most} values"
    if size(select.get("placeholder") or "") > 150:
        yield "a select's placeholder has more than 150 characters"
    if select["type"] != 3:
        return
    options = select.get("options") or []
    if not 1 <= len(options) <= 25:
        yield f"a select with {len(options)} options, wanted 1-25"
    if most is not None and most > len(options):
        yield f"a select that allows {most} of {len(options)} options"
    if len({o["value"] for o in options}) < len(options):
        yield "a select with two options of the same value"
    if any(not 1 <= size(o["label"]) <= 100 or not 1 <= size(o["value"]) <= 100 for o in options):
        yield "a select option whose label or value is not of 1-100 characters"


def containers_are_filled(message: Message) -> Iterator[str]:
    for container in (c for c in message.all_components if c["type"] == CONTAINER):
        inside = container.get("components") or []
        if not inside:
            yield "an empty container"
        for child in inside:
            if child["type"] not in INSIDE_CONTAINER:
                yield f"a component of type {child['type']} inside a container"
    for component in message.top_level:
        if component["type"] not in TOP_LEVEL:
            yield f"a component of type {component['type']} at the top of a message"


def sections_are_filled(message: Message) -> Iterator[str]:
    for section in (c for c in message.all_components if c["type"] == SECTION):
        texts = section.get("components") or []
        if not 1 <= len(texts) <= 3 or any(c["type"] != TEXT for c in texts):
            yield "a section wants one to three text displays"
        if (section.get("accessory") or {}).get("type") not in (BUTTON, 11):
            yield "a section wants a button or a thumbnail beside its text"


def files_are_there(message: Message) -> Iterator[str]:
    if message.files is None:
        return
    known = set(message.files) | {a.get("filename") for a in message.body.get("attachments") or []}
    holders = [*walk(message.top_level), *(message.body.get("embeds") or [])]
    for url in (u for holder in holders for u in _attachment_urls(holder)):
        if url.removeprefix("attachment://") not in known:
            yield f"{url} is not among the files {sorted(n for n in known if n)}"


def _attachment_urls(holder: dict[str, Any]) -> Iterator[str]:
    media = [holder.get(key) for key in ("file", "media", "image", "thumbnail")]
    media += [item.get("media") for item in holder.get("items") or []]
    for item in media:
        if isinstance(item, dict) and str(item.get("url", "")).startswith("attachment://"):
            yield item["url"]


COMPONENT_RULES = (
    v2_excludes_content,
    v2_needs_its_flag,
    forty_components,
    four_thousand_characters,
    texts_are_not_blank,
    identifiers_are_unique,
    rows_hold_buttons_or_one_select,
    buttons_are_complete,
    selects_are_possible,
    containers_are_filled,
    sections_are_filled,
    files_are_there,
)
