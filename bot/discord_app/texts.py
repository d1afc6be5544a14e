"""The sentences that members read, as functions of what they are about. What members typed is made harmless here."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.discord_app.markup import beginning, deadline, excerpt, jump_link, moment, relative
from bot.errors import Barred, BotNotAllowed, OverQuota, RoundRunning, Stopped, TalewrightError
from bot.service.views import BallotView, BarReceipt, PassageLine, SettingLine, VoteReceipt, WriteResult
from bot.story.hygiene import neutralise
from bot.story.hygiene.characters import plain_characters
from bot.story.limits import STOPPED_ROUND
from bot.story.model import NONE_OF_THESE, Candidate, Method, Round, RoundKind, RoundState, Source, Story, Style
from bot.story.settings import SETTINGS

TITLE_LIMIT = 200
HINT_LIMIT = 400
"""Most that a title or a hint may take of a drawing; what is cut ends in "…", and its writer has the whole."""

CHOICE_LIMIT = 100
"""Discord's limit for what one choice of an option says."""

SCOPES = {"channel": "this channel", "server": "the whole server"}
NONE_LABEL = "None of these"
REPORT = "Report…"
CHANGES_ARE_BOLD = "Changed words are bold, where a text is shown whole."
STANDS_AFTER = "What comes after it stands as it did."
AUTHORSHIP = "Texts are written by an AI storyteller or by members. Who wrote which is told when the vote closes."
NOBODY_VOTED = "Nobody voted."
VOTING_CLOSED = "Voting is closed."
NEXT_STEPS = "Go on with /continue, ask for another version with /rewrite, or write yourself with /write."
NOTHING_READABLE = "This story has no text yet. Ask for its beginning with /continue."


def count(number: int, one: str, many: str) -> str:
    """A number with its noun: "1 vote", "2 votes"."""
    return f"{number} {one if number == 1 else many}"


def title(story: Story) -> str:
    """A story's title, harmless."""
    return excerpt(story.title, TITLE_LIMIT)[0]


def style(story: Story) -> str:
    """The line that names a story's style, harmless; empty where it has none."""
    return f"-# Style: {excerpt(' '.join(story.style.split()), TITLE_LIMIT)[0]}" if story.style else ""


# errors


def refused(error: TalewrightError, guild_id: int | None) -> str:
    """The sentence of an expected error. Only the bot's own mention of a channel stays alive in it."""
    if isinstance(error, BotNotAllowed):
        return str(error)
    if isinstance(error, OverQuota):
        return f"{neutralise(error.sentence)} {neutralise(error.then)} {relative(error.until)}."
    sentence = neutralise(str(error))
    if isinstance(error, Barred):
        return f"{sentence} The bar ends {relative(error.until)} ({moment(error.until)}).{_reason(error.reason)}"
    if isinstance(error, Stopped):
        return f"{sentence}{_reason(error.reason)}"
    if isinstance(error, RoundRunning) and error.message_id is not None and guild_id is not None:
        return f"{sentence}\n{jump_link(guild_id, error.channel_id, error.message_id)}"
    return sentence


def _reason(reason: str) -> str:
    """The line with a moderator's reason, harmless; empty where none was given."""
    return f"\nReason: {excerpt(' '.join(reason.split()), HINT_LIMIT)[0]}" if reason else ""


def unexpected(incident: str) -> str:
    """What a member reads where the bot failed; `incident` is in the log too."""
    return f"Something went wrong on my side. If it happens again, tell the host this number: {incident}."


def stale_command() -> str:
    """Discord offered a command as it was before an update."""
    return "This command has changed since Discord loaded it. Restart Discord (or wait a minute), then try again."


# stories


def started(story: Story) -> tuple[str, str]:
    """The head of a new story, and what to do next."""
    return f"## {title(story)}", "A new story begins in this channel. Ask for its first passage with /continue."


