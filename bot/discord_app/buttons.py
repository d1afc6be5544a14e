"""Buttons whose id says everything: they work after a restart, and discord.py's view store never sees them.

The store keeps views in memory, and in discord.py 2.7.1 it can forget how to dispatch for the whole process. So our
buttons are inert to it, and `router` reads their ids from the interactions themselves. The database is the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import discord

from bot.errors import BadInput

FAMILY = "tw"
"""Every version of our ids begins with it."""
PREFIX = "tw1"
"""The version that this code writes and reads: `tw1:vote:<round>:<candidate>`."""

MAX_COMPONENTS = 40
MAX_TEXT = 3800
"""Discord's limit is 4000 over all texts of a message. Whether it counts code points is not documented: slack."""


class Verb(StrEnum):
    """What a button (or a submitted modal) asks for, with the numbers its id carries."""

    VOTE = "vote"  # round, candidate or 0 for none of these
    READ = "read"  # round, candidate: the whole text, privately
    TURN = "turn"  # round, candidate, page: another page of it
    STORY = "story"  # story, page
    FILE = "file"  # story
    LIST = "list"  # page
    WRITE = "write"  # the modal of /write
    LOG = "log"  # the audit log: newest line, page, member or 0, deed or 0
    BARS = "bars"  # page
    REPORT = "report"  # round: which of its candidates, and why
    REPORT_PASSAGE = "reportpassage"  # passage
    REPORT_PAGE = "reportpage"  # story, page: which of its passages
    REPORTED = "reported"  # the form of these: passage or 0, candidate or 0; both 0 where the form has a choice
    APPEAL = "appeal"  # under a refused text: asks a moderator to look at it
    APPEALED = "appealed"  # the form of that
    CASES = "cases"  # page of the open cases
    CASE = "case"  # case: its card, privately
    CASE_TEXT = "casetext"  # case: the whole text that it is about
    ACT = "act"  # case, number of the act: asks why
    ACTED = "acted"  # the form of that
    WITHHELD = "withheld"  # round, page
    LAB = "lab"  # page; and what the rules were searched for
    FIGURES = "figures"  # page
    CHANGES = "changes"  # of the whole rule set: those before this one, 0 for the last ones
    RESTORE = "restore"  # revision to go back to
    RULE = "rule"  # rule
    SWITCH = "switch"  # rule, which mode
    EDIT = "edit"  # rule: opens its form
    LIMITS = "limits"  # rule: opens the form of what it is for
    TRY = "try"  # rule
    REMOVE = "remove"  # rule
    VERSIONS = "versions"  # rule, page
    BACK = "back"  # rule, version
    NEW_RULE = "newrule"  # the modal of a new rule: 1 for the whole server, which kind
    CHANGE_RULE = "changerule"  # the modal of a change: rule, the version that it was made of
    LIMIT_RULE = "limitrule"  # likewise, of what it is for
    TAKE_OVER = "takeover"  # the file of its message: 1 for the whole server, how its rules begin
    SAY_WHY = "saywhy"  # change, rule or 0: opens the form of a reason
    SAID_WHY = "saidwhy"  # the form of that


ARITY = {
    Verb.VOTE: 2,
    Verb.READ: 2,
    Verb.TURN: 3,
    Verb.STORY: 2,
    Verb.FILE: 1,
    Verb.LIST: 1,
    Verb.WRITE: 0,
    Verb.LOG: 4,
    Verb.BARS: 1,
    Verb.REPORT: 1,
    Verb.REPORT_PASSAGE: 1,
    Verb.REPORT_PAGE: 2,
    Verb.REPORTED: 2,
    Verb.APPEAL: 0,
    Verb.APPEALED: 0,
    Verb.CASES: 1,
    Verb.CASE: 1,
    Verb.CASE_TEXT: 1,
    Verb.ACT: 2,
    Verb.ACTED: 2,
    Verb.WITHHELD: 2,
    Verb.LAB: 1,
    Verb.FIGURES: 1,
    Verb.CHANGES: 1,
    Verb.RESTORE: 1,
    Verb.RULE: 1,
    Verb.SWITCH: 2,
    Verb.EDIT: 1,
    Verb.LIMITS: 1,
    Verb.TRY: 1,
    Verb.REMOVE: 1,
    Verb.VERSIONS: 2,
    Verb.BACK: 2,
    Verb.NEW_RULE: 2,
    Verb.CHANGE_RULE: 2,
    Verb.LIMIT_RULE: 2,
    Verb.TAKE_OVER: 2,
    Verb.SAY_WHY: 2,
    Verb.SAID_WHY: 2,
}
WITH_SEARCH = frozenset({Verb.LAB})
"""Verbs whose id may end with what somebody searched for."""
MAX_SEARCH = 40
"""So that it fits into an id, for which Discord has 100 characters, also where each counts twice (see `MAX_TEXT`)."""


