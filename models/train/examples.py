"""What a model is taught from a story: documents made of the story format's markers.

A story becomes one document::

    <|story|><|title|>The Bronze Ring<|premise|>a line of the story<|tags|>fairy tale<|text|>
    first passage<|end|><|hint|>gold, hill<|text|>second passage<|end|>…

and, now and then, one more that teaches to fill a gap (prefix, suffix, middle)::

    <|story|>…<|text|>what comes before<|end|><|after|>how it goes on after the gap<|text|>the gap's passage<|end|>

A share of the stories is shown as plain text instead, with nothing but a marker before it and with line breaks of
either kind, so that the model also reads text that nobody has prepared.

None of it needs labels: hints, premises and gaps are drawn from the story's own text. A hint names content words of the
next passage, or is its first clause, so that a model learns to write towards it; a premise is one of the story's first
sentences.
"""

from __future__ import annotations

import random
import re

from models.engine.story_format import PLACE, StoryFormat
from models.train.config import ExampleOptions
from models.train.sources import Story

_SENTENCE_END = re.compile(r"(?<=[.!?])([\"')]*)\s+(?=[\"'(]?[A-Z])")
_CLAUSE_END = re.compile(r"[,;:.!?]")
_WORD = re.compile(r"[A-Za-z][a-z']{3,}")
_BLANK_LINES = 0.5  # the share of plain text whose paragraphs have a blank line between them


def make_documents(story: Story, fmt: StoryFormat, options: ExampleOptions, rng: random.Random) -> list[str]:
    """What a story teaches: its own document, and one with a gap where chance and length allow it.

    The same `rng` state gives the same documents.
    """
    if options.plain_chance and rng.random() < options.plain_chance:
        return [fmt.body + (story.text if rng.random() < _BLANK_LINES else story.text.replace("\n\n", "\n"))]
    passages = split_passages(story.text, rng, options)
    documents = [_make_whole(story, passages, fmt, options, rng)]
    if fmt.suffix and len(passages) > 1 and rng.random() < options.gap_chance:
        documents.append(_make_gap(story, passages, fmt, options, rng))
    return documents


def _make_whole(
    story: Story, passages: list[str], fmt: StoryFormat, options: ExampleOptions, rng: random.Random
) -> str:
    body = [_make_head(story, passages[0], fmt, options, rng), fmt.body]
    for passage in passages:
        body += [_draw_hint(passage, fmt, options, rng), passage, fmt.passage_end]
    return "".join(body)


def _make_gap(story: Story, passages: list[str], fmt: StoryFormat, options: ExampleOptions, rng: random.Random) -> str:
    """A document whose last passage is the one that stands between what comes before and what comes after."""
    at = rng.randrange(len(passages) - 1)
    first = at
    while first > 0 and _num_words(passages[first - 1 : at]) <= options.max_words_before:
        first -= 1
    after = keep_sentences("\n\n".join(passages[at + 1 : at + 4]), options.max_words_after)
    before = "".join(passage + fmt.passage_end for passage in passages[first:at])
    head = _make_head(story, passages[0], fmt, options, rng) + fmt.body
    hint = _draw_hint(passages[at], fmt, options, rng)
    return head + before + fmt.with_suffix(hint, after) + passages[at] + fmt.passage_end


def _make_head(story: Story, first: str, fmt: StoryFormat, options: ExampleOptions, rng: random.Random) -> str:
    head = fmt.start
    if fmt.title and story.title and rng.random() < options.title_chance:
        head += fmt.title.replace(PLACE, story.title)
    if fmt.premise and rng.random() < options.premise_chance:
        head += fmt.premise.replace(PLACE, story.premise or _draw_premise(first, rng))
    if fmt.tags and story.tags and rng.random() < options.tags_chance:
        head += fmt.tags.replace(PLACE, ", ".join(story.tags))
    return head


def _draw_hint(passage: str, fmt: StoryFormat, options: ExampleOptions, rng: random.Random) -> str:
    """The hint before a passage, or nothing."""
    words = content_words(passage)
    if not fmt.hint or not words or rng.random() >= options.hint_chance:
        return ""
    if rng.random() < options.clause_share:
        return fmt.hint.replace(PLACE, first_clause(passage))
    chosen = rng.sample(words, k=min(len(words), rng.randint(1, 4)))
    return fmt.hint.replace(PLACE, ", ".join(chosen))


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


def keep_sentences(text: str, max_words: int) -> str:
    """The first sentences of a text, at least one, as long as they have `max_words` words together."""
    kept, words = "", 0
    for number, paragraph in enumerate(text.split("\n\n")):
        for place, sentence in enumerate(split_sentences(paragraph)):
            words += len(sentence.split())
            if kept and words > max_words:
                return kept
            kept += ("\n\n" if number and not place else " " if kept else "") + sentence
    return kept


def first_clause(passage: str) -> str:
    """The passage up to its first comma, colon or sentence end, without it; at most twelve words."""
    line = " ".join(passage.split())
    end = _CLAUSE_END.search(line, 8)  # a shorter piece is an exclamation or a name that is called
    clause = line[: end.start()] if end else line
    return " ".join(clause.strip("\"' ").split()[:12])


def _num_words(passages: list[str]) -> int:
    return sum(len(passage.split()) for passage in passages)


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
