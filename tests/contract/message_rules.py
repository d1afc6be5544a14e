"""What Discord, and this project, ask of a message's text, flags and mentions beyond the published description."""

from __future__ import annotations

from collections.abc import Iterator

from tests.contract.message import EPHEMERAL, SILENT, SUPPRESS_EMBEDS, V2, Message, Where, size


def nobody_is_mentioned(message: Message) -> Iterator[str]:
    """The project's own rule: text is written by models and members, so it must never ping anyone.

    It must be said in every request. An edit without `allowed_mentions` is parsed with Discord's defaults.
    """
    if not message.carries_text:
        return
    allowed = message.body.get("allowed_mentions")
    if allowed is None:
        yield "allowed_mentions is missing, so Discord's defaults would ping"
    elif allowed.get("parse") != [] or any(allowed.get(key) for key in ("users", "roles", "replied_user")):
        yield f"allowed_mentions is {allowed}, wanted none"


def content_fits(message: Message) -> Iterator[str]:
    content = message.body.get("content") or ""
    if size(content) > 2000:
        yield f"content has {size(content)} characters, at most 2000 for a bot"
    if content and not content.strip():
        yield "content is blank"


def embeds_fit(message: Message) -> Iterator[str]:
    total = 0
    for embed in message.body.get("embeds") or []:
        fields = embed.get("fields") or []
        parts = [embed.get("title"), embed.get("description")]
        parts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
        parts += [text for field in fields for text in (field.get("name"), field.get("value"))]
        total += sum(size(part or "") for part in parts)
    if total > 6000:
        yield f"{total} characters in embeds, at most 6000 in a message"


def something_is_said(message: Message) -> Iterator[str]:
    keys = ("content", "embeds", "components", "poll", "sticker_ids", "attachments", "message_reference")
    if not message.is_edit and not message.files and not any(message.body.get(key) for key in keys):
        yield "an empty message"


def flags_are_settable(message: Message) -> Iterator[str]:
    settable = SUPPRESS_EMBEDS | V2
    if not message.is_edit:
        settable |= SILENT
        if message.where is not Where.CHANNEL:
            settable |= EPHEMERAL
    if message.flags & ~settable:
        yield f"flags {message.flags & ~settable} cannot be set here"


MESSAGE_RULES = (
    nobody_is_mentioned,
    content_fits,
    embeds_fit,
    something_is_said,
    flags_are_settable,
)
