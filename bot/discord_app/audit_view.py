"""Draws the audit log and the list of bars. What moderators typed as a reason is made harmless like any other text."""

from __future__ import annotations

import re
import zlib

from bot.discord_app.buttons import Action, Drawing, Verb, pager, row, text
from bot.discord_app.markup import excerpt, moment, relative
from bot.service.views import BarPage, LogPage
from bot.story.audit import AuditEntry, Deed
from bot.story.limits import Bar, LogChannel

SUBJECT_LIMIT = 80
REASON_LIMIT = 250
DETAIL_LIMIT = 120
"""Six lines of the log fit a drawing with these, whatever is in them."""

_NAMED = re.compile(r"(member|channel) (\d{1,20})", re.ASCII)
_MENTION = {"member": "<@{}>", "channel": "<#{}>"}


def log_page(page: LogPage) -> Drawing:
    """One page of the audit log, with buttons to the others."""
    lines = [log_line(entry) for entry in page.entries]
    actions = [
        Action(Verb.LOG, (page.top, number, page.member_id or 0, number_of(page.deed))) for number in _beside(page)
    ]
    buttons = pager("the audit log", page.number, page.number + 1 + page.has_more, actions)
    return Drawing(
        text("## Audit log", _asked_for(page)),
        text("\n".join(lines) or "There is nothing here."),
        text(f"-# {posted(page.channel)}"),
        *([row(*buttons)] if buttons else []),
    )


def log_line(entry: AuditEntry) -> str:
    """What was done, to what, when, by whom and why; harmless."""
    by = "by myself" if entry.actor_id is None else f"by <@{entry.actor_id}>"
    where = "" if entry.channel_id is None else f" in <#{entry.channel_id}>"
    subject = f" · {_subject(entry.subject)}" if entry.subject else ""
    reason = f"\n> Reason: {_harmless(entry.reason, REASON_LIMIT)}" if entry.reason else ""
    known = "; ".join(f"{name}: {value}" for name, value in entry.detail.items() if value is not None)
    detail = f"\n-# {_harmless(known, DETAIL_LIMIT)}" if known else ""
    return f"**{entry.deed}**{subject} · {by}{where} · {moment(entry.at)}{reason}{detail}"


def bars_page(page: BarPage) -> Drawing:
    """One page of the members who are barred."""
    lines = [_bar(bar) for bar in page.bars] or ["Nobody is barred." if page.number == 0 else "No more bars."]
    actions = [Action(Verb.BARS, (number,)) for number in _beside(page)]
    buttons = pager("the bars", page.number, page.number + 1 + page.has_more, actions)
    return Drawing(text("## Barred members", *lines), *([row(*buttons)] if buttons else []))


def posted(channel: LogChannel | None) -> str:
    """Where new lines of the log go, and what stands in their way."""
    if channel is None:
        return "New lines are posted in no channel; /moderation log-channel chooses one."
    if channel.failure is None:
        return f"New lines are posted in <#{channel.channel_id}>."
    return f"New lines wait until they can be posted in <#{channel.channel_id}>. {channel.failure}"


def number_of(deed: Deed | None) -> int:
    """A deed as a custom id names it: of its value, so that it stays the same when deeds are added. 0 is any deed."""
    return 0 if deed is None else zlib.crc32(deed.value.encode())


def deed_of(number: int) -> Deed | None:
    """The deed of a custom id, None for any (or one that is not known any more)."""
    return next((deed for deed in Deed if number_of(deed) == number), None)


def _asked_for(page: LogPage) -> str:
    asked = [f"about <@{page.member_id}>"] if page.member_id is not None else []
    asked += [f"only “{page.deed}”"] if page.deed is not None else []
    return f"-# {', '.join(asked)}" if asked else ""


def _beside(page: LogPage | BarPage) -> tuple[int, int]:
    """The numbers of the page before and the one after."""
    return max(page.number - 1, 0), page.number + 1


def _bar(bar: Bar) -> str:
    reason = _harmless(bar.reason, REASON_LIMIT)
    return f"<@{bar.user_id}> until {moment(bar.until)} ({relative(bar.until)}) · by <@{bar.barred_by}>\n> {reason}"


def _subject(subject: str) -> str:
    named = _NAMED.fullmatch(subject)
    return _MENTION[named[1]].format(named[2]) if named else _harmless(subject, SUBJECT_LIMIT)


def _harmless(said: str, limit: int) -> str:
    return excerpt(" ".join(said.split()), limit)[0]
