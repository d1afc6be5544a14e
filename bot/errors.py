"""Every error of the bot, as one tree; `str(error)` is the sentence that a member (or the host) reads.

::

    TalewrightError
    ├── Refusal                  expected: shown privately to whoever asked, logged at debug level
    │   ├── NoStory              this channel has no story (or none that is running)
    │   ├── StoryRunning         the channel already has a running story
    │   ├── RoundRunning         a round is already generating or open (carries where its ballot is)
    │   ├── NoRound              there is no round to act on
    │   ├── RoundOver            the round closed before the vote or text arrived
    │   ├── NoCase               there is no such case (any more)
    │   ├── CaseOver             another moderator was faster, or the case does not allow this
    │   ├── NotAllowed           the member lacks a permission that the action needs
    │   ├── BotNotAllowed        the bot lacks a permission in a channel (names both)
    │   ├── NoRewriter           nothing that makes (such) light rewrites is served beside the storyteller
    │   ├── Barred               a moderator keeps the member from the bot (carries until when, and why)
    │   ├── Stopped              a moderator stopped the bot in this place (carries why)
    │   ├── OverQuota            as much as is allowed was begun or written lately (carries when it goes on)
    │   ├── BadInput             empty, too long, or otherwise unusable text or value (carries it back)
    │   └── Filtered             a filter refused the text (carries its category and the text)
    ├── WorkerError              the model could not answer; the round fails or is asked again
    │   ├── WorkerDown           nothing answers, or it says that it is still loading or failed
    │   ├── WorkerBusy           its queue is full (carries retry_after_s)
    │   ├── WorkerSlow           no answer in time
    │   ├── WorkerRefused        it understood and refused (a prompt too long, a bad field): 4xx
    │   ├── WorkerBroken         it answered 5xx, or what it said is not the protocol
    │   └── NothingUsable        it answered, but nothing of it could be put on a ballot
    ├── StoreError               the database could not do it
    └── ConfigError              a setting is missing or wrong: name, what was found, what is wanted
"""

from __future__ import annotations

from datetime import datetime


class TalewrightError(Exception):
    """Base of all errors that the bot raises on purpose. The message is a whole sentence for a person."""


class Refusal(TalewrightError):
    """The request cannot be met, and that is nobody's fault: the sentence says why and what would work."""


class NoStory(Refusal):
    """This channel has no running story."""

    def __init__(self, sentence: str = "There is no story in this channel yet. Begin one with /story start.") -> None:
        super().__init__(sentence)


class StoryRunning(Refusal):
    """The channel already has a running story; carries its title."""

    def __init__(self, title: str) -> None:
        self.title = title
        super().__init__(f"“{title}” is still being told in this channel. End it with /story end first.")


class RoundRunning(Refusal):
    """A round is generating or open; `message_id` is its ballot's, or None while it has none yet."""

    def __init__(self, channel_id: int, message_id: int | None) -> None:
        self.channel_id = channel_id
        self.message_id = message_id
        super().__init__("A round is already running in this channel. Vote there, or wait until it closes.")


class NoRound(Refusal):
    """There is no round to act on."""

    def __init__(self, sentence: str = "No round is open in this channel. Ask for one with /continue.") -> None:
        super().__init__(sentence)


class RoundOver(Refusal):
    """The round closed before the vote or text arrived. `text` is what the member typed, None for a vote."""

    def __init__(
        self, sentence: str = "This round is closed, so nothing was counted.", text: str | None = None
    ) -> None:
        self.text = text
        super().__init__(sentence)


class NoCase(Refusal):
    """There is no case with this number in this server."""

    def __init__(self) -> None:
        super().__init__("There is no such case (any more).")


class CaseOver(Refusal):
    """What a moderator asked for is not possible as the case stands."""

    def __init__(
        self, sentence: str = "That can't be done about this case (any more): look at it as it is now."
    ) -> None:
        super().__init__(sentence)


class NotAllowed(Refusal):
    """The member may not do this; the sentence names the permission that is needed."""


