"""What looks like a tokenizer's special marker: a source must not be able to end a story or begin a hint."""

from __future__ import annotations

import re

from models.train.data.cleaning.step import Step, change_all

_MARKER = re.compile(
    r"<\|[^|<>\n]{0,60}\|>"  # GPT, Llama 3, ChatML, and the story format
    r"|</?(?:s|unk|pad|bos|eos|mask|cls|sep)>"  # SentencePiece models and RoBERTa
    r"|<(?:start_of_turn|end_of_turn)>"  # Gemma
    r"|\[(?:CLS|SEP|MASK|PAD|UNK|/?INST)\]"  # BERT, Llama 2
    r"|<</?SYS>>"
)


def marker_step() -> Step:
    """Every part of a story without markers."""
    return Step("markers", lambda story: change_all(story, drop_markers))


def drop_markers(text: str) -> str:
    """The text with a space where each marker was; nothing that is left reads as one."""
    found = 1
    while found:  # taking one out can bring two halves of another together
        text, found = _MARKER.subn(" ", text)
    return re.sub(r"(?<=\S) {2,}", " ", text).strip(" ")