def ended(story: Story, num_passages: int) -> str:
    """The public message at a story's end."""
    length = count(num_passages, "passage", "passages")
    return f"**{title(story)}** has come to its end, after {length}. The whole text is attached."


# rounds


def asking(view: BallotView) -> str:
    """The head of a ballot: what the channel is asked."""
    if view.round.kind is RoundKind.CONTINUE:
        return "## How does the story go on?"
    if view.round.style is Style.LIGHT:
        return f"## Other words for {which(view)}?"
    return f"## Another version of {which(view)}?" if view.round.is_in_the_middle else "## Tell the last passage anew?"


def which(view: BallotView) -> str:
    """The passage that a rewrite is about, as members number them."""
    return f"passage {view.passage_number}" if view.round.is_in_the_middle else "the last passage"


def writing(view: BallotView) -> str:
    """What stands in the channel while the model writes."""
    what = "continuations"
    if view.round.kind is RoundKind.REWRITE:
        what = f"other {'wordings' if view.round.style is Style.LIGHT else 'versions'} of {which(view)}"
    return f"Writing {view.round.settings.candidates} {what}…"


def passage_choice(line: PassageLine) -> str:
    """A passage to choose: its number and its beginning, within Discord's limit. Discord shows it as it is."""
    place = f"{line.number} (the last one)" if line.is_last else f"{line.number}"
    return choice(place, line.text)


def choice(name: str, text: str) -> str:
    """Something to choose, by its name and its beginning, within Discord's limit. Discord shows it as it is."""
    return beginning(f"{name}: {' '.join(plain_characters(text).split())}", CHOICE_LIMIT)


def hint(round_: Round) -> str:
    """The line that says what was asked for, empty where nothing was."""
    if round_.hint is None:
        return ""
    what = "Instruction" if round_.kind is RoundKind.REWRITE else "Hint"
    if round_.style is Style.LIGHT:
        what = "Must stay"
    return f"-# {what}: {excerpt(' '.join(round_.hint.split()), HINT_LIMIT)[0]}"


def how_to_vote(round_: Round) -> str:
    """How to vote by the round's method, in a sentence."""
    if round_.settings.method is Method.PLURALITY:
        return "One vote each: your last choice counts, and a second click takes it back."
    return "Vote for all that you like; a second click takes a vote back."


def standing(round_: Round, num_ballots: int) -> str:
    """How long and by how many the vote is going, without saying for what."""
    voted = count(num_ballots, "member has voted", "members have voted")
    needed = f"at least {round_.settings.quorum} needed"
    closing = "" if round_.deadline_at is None else f"Voting closes {deadline(round_.deadline_at)} · "
    return f"{closing}{voted}, {needed}"


def votes(number: int) -> str:
    """How many votes an option has."""
    return count(number, "vote", "votes")


def authored(candidate: Candidate) -> str:
    """Who wrote a candidate; only for closed rounds."""
    if candidate.source is Source.INCUMBENT:
        return "stood in the story already"
    if candidate.source is Source.MEMBER:
        return f"written by <@{candidate.author_user_id}>"
    model = "" if candidate.provenance is None else f" ({excerpt(candidate.provenance.model, 80)[0]})"
    return f"written by AI{model}"


def cancelled(round_: Round) -> str:
    """What the drawing of a round says that led to nothing."""
    if round_.state is RoundState.CANCELLED and round_.failure is None:
        by = "" if round_.closed_by is None else f" by <@{round_.closed_by}>"
        return f"This round was cancelled{by}. The story stays as it was."
    if round_.state is RoundState.CANCELLED and round_.failure == STOPPED_ROUND:
        return "This round was cancelled, because a moderator stopped me here. The story stays as it was."
    if round_.state is RoundState.CANCELLED:
        return f"This round was cancelled. {neutralise(round_.failure or '')}"
    again = "/rewrite" if round_.kind is RoundKind.REWRITE else "/continue"
    return f"This round has no candidates. {neutralise(round_.failure or '')} Ask again with {again}."