class BotNotAllowed(Refusal):
    """The bot lacks `permission` in the channel `channel_id`."""

    def __init__(self, permission: str, channel_id: int) -> None:
        self.permission = permission
        self.channel_id = channel_id
        super().__init__(f"I need the permission “{permission}” in <#{channel_id}>. A server admin can grant it.")


class NoRewriter(Refusal):
    """The worker serves no masked model, so no passage can be rewritten lightly; or none that could keep words."""

    def __init__(
        self,
        sentence: str = "Light rewrites are not available here: they need a model that changes wordings, which the "
        "host of this bot has to serve beside the storyteller. /rewrite with style:fresh works.",
    ) -> None:
        super().__init__(sentence)


class Barred(Refusal):
    """A moderator keeps the member from the bot until a moment; `reason` is as the moderator typed it."""

    def __init__(self, until: datetime, reason: str) -> None:
        self.until = until
        self.reason = reason
        super().__init__("A moderator has barred you from using me in this server. Nothing was done.")


class Stopped(Refusal):
    """A moderator stopped the bot; `reason` is as the moderator typed it, and may be empty."""

    def __init__(self, *, is_server: bool, reason: str) -> None:
        self.reason = reason
        where = "in this server" if is_server else "in this channel"
        super().__init__(f"A moderator has stopped me {where}. Nothing was done; nothing that was told is lost.")


class OverQuota(Refusal):
    """As much as is allowed was begun or written lately. `then` is what can be done again at `until`."""

    def __init__(self, sentence: str, then: str, until: datetime) -> None:
        self.sentence = sentence
        self.then = then
        self.until = until
        super().__init__(f"{sentence} {then} at {until:%H:%M:%S} UTC.")


class BadInput(Refusal):
    """Text or a value that cannot be used. `text` is what the member typed, so that nothing is lost."""

    def __init__(self, sentence: str, text: str | None = None) -> None:
        self.text = text
        super().__init__(sentence)


class RuleError(BadInput):
    """A moderator's filter rule that cannot be used; the sentence says what is wrong with it."""


class Filtered(Refusal):
    """A filter refused the text: says the category, never the list, and carries the text back."""

    def __init__(self, category: str, text: str, what: str = "text") -> None:
        self.category = category
        self.text = text
        super().__init__(f"Your {what} was not accepted here (category: {category}). Nobody else has seen it.")


class WorkerError(TalewrightError):
    """The model could not answer."""


class WorkerDown(WorkerError):
    """Nothing answers at the worker's address, or it is loading or has failed."""

    def __init__(self, sentence: str = "The storyteller is not reachable right now. Please try again later.") -> None:
        super().__init__(sentence)


class WorkerBusy(WorkerError):
    """The worker's queue is full; it asks to come back after `retry_after_s` seconds."""

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("The storyteller has too many requests at the moment. Please try again in a little while.")


class WorkerSlow(WorkerError):
    """No answer in time."""

    def __init__(self, sentence: str = "The storyteller took too long to answer. Please try again.") -> None:
        super().__init__(sentence)


class WorkerRefused(WorkerError):
    """The worker understood the request and refused it. `detail` is its message, for the log."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__("The storyteller could not work with this request. The host's log says why.")


class WorkerBroken(WorkerError):
    """The worker failed inside, or answered something that is not the protocol. `detail` is for the log."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__("The storyteller had a problem while writing. Please try again.")


class NothingUsable(WorkerError):
    """The worker answered in time, and not one of its texts was whole, new and allowed; `withheld` were filtered."""

    def __init__(self, withheld: int = 0) -> None:
        self.withheld = withheld
        reason = "nothing that a filter would let through" if withheld else "nothing new and complete"
        super().__init__(f"The storyteller wrote {reason} this time. Please try again, perhaps with another hint.")


class StoreError(TalewrightError):
    """The database could not do what was asked."""


class ConfigError(TalewrightError):
    """A setting that stops the start: its name, what was found and what is wanted."""

    def __init__(self, name: str, found: str, wanted: str) -> None:
        self.name = name
        super().__init__(f"{name}: found {found}, wanted {wanted}")
