"""What is said about cases: to those who report, to moderators, and to a member who is warned."""

from __future__ import annotations

from bot.discord_app.markup import excerpt, relative
from bot.service.views import CaseView, Reported
from bot.story.cases import Act, CaseAct, CaseVoice, Subject, Voice
from bot.story.hygiene import neutralise

ACT_NUMBERS = {
    Act.REMOVE: 1,
    Act.REWIND: 2,
    Act.REDACT: 3,
    Act.RESTORE: 4,
    Act.DISMISS: 5,
    Act.WARN: 6,
    Act.BAR: 7,
}
"""How the ids of buttons name them. A number never changes its meaning: old cards are still clicked."""
TITLES = {
    Act.REMOVE: "Take this text out",
    Act.REWIND: "Rewind to before this text",
    Act.REDACT: "Hide this text",
    Act.RESTORE: "Restore this text",
    Act.DISMISS: "Dismiss: nothing is done",
    Act.WARN: "Warn whoever wrote this",
    Act.BAR: "Bar whoever wrote this from the bot",
}
HELP = {
    Act.REMOVE: "The story closes over it; a candidate leaves its ballot. You can restore it.",
    Act.REWIND: "This passage and all that follows leave the story. You can restore them until it goes on.",
    Act.REDACT: "It keeps its place, and a sentence stands there instead. You can restore it.",
    Act.RESTORE: "It stands again where it stood, as it was.",
    Act.DISMISS: "The text stays as it is. A reason is optional.",
    Act.WARN: "They are told what you write here, in a private message. Your name is not in it.",
    Act.BAR: "They can't use the bot in this server for that time.",
}
DONE = {
    Act.REMOVE: "Taken out",
    Act.REWIND: "Rewound",
    Act.REDACT: "Hidden",
    Act.RESTORE: "Restored",
    Act.DISMISS: "Dismissed",
    Act.WARN: "Warned",
    Act.BAR: "Barred",
}
REASON_LIMIT = 120
TITLE_LIMIT = 80
NO_CASES = "Nothing is open: no report, no flag and no appeal waits here."
NO_CHANNEL = "No channel is set for the cards of new cases. `/moderation channel` sets one (Manage Server)."
NOT_YOURS = "You moderate another channel than this one."


def label(act: Act, subject: Subject) -> str:
    """What the button of an act says."""
    if act is Act.REMOVE:
        return "Close the gap over it…" if subject.passage_id is not None else "Take off the ballot…"
    return {
        Act.REWIND: "Rewind to before it…",
        Act.REDACT: "Hide its text…",
        Act.RESTORE: "Restore…",
        Act.DISMISS: "Dismiss…",
        Act.WARN: "Warn the writer…",
        Act.BAR: "Bar the writer…",
    }[act]


def heard(got: Reported) -> str:
    """The private answer to a report."""
    if not got.is_new:
        state = "the moderators have it" if got.case.is_open else "the moderators have looked at it"
        return f"You have reported this already, and {state}."
    where = "in their channel" if got.has_channel else "when they look at `/moderation cases`"
    return f"Thank you. The moderators of this server see it {where}. Nobody else learns that you reported it."


def appeal_heard(got: Reported) -> str:
    """The private answer to somebody whose text was refused."""
    if not got.is_new:
        return "You have asked about this text already; the moderators have it."
    where = "in their channel" if got.has_channel else "when they look at `/moderation cases`"
    return f"The moderators of this server see your text and your question {where}. Until then it stays refused."


def about(subject: Subject) -> str:
    """What a case is about, in a few words."""
    told = f" in “{excerpt(subject.story_title, TITLE_LIMIT)[0]}”" if subject.story_title else ""
    if subject.letter is not None:
        return f"candidate {subject.letter}{told}"
    if subject.story_id is None:
        return f"a {neutralise(subject.kind)}"
    return f"passage {subject.number}{told}" if subject.number is not None else f"an earlier passage{told}"


def state(view: CaseView) -> str:
    """Whether it waits."""
    return "**open**" if view.case.is_open else "resolved"


def writer(view: CaseView) -> str:
    """Who wrote it, as far as moderators may know by now."""
    if view.is_blind:
        return "Who wrote it is told when the vote closes."
    author = view.subject.author_user_id
    return "Written by AI." if author is None else f"Written by <@{author}>."


def voice_line(voice: CaseVoice) -> str:
    """One report, flag or appeal."""
    reason = f": {excerpt(' '.join(voice.reason.split()), REASON_LIMIT)[0]}" if voice.reason else ""
    because = f" ({excerpt(', '.join(filter(None, (voice.category, voice.rule))), 60)[0]})" if voice.category else ""
    if voice.voice is Voice.FLAG:
        return f"Flagged by a filter{because}{reason}"
    what = "Reported" if voice.voice is Voice.REPORT else "Refused, and asked about"
    return f"{what} by <@{voice.user_id}>{because}{reason}"


def act_line(done: CaseAct) -> str:
    """One thing that was done."""
    told = {None: "", True: " (told privately)", False: " (could not be told privately)"}[done.is_told]
    reason = f": {excerpt(' '.join(done.reason.split()), REASON_LIMIT)[0]}" if done.reason else ""
    return f"{DONE[done.act]} by <@{done.by}> {relative(done.at)}{told}{reason}"


def acted(act: Act, *, is_told: bool | None = None, has_cancelled: bool = False) -> str:
    """The private confirmation of an act."""
    said = {
        Act.REMOVE: "It is taken out.",
        Act.REWIND: "The story stands before it again.",
        Act.REDACT: "Its text is hidden.",
        Act.RESTORE: "It stands again as it was.",
        Act.DISMISS: "The case is dismissed.",
        Act.WARN: "The warning is written down.",
        Act.BAR: "They are barred.",
    }[act]
    told = {
        None: "",
        True: " They were told privately.",
        False: " They could not be told privately, so tell them yourself.",
    }
    round_ = " The round that was about it is cancelled." if has_cancelled else ""
    return f"{said}{told[is_told]}{round_}"


def warning(server: str, reason: str, text: str) -> str:
    """What a warned member reads, privately. No moderator is named."""
    shown = excerpt(" ".join(text.split()), 300)[0]
    return (
        f"The moderators of **{excerpt(server, 100)[0]}** warn you about a text of yours there:\n"
        f"{excerpt(reason, 600)[0]}\n-# The text: {shown}"
    )


def channel_set(channel_id: int | None) -> str:
    """The private confirmation of `/moderation channel`."""
    if channel_id is None:
        return "Cards go nowhere now. Moderators find open cases with `/moderation cases`."
    return f"Cards of new and open cases go to <#{channel_id}> now. Whoever can read it sees who reported."


def unreachable(channel_id: int) -> str:
    """The head of the list where the cards can't be posted."""
    return f"I can't post into <#{channel_id}>, so some of these have no card there."