@dataclass(frozen=True)
class Action:
    """What a custom id means. `search` is for verbs of `WITH_SEARCH` only."""

    verb: Verb
    args: tuple[int, ...] = ()
    search: str = ""

    @property
    def custom_id(self) -> str:
        return ":".join((PREFIX, self.verb, *map(str, self.args), *filter(None, [self.search])))


def read_action(custom_id: str) -> Action | None:
    """The action of a custom id, None where the id is not ours. Raises BadInput for one of another version."""
    prefix, *words = custom_id.split(":")
    if not prefix.startswith(FAMILY) or not prefix[len(FAMILY) :].isdecimal():
        return None
    verb = next((verb for verb in Verb if words[:1] == [verb]), None)
    numbers, search = words[1:], ""
    if verb in WITH_SEARCH:
        numbers, search = numbers[: ARITY[verb]], ":".join(numbers[ARITY[verb] :])
    if prefix != PREFIX or verb is None or len(numbers) != ARITY[verb] or not all(_is_number(n) for n in numbers):
        raise BadInput("This button is from another version of the bot. Please use the command again.")
    return Action(verb, tuple(map(int, numbers)), search)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20


class InertButton(discord.ui.Button[Any]):
    """A button that discord.py draws and then forgets."""

    def is_dispatchable(self) -> bool:
        return False


def button(label: str, action: Action, style: discord.ButtonStyle = discord.ButtonStyle.secondary) -> InertButton:
    """A button that asks for `action`. Its label says all: never a colour or an emoji alone."""
    return InertButton(label=label, custom_id=action.custom_id, style=style)


def row(*buttons: InertButton) -> discord.ui.ActionRow[Any]:
    """Up to five buttons beside each other."""
    return discord.ui.ActionRow(*buttons)


class Beside(discord.ui.View):
    """Buttons under a message of plain content. Finished from the start, like a `Drawing`."""

    def __init__(self, *buttons: InertButton) -> None:
        super().__init__(timeout=None)
        for one in buttons:
            self.add_item(one)
        self.stop()


class Drawing(discord.ui.LayoutView):
    """One message in Components V2. It is finished from the start, so that no store keeps it.

    Raises ValueError where it has more than Discord's 40 components.
    """

    def __init__(self, *items: discord.ui.Item[Any]) -> None:
        super().__init__(timeout=None)
        self.add_item(discord.ui.Container(*items))
        self.stop()

    @property
    def num_components(self) -> int:
        return sum(1 for _ in self.walk_children())

    @property
    def texts(self) -> list[str]:
        """Every text of the message in reading order."""
        return [item.content for item in self.walk_children() if isinstance(item, discord.ui.TextDisplay)]


def text(*lines: str) -> discord.ui.TextDisplay[Any]:
    """One block of text; empty lines are left out."""
    return discord.ui.TextDisplay("\n".join(line for line in lines if line))


def pager(place: str, page: int, num_pages: int, actions: Sequence[Action]) -> list[InertButton]:
    """Buttons to the page before and after. `actions` are theirs; `place` names what is paged, for screen readers."""
    before, after = actions
    buttons = []
    if page > 0:
        buttons.append(button(f"Previous page of {place}", before))
    if page + 1 < num_pages:
        buttons.append(button(f"Next page of {place}", after))
    return buttons
