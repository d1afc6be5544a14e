"""Builds the prompt: fixed parts, canon, hint, within the model's window of tokens.

What changes every turn stands last, so that a story's next prompt begins with its last one. Everything that had to be
left out or shortened is recorded with the prompt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.errors import BadInput
from bot.story.canon_window import Window, choose_window
from bot.story.following import SUFFIX_SHARE, build_following, filled_suffix, following_text
from bot.story.hint_words import content_words
from bot.story.model import Filled, PromptRecord
from bot.story.prompt_format import PromptFormat, PromptPassage, fill, safe
from bot.story.shorten import Counted, keep_beginning, keep_end

__all__ = ["Part", "PromptFormat", "PromptPassage", "build_prompt", "countable_parts", "max_tokens_for"]

TOKENS_PER_WORD = 1.6
"""English prose in a vocabulary of 4,000 takes about 1.3 tokens a word, punctuation included; the rest is leeway."""
LAST_SENTENCE_TOKENS = 24
"""So that the sentence in which the wanted length is reached can be finished instead of cut."""
MARGIN_TOKENS = 8
"""What a tokenizer may add (a token for the beginning) or lose where the counted parts are joined."""
FIXED_SHARE = 2
"""Title, premise and style take at most one part in so many of the budget: the story goes before its blurb."""
HINT_SHARE = 8
"""Canon leaves one part in so many free for the hint, so that asking with and without one begins alike. A longer hint
takes from canon, down to this same share."""


class Part(StrEnum):
    """What a prompt is made of, as its record names it."""

    TITLE = "title"
    PREMISE = "premise"
    PREMISE_SHORTENED = "premise, shortened"
    STYLE = "style"
    OPENING = "opening"
    CANON = "canon"
    LAST_PASSAGE_END = "end of the last passage"
    HINT = "hint"
    SUFFIX = "what comes after"


@dataclass(frozen=True)
class _Budget:
    """What a model's window leaves for the prompt, and the shares of it that are promised."""

    context_tokens: int
    max_tokens: int

    @property
    def tokens(self) -> int:
        return self.context_tokens - self.max_tokens - MARGIN_TOKENS

    @property
    def fixed_share(self) -> int:
        return self.tokens // FIXED_SHARE

    @property
    def hint_share(self) -> int:
        return self.tokens // HINT_SHARE

    @property
    def suffix_share(self) -> int:
        return self.tokens // SUFFIX_SHARE


@dataclass(frozen=True)
class _Piece:
    """Some of a prompt: its text, how many tokens it takes, and what of the record it accounts for."""

    text: str = ""
    tokens: int = 0
    parts: tuple[Part, ...] = ()
    passages: tuple[int, ...] = ()


def max_tokens_for(length_words: int) -> int:
    """How many tokens to ask for, so that a passage of about `length_words` can end with a whole sentence."""
    return math.ceil(length_words * TOKENS_PER_WORD) + LAST_SENTENCE_TOKENS


def countable_parts(
    fmt: PromptFormat,
    title: str,
    premise: str,
    hint: str | None,
    after: Sequence[PromptPassage] = (),
    style: str = "",
) -> tuple[str, ...]:
    """The strings that `build_prompt` will ask `count` about, so that an async caller can count them beforehand.

    Where a premise or passage must be shortened, `count` is asked about the shortened text too; an estimate is enough
    there, since the count of the whole is known.
    """
    parts = (
        fmt.start,
        _filled(fmt, fmt.title, title),
        _filled(fmt, fmt.premise, premise),
        _filled(fmt, fmt.tags, style),
        fmt.body,
        fmt.passage_end,
        _filled(fmt, fmt.hint, _hint_text(fmt, hint)),
        filled_suffix(fmt, following_text(fmt, after)),
        fmt.answer,
    )
    return tuple(dict.fromkeys(part for part in parts if part))


def build_prompt(
    fmt: PromptFormat,
    title: str,
    premise: str,
    passages: Sequence[PromptPassage],
    hint: str | None,
    context_tokens: int,
    max_tokens: int,
    count: Callable[[str], int],
    after: Sequence[PromptPassage] = (),
    style: str = "",
) -> Filled:
    """The prompt for what follows `passages` (canon, oldest first). A part whose text is blank is left out.

    `after` are the passages that come after the one asked for, for a model that was taught to write towards them: their
    beginning is the prompt's `suffix`. Prompt, suffix and `max_tokens` together never exceed `context_tokens`, as
    `count` counts; it is never asked about an empty text. A long hint leaves less for the suffix. A premise that is too
    long is shortened from its end, canon is left out in large steps. Raises BadInput, with the limit, where the length,
    the title, the style or the hint leave no room for a story.
    """
    budget = _Budget(context_tokens, max_tokens)
    head = _build_head(fmt, title, premise, style, budget, count)
    room = budget.tokens - head.tokens
    used_hint = _hint_text(fmt, hint)
    tail = _build_hint(fmt, used_hint, hint or "", room - budget.hint_share, count)
    suffix_room = min(budget.suffix_share, room - budget.hint_share - tail.tokens)
    following = build_following(fmt, after, suffix_room, count)
    costs = _passage_costs(fmt, passages, count)
    canon_room = room - tail.tokens - following.tokens
    window = choose_window(costs, steady_room=room - budget.hint_share, room=canon_room)
    if window.last_fits:
        canon = _build_canon(fmt, passages, costs, window)
    else:
        canon = _cut_last(fmt, passages[-1], canon_room, count)
    left_out = frozenset(passage.id for passage in passages) - frozenset(canon.passages)
    record = PromptRecord(
        parts=tuple(part.value for piece in (head, canon, tail) for part in piece.parts)
        + ((Part.SUFFIX.value,) if following.text else ()),
        passages_used=canon.passages,
        passages_left_out=tuple(passage.id for passage in passages if passage.id in left_out),
        hint_used=used_hint or None,
        prompt_tokens=head.tokens + canon.tokens + tail.tokens + following.tokens,
        budget_tokens=budget.tokens,
        suffix_used=following.text or None,
        suffix_tokens=following.tokens if following.text else None,
        passages_after=following.passages,
        parts_left_out=_untold(head.parts, title, premise, style),
    )
    return Filled(
        text=head.text + canon.text + tail.text + fmt.answer,
        stop=fmt.stop,
        max_tokens=max_tokens,
        record=record,
        suffix=following.text or None,
    )


