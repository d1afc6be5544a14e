"""An n-gram model of bytes as a baseline: what counting alone achieves.

Interpolated with Witten-Bell smoothing (Witten and Bell 1991, https://doi.org/10.1109/18.87000), by NLTK: unlike its
Kneser-Ney model, which walks through all n-grams for each score, this one takes megabytes of text. Bytes are its
letters, so that it needs no tokenizer and its bits per byte are what they are. Each of the 256 bytes was seen once
more than it was, so that none is impossible.

What it does not know: story formats, hints and what comes after a passage; prompts are plain text to it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from nltk.lm import WittenBellInterpolated
from nltk.lm.vocabulary import Vocabulary

from models.engine.story_format import PLAIN, StoryFormat
from models.evaluate.bits import TextScore
from models.evaluate.subject import Ask, Candidate, NotAvailable, Tick, Timing, no_tick
from models.train.sources import SEPARATOR, read_stories

ORDER = 6
"""5 MB of English take about 250 MB of memory with it."""
MAX_ORDER = 10
BYTES_PER_TOKEN = 4
"""How long a text is when `max_tokens` are asked for: about as long as a BPE's tokens make it."""
_BYTES = range(256)


class NgramSubject:
    """See `subject.Subject`."""

    def __init__(self, text: bytes, order: int = ORDER) -> None:
        if not 2 <= order <= MAX_ORDER:
            raise ValueError(f"the n-gram's order is {order}; it must be between 2 and {MAX_ORDER}")
        self._order = order
        self._hash = hashlib.sha256(text).hexdigest()[:12]
        self._num_bytes = len(text)
        self._model = WittenBellInterpolated(order, vocabulary=Vocabulary(_BYTES, unk_cutoff=1))
        self._model.counts.update([((byte,) for byte in _BYTES), _grams(text, order)])
        self._chance = lru_cache(maxsize=1 << 18)(self._model.unmasked_score)

    @property
    def label(self) -> str:
        return f"{self._order}-gram of bytes"

    @property
    def templates(self) -> StoryFormat:
        return PLAIN

    @property
    def context_tokens(self) -> int | None:
        return None

    def describe(self) -> dict[str, Any]:
        return {
            "kind": "n-gram",
            "name": self.label,
            "revision": self._hash,
            "order": self._order,
            "smoothing": "Witten-Bell, interpolated (nltk.lm)",
            "trained_bytes": self._num_bytes,
        }

    def probability(self, byte: int, before: bytes) -> float:
        """Of one byte behind others; over all 256 bytes it sums to 1."""
        return float(self._chance(byte, tuple(before[max(0, len(before) - self._order + 1) :])))

    def num_tokens(self, text: str) -> int | None:
        return None

    def document_score(self, text: str) -> TextScore:
        return self.score("\n\n", text)

    def file_score(self, text: str) -> TextScore:
        return self.score("", text)

    def score(self, given: str, text: str) -> TextScore:
        """Every byte is a token, the first one of a text without anything before it included."""
        start, whole = len(given.encode()), (given + text).encode()
        if start == len(whole):
            raise NotAvailable("the text has no token to predict")
        span = self._order - 1
        nats = -sum(math.log(self.probability(whole[i], whole[max(0, i - span) : i])) for i in range(start, len(whole)))
        return TextScore(nats, len(whole) - start, len(whole) - start, self._order, 1)

    def write(self, asks: Sequence[Ask], tick: Tick = no_tick) -> list[tuple[Candidate, ...]]:
        """Draws from its own distribution, whatever way of drawing is asked for. It ends at a blank line."""
        answers = []
        for ask in asks:
            if ask.fields.get("must_include"):
                raise NotAvailable("an n-gram model can't be told what it must include")
            answers.append(tuple(self._draw(ask, ask.seed + row) for row in range(ask.n)))
            tick()
        return answers

    def close(self) -> None:
        """Nothing to let go of."""

    def time(self, ask: Ask) -> Timing:
        raise NotAvailable("the time of a table of counts says nothing")

    def _draw(self, ask: Ask, seed: int) -> Candidate:
        rng, start = Random(seed), len(ask.prompt.encode())
        written = bytearray(ask.prompt.encode())
        limit = start + ask.max_tokens * BYTES_PER_TOKEN
        while len(written) < limit and not written.endswith(b"\n\n", start):
            written.append(self._draw_byte(bytes(written[-self._order + 1 :]), rng))
        text = written[start:].decode(errors="replace").strip()
        return Candidate(text, len(written) < limit, len(written) - start, seed)

    def _draw_byte(self, before: bytes, rng: Random) -> int:
        """By going down to shorter contexts with Witten-Bell's own chance, which is the interpolation drawn from."""
        context = tuple(before)
        while context:
            seen = self._model.counts[context]
            if seen and rng.random() < seen.N() / (seen.N() + len(seen)):
                return _drawn(seen, rng)
            context = context[1:]
        return _drawn(self._model.counts.unigrams, rng)


def train_ngram(paths: Sequence[Path], order: int) -> NgramSubject:
    """From text files, each as it stands and as its stories: both are how texts are scored (see `likelihood`)."""
    texts: list[str] = []
    for path in paths:
        texts.append(path.read_text(encoding="utf-8", errors="replace").replace(SEPARATOR, "\n"))
        texts += [story.text for story in read_stories(path)]
    return NgramSubject("\n\n".join(texts).encode(), order)


def _grams(text: bytes, order: int) -> Iterator[tuple[int, ...]]:
    for size in range(1, order + 1):
        for start in range(len(text) - size + 1):
            yield tuple(text[start : start + size])


def _drawn(counts: Any, rng: Random) -> int:
    return int(rng.choices(list(counts), weights=list(counts.values()))[0])