def goes_on(view: BallotView) -> str:
    """The lead of a message that carries new canon."""
    told = title(view.story)
    if view.round.kind is RoundKind.CONTINUE:
        return f"**{told}** goes on:"
    how = "in other words" if view.round.style is Style.LIGHT else "told anew"
    return f"**{told}**, passage {view.passage_number} {how}:" if view.round.is_in_the_middle else f"**{told}**, {how}:"


def stays(story: Story, decided: str, *, new_candidates: bool) -> str:
    """The message after a round that changed nothing."""
    after = "New candidates are being written." if new_candidates else NEXT_STEPS
    return f"**{title(story)}** stays as it is. {decided}\n-# {after}"


# what a member is told privately


def receipt(got: VoteReceipt) -> str:
    """The private confirmation of a click."""
    said = f"Your vote: {_chosen(got.choices, got.candidates)}." if got.choices else "Your vote is taken back."
    if got.closes_now:
        return f"{said} It decided the round, which closes now."
    at = got.round.deadline_at
    closing = "" if at is None else f" Voting closes {relative(at)}."
    if got.unchanged:
        return f"{said} (A double click counts once.){closing}"
    return f"{said} A second click on a button takes it back.{closing}" if got.choices else f"{said}{closing}"


def _chosen(choices: Collection[int], candidates: Sequence[Candidate]) -> str:
    if NONE_OF_THESE in choices:
        return "**none of these**"
    letters = [f"**{candidate.letter}**" for candidate in candidates if candidate.id in choices]
    return letters[0] if len(letters) == 1 else f"{', '.join(letters[:-1])} and {letters[-1]}"


def text_taken(result: WriteResult) -> str:
    """The private confirmation of a member's own passage."""
    blind = "Nobody sees that it is yours before the vote closes."
    if result.must_generate:
        return f"Your passage will stand on a new ballot, beside the storyteller's. {blind}"
    if result.round.state is RoundState.GENERATING:
        return f"Your passage will stand on the ballot that is being written. {blind}"
    return f"Your passage stands on the ballot now. {blind}"


def setting_changed(name: str, value: str | None, scope: str) -> str:
    """The private confirmation of a change; value None is a reset."""
    where = "for the whole server" if scope == "server" else "for this channel"
    done = f"“{name}” is no longer set {where}" if value is None else f"“{name}” is {neutralise(value)} {where} now"
    setting = SETTINGS.get(name)
    if setting is not None and not setting.is_of_rounds:
        return f"{done}. {setting.help}"
    return f"{done}. Rounds that are under way keep what they began with."


def barred(got: BarReceipt) -> str:
    """The private confirmation of a bar."""
    until, earlier = got.bar.until, got.earlier
    instead = "" if earlier is None else f" That takes the place of a bar until {moment(earlier.until)}."
    told = "They are told so, with your reason, when they use me; votes and texts of theirs that count already stay."
    return f"<@{got.bar.user_id}> is barred until {moment(until)} ({relative(until)}).{instead} {told}"


def stopped(scope: str, num_cancelled: int) -> str:
    """The private confirmation of a stop."""
    rounds = "" if num_cancelled == 0 else f" {count(num_cancelled, 'open round is', 'open rounds are')} cancelled."
    return f"I am stopped in {SCOPES[scope]}.{rounds} /moderation resume lets me go on."


def resumed(scope: str, *, is_server_stopped: bool) -> str:
    """The private confirmation that a stop is lifted."""
    if is_server_stopped:
        return "The stop of this channel is lifted. The whole server is still stopped: scope:server lifts that."
    return f"I go on in {SCOPES[scope]}."


def setting_line(line: SettingLine) -> str:
    """A setting as it holds here, and what it may be."""
    origin = {"channel": "set for this channel", "server": "set for the server"}.get(line.origin, "the default")
    return f"**{line.name}**: {neutralise(line.value)} ({origin})\n-# {line.help} Possible: {line.bounds}."