def _build_head(
    fmt: PromptFormat, title: str, premise: str, style: str, budget: _Budget, count: Callable[[str], int]
) -> _Piece:
    title_text, style_text = _filled(fmt, fmt.title, title), _filled(fmt, fmt.tags, style)
    # What closes the prompt is as fixed as what opens it.
    tokens = sum(count(part) for part in (fmt.start, title_text, style_text, fmt.body, fmt.answer) if part)
    if tokens > budget.fixed_share:
        named = "title and style" if style_text else "title"
        raise BadInput(
            f"This model reads {budget.context_tokens} tokens at once. A passage of this length needs "
            f"{budget.max_tokens} of them and the {named} {tokens}, which leaves too little for the story. "
            "Choose a shorter length with /settings."
        )
    written, premise_tokens, part = _build_premise(fmt, premise, budget.fixed_share - tokens, count)
    return _Piece(
        text=fmt.start + title_text + written + style_text + fmt.body,
        tokens=tokens + premise_tokens,
        parts=((Part.TITLE,) if title_text else ()) + ((part,) if part else ()) + ((Part.STYLE,) if style_text else ()),
    )


def _untold(told: tuple[Part, ...], title: str, premise: str, style: str) -> tuple[str, ...]:
    """What of the story's own description is not in the prompt."""
    typed = {Part.TITLE: title, Part.PREMISE: premise, Part.STYLE: style}
    if Part.PREMISE_SHORTENED in told:
        del typed[Part.PREMISE]
    return tuple(part.value for part, text in typed.items() if text.strip() and part not in told)


def _build_premise(
    fmt: PromptFormat, premise: str, room: int, count: Callable[[str], int]
) -> tuple[str, int, Part | None]:
    whole = _filled(fmt, fmt.premise, premise)
    if not whole:
        return "", 0, None
    tokens = count(whole)
    if tokens <= room:
        return whole, tokens, Part.PREMISE

    def count_filled(text: str) -> int:
        return count(_filled(fmt, fmt.premise, text))

    kept = keep_beginning(Counted(safe(fmt, premise), tokens), room, count_filled)
    return _filled(fmt, fmt.premise, kept.text), kept.tokens, Part.PREMISE_SHORTENED if kept.text else None


def _build_hint(fmt: PromptFormat, hint: str, typed: str, limit: int, count: Callable[[str], int]) -> _Piece:
    if not hint:
        return _Piece()
    text = _filled(fmt, fmt.hint, hint)
    tokens = count(text)
    if tokens > limit:
        raise BadInput(
            f"This takes {tokens} tokens, and beside the story the model has room for {limit} "
            f"(about {int(limit / TOKENS_PER_WORD)} words). Please say it shorter.",
            typed,
        )
    return _Piece(text, tokens, (Part.HINT,))


def _passage_costs(fmt: PromptFormat, passages: Sequence[PromptPassage], count: Callable[[str], int]) -> list[int]:
    end_tokens = count(fmt.passage_end) if passages and fmt.passage_end else 0
    return [passage.tokens + end_tokens for passage in passages]


def _build_canon(fmt: PromptFormat, passages: Sequence[PromptPassage], costs: Sequence[int], window: Window) -> _Piece:
    if not passages:
        return _Piece()
    shown = ([0] if window.has_opening else []) + list(range(window.start, len(passages)))
    return _Piece(
        text="".join(safe(fmt, passages[i].text) + fmt.passage_end for i in shown),
        tokens=sum(costs[i] for i in shown),
        parts=(Part.OPENING, Part.CANON) if window.has_opening else (Part.CANON,),
        passages=tuple(passages[i].id for i in shown),
    )


def _cut_last(fmt: PromptFormat, last: PromptPassage, room: int, count: Callable[[str], int]) -> _Piece:
    end_tokens = count(fmt.passage_end) if fmt.passage_end else 0
    kept = keep_end(Counted(safe(fmt, last.text), last.tokens), room - end_tokens, count)
    if not kept.text:
        return _Piece()
    return _Piece(kept.text + fmt.passage_end, kept.tokens + end_tokens, (Part.LAST_PASSAGE_END,), (last.id,))


def _hint_text(fmt: PromptFormat, hint: str | None) -> str:
    """The hint as the model was taught hints; empty where there is none, or where it was taught none."""
    if not fmt.hint:
        return ""
    one_line = " ".join(safe(fmt, hint or "").split())
    return one_line if fmt.max_hint_words is None else content_words(one_line, fmt.max_hint_words)


def _filled(fmt: PromptFormat, template: str, text: str) -> str:
    cleaned = safe(fmt, text).strip()
    return fill(template, cleaned) if cleaned else ""
