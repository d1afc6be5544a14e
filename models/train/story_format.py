"""What a training example looks like: the special tokens around title, premise, hint and passages.

A story becomes one document::

    <|story|><|title|>The Bronze Ring<|premise|>a line of the story<|text|>
    first passage<|end|><|hint|>gold, hill<|text|>second passage<|end|>…

Hints and premises need no labels: they are drawn from the text that follows. A hint names content words of the next
passage, so that a model learns to write towards it; a premise is one of the story's first sentences. `StoryFormat`
is written into the checkpoint as ``story_format.json``; the worker announces it, and whoever builds prompts fills in
its templates.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from models.train.sources import Story

FILE_NAME = "story_format.json"
_SENTENCE_END = re.compile(r"(?<=[.!?])([\"')]*)\s+(?=[\"'(]?[A-Z])")
_WORD = re.compile(r"[A-Za-z][a-z']{3,}")


@dataclass(frozen=True)
class StoryFormat:
    """Templates with one place ``{text}`` each; their order in a prompt is the order of the fields."""

    version: int = 1
    start: str = "<|story|>"
    title: str = "<|title|>{text}"
    premise: str = "<|premise|>{text}"
    body: str = "<|text|>"
    passage_end: str = "<|end|>"
    hint: str = "<|hint|>{text}<|text|>"

    @property
    def special_tokens(self) -> list[str]:
        """Every marker once; the first is the document start, and `passage_end` is the end of a generation."""
        found = re.findall(r"<\|[a-z]+\|>", "".join(str(v) for v in asdict(self).values()))
        return list(dict.fromkeys(found))

    def save(self, folder: Path) -> None:
        """Writes the templates beside the weights."""
        (folder / FILE_NAME).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class ExampleOptions:
    """How often each part is shown, and how long passages are; chances are per story (or per passage for hints)."""

    title_chance: float = 0.6
    premise_chance: float = 0.4
    hint_chance: float = 0.3
    min_passage_words: int = 30
    max_passage_words: int = 110


def format_story(story: Story, fmt: StoryFormat, options: ExampleOptions, rng: random.Random) -> str:
    """The document that a story becomes. The same `rng` state gives the same document."""
    passages = split_passages(story.text, rng, options)
    head = fmt.start
    if story.title and rng.random() < options.title_chance:
        head += fmt.title.format(text=story.title)
    if rng.random() < options.premise_chance:
        head += fmt.premise.format(text=_draw_premise(passages[0], rng))
    body = [fmt.body]
    for passage in passages:
        words = content_words(passage)
        if words and rng.random() < options.hint_chance:
            chosen = rng.sample(words, k=min(len(words), rng.randint(1, 4)))
            body.append(fmt.hint.format(text=", ".join(chosen)))
        body.append(passage + fmt.passage_end)
    return head + "".join(body)


def split_passages(text: str, rng: random.Random, options: ExampleOptions) -> list[str]:
    """Cuts at sentence ends into runs of a drawn number of words; paragraph breaks inside a run are kept."""
    passages: list[str] = []
    current, words = "", 0
    target = rng.randint(options.min_passage_words, options.max_passage_words)
    for paragraph in text.split("\n\n"):
        for i, sentence in enumerate(split_sentences(paragraph)):
            current += ("" if not current else " " if i else "\n\n") + sentence
            words += len(sentence.split())
            if words >= target:
                passages.append(current)
                current, words = "", 0
                target = rng.randint(options.min_passage_words, options.max_passage_words)
    if current:
        passages.append(current)
    return passages


def split_sentences(paragraph: str) -> list[str]:
    """Sentences of a paragraph, each with its closing quotes."""
    marked = _SENTENCE_END.sub(lambda m: m.group(1) + "\n", paragraph)
    return [s for s in marked.split("\n") if s]


def content_words(passage: str) -> list[str]:
    """Distinct words that could be a hint: longer than three letters and not among the commonest of English."""
    return list(dict.fromkeys(w.lower() for w in _WORD.findall(passage) if w.lower() not in COMMON_WORDS))


def _draw_premise(first_passage: str, rng: random.Random) -> str:
    sentences = split_sentences(first_passage.replace("\n\n", " "))
    return rng.choice(sentences[:4])


# The words that a hint would not be made of: function words, and verbs that stand in nearly every passage.
COMMON_WORDS = frozenset(
    """about after again against almost along also always another asked away back because been before began being
    between both came cannot come could didn't does done down each else even ever every everyone everything felt
    first found from gave good have having heard here himself herself however into itself just knew know last left
    like little long looked made make many might more most much must myself never next nothing once only other ours
    over quite replied said same saying seemed shall should since some something soon still such take than that their
    them themselves then there these they thing things think this those though thought through till together told
    took under until upon very want wanted well went were what when where which while whole will with without would
    your yours yourself""".split()
)
