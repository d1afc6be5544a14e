"""The story format of a chat model, read from its own chat template.

The story stands in the user's turn and the next passage is the assistant's, so the templates are what the chat template
puts around them. It is rendered once with marks in the places of the story's parts and cut at these marks.
"""

from __future__ import annotations

import logging

from transformers import PreTrainedTokenizerBase

from models.engine.story_format import PLACE, StoryFormat

log = logging.getLogger(__name__)

_MARK = "\u2e28story\u2e29"  # brackets that no chat template writes
_SYSTEM = (
    "You write a story together with a group of people, one passage at a time. Answer with the next passage only: "
    "no title, no comment, no question to the group."
)
_TASK = "Write the next passage of the story."


def chat_format(tokenizer: PreTrainedTokenizerBase) -> StoryFormat | None:
    """The format of a model with a chat template, or None where it has none or one that can't be used.

    Templates without a system role get its sentence at the beginning of the user's turn.
    """
    if not tokenizer.chat_template:
        return None
    rendered = _render(tokenizer)
    if rendered is None or rendered.count(_MARK) != 1:
        log.warning("the chat template can't be used for stories, so prompts will be plain text")
        return None
    before, after = rendered.split(_MARK)
    return StoryFormat(
        start=_without_bos(before, tokenizer),
        title=f"Title: {PLACE}\n",
        premise=f"Premise: {PLACE}\n",
        tags=f"Style: {PLACE}\n",
        body="The story so far:\n\n",
        passage_end="\n\n",
        hint=f"What has to happen next: {PLACE}\n\n",
        suffix=f"After the passage that you write, the story goes on like this:\n\n{PLACE}\n\n",
        answer=_TASK + after,
        stop=(),
    )


def _render(tokenizer: PreTrainedTokenizerBase) -> str | None:
    user = {"role": "user", "content": _MARK}
    with_system = [{"role": "system", "content": _SYSTEM}, user]
    without = [{"role": "user", "content": f"{_SYSTEM}\n\n{_MARK}"}]
    for turns in (with_system, without):
        try:
            text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        except Exception as error:  # a template is a program of the checkpoint: it may raise anything
            log.debug("the chat template refused %d turns: %s", len(turns), error)
            continue
        if isinstance(text, str) and _SYSTEM in text:  # some templates drop a role that they don't know
            return text
    return None


def _without_bos(text: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """Templates that write the beginning token lose it where the tokenizer adds it to every prompt anyway."""
    bos = tokenizer.bos_token
    begins = list(tokenizer("")["input_ids"])
    is_added = bool(begins) and begins[0] == tokenizer.bos_token_id
    return text.removeprefix(bos) if isinstance(bos, str) and bos and is_added else text
