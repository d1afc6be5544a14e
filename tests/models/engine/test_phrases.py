"""Banned phrases against a slow way: the whole text is decoded and searched, and all read anew, at every token."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.engine.checkpoint import Checkpoint
from models.engine.events import Delta, Event, FinishReason
from models.engine.families import build_network
from models.engine.interface import Engine
from models.engine.params import SamplingParams, row_seed
from models.engine.phrases import MAX_BACK_UPS, PhraseTree
from models.engine.request import Request
from models.engine.sampling import RowSampler, draw
from models.engine.serial import SerialEngine
from models.engine.weaving import WeavingEngine
from tests.models.engine.families import WINDOWED, make_model
from tests.models.tiny import drain, encode, finished, forced, texts, token_ids

PROMPT = "Once upon a time there was a dragon"
COMMON = ("a", "Is", " t", "on", "he ", "dragon")


@pytest.fixture(params=["weaving", "serial"])
def engine(request: pytest.FixtureRequest, checkpoint: Checkpoint) -> Engine:
    if request.param == "serial":
        return SerialEngine(checkpoint)
    return WeavingEngine(checkpoint, build_network(checkpoint), 2, 600)


def ask(checkpoint: Checkpoint, **changes: object) -> Request:
    asked: dict[str, object] = {"id": "r", "seed": 7, "max_tokens": 30, "banned_phrases": COMMON, **changes}
    ids = (token for token in encode(checkpoint, PROMPT) if token < checkpoint.vocab_size)
    return Request(prompt_ids=tuple(ids), **asked)  # type: ignore[arg-type]


def completed(text: str, phrases: tuple[str, ...]) -> int | None:
    """Where a phrase begins that is complete before any other, and of several the shortest."""
    text = text.lower()
    ends = [(text.index(p) + len(p), -text.index(p)) for p in (each.lower() for each in phrases) if p in text]
    return -min(ends)[1] if ends else None


@cache
def slow(checkpoint: Checkpoint, request: Request, index: int) -> tuple[int, ...]:
    """The row's tokens, its end token included. Remembered, since every engine is asked for the same."""
    sampler = RowSampler(request.sampling, row_seed(request.seed, index), request.prompt_ids)
    tokens: list[int] = []
    excluded: dict[tuple[int, ...], list[int]] = {}

    @cache
    def whole_of(ids: tuple[int, ...]) -> str:
        """What is whole: nothing is known of a token that ends in the middle of a character."""
        whole = str(checkpoint.tokenizer.decode(list(ids), skip_special_tokens=True))
        return whole_of(ids[:-1]) if whole.endswith("\ufffd") else whole

    def text(count: int) -> str:
        return whole_of(tuple(tokens[:count]))

    phrases, num_shown = [phrase.lower() for phrase in request.banned_phrases], 0
    while len(tokens) < request.max_tokens and not (tokens and tokens[-1] in checkpoint.end_ids):
        sampler.excluded = excluded.get(tuple(tokens), ())
        with torch.inference_mode():
            logits = checkpoint.model(torch.tensor([[*request.prompt_ids, *tokens]])).logits[:, -1]
        (token,) = draw([sampler], [logits])
        sampler.accept(token)
        tokens.append(token)
        begins = [len(text(count)) for count in range(len(tokens) + 1)]
        whole = text(len(tokens)).lower()
        start = completed(whole, request.banned_phrases)
        if start is not None:
            kept = next(count for count, begin in enumerate(begins) if begin > start) - 1
            kept = max(kept, next(count for count, begin in enumerate(begins) if begin >= num_shown))
            excluded.setdefault(tuple(tokens[:kept]), []).append(tokens[kept])
            sampler.take_back(len(tokens) - kept)
            del tokens[kept:]
        else:
            may_become = [i for i in range(len(whole)) if any(p.startswith(whole[i:]) for p in phrases)]
            free = min(may_become, default=len(whole))
            num_shown = max(num_shown, *(begin for begin in begins if begin <= free))
    return tuple(tokens)


def shown(events: list[Event], index: int) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta) and event.index == index)


@pytest.mark.parametrize(
    "sampling",
    [
        SamplingParams(temperature=0),
        SamplingParams(),
        SamplingParams(repetition_penalty=1.3, presence_penalty=0.5, dry_multiplier=0.0, top_k=40),
    ],
)
def test_rows_are_those_of_the_slow_way(engine: Engine, checkpoint: Checkpoint, sampling: SamplingParams) -> None:
    for seed in (1, 2):
        check(engine, checkpoint, ask(checkpoint, n=4, seed=seed, sampling=sampling))


@pytest.mark.parametrize("name", WINDOWED)
def test_rows_that_went_back_have_windows_of_their_own(name: str, llama: Checkpoint) -> None:
    model = make_model(name, llama)
    for engine in (WeavingEngine(model, build_network(model), 1, 600), SerialEngine(model)):
        check(engine, model, ask(model, n=4, seed=3, max_tokens=40))


def check(engine: Engine, checkpoint: Checkpoint, request: Request) -> None:
    """The request with its own words and others banned, which its rows would write by several tokens."""
    request = replace(request, banned_phrases=(*spans(checkpoint, request), "a", "Is"))
    events = drain(engine, request)
    assert len(finished(events)) == request.n
    for index, row in finished(events).items():
        expected = list(slow(checkpoint, request, index))
        assert row.num_tokens == len(expected)
        if expected[-1] in checkpoint.end_ids:
            expected.pop()
        assert token_ids(events, index) == expected
        text = texts(events)[index]
        assert text == checkpoint.tokenizer.decode(expected, skip_special_tokens=True)
        assert completed(text, request.banned_phrases) is None


@cache
def spans(checkpoint: Checkpoint, request: Request) -> list[str]:
    """What the rows would write by two and three tokens, at places that differ from row to row."""
    events = drain(SerialEngine(checkpoint), replace(request, banned_phrases=()))
    rows = [token_ids(events, index) for index in range(request.n)]
    found = [row[at : at + size] for k, row in enumerate(rows) for at, size in ((2 + k, 2), (9 + 2 * k, 3), (20, 3))]
    texts = [checkpoint.tokenizer.decode(ids, skip_special_tokens=True).strip("\ufffd") for ids in found]
    return [text for text in texts if len(text) > 1]


def test_something_was_taken_back(checkpoint: Checkpoint) -> None:
    """Else the test above would show nothing."""
    plain = drain(SerialEngine(checkpoint), ask(checkpoint, n=4, banned_phrases=()))
    assert sum(completed(text, COMMON) is not None for text in texts(plain).values()) >= 3


def test_the_logprobs_are_those_of_the_tokens_that_stay(engine: Engine, checkpoint: Checkpoint) -> None:
    request = ask(checkpoint, n=2, num_logprobs=1)
    events = drain(engine, request)
    for index in range(2):
        ids = [*request.prompt_ids, *token_ids(events, index)]
        with torch.inference_mode():
            reference = torch.log_softmax(checkpoint.model(torch.tensor([ids])).logits[0].float(), -1)
        rows = [one for e in events if isinstance(e, Delta) and e.index == index for one in e.logprobs]
        first = len(request.prompt_ids)
        expected = [float(reference[first + i - 1, ids[first + i]]) for i in range(len(rows))]
        assert len(rows) == len(ids) - first
        assert [one.logprob for one in rows] == pytest.approx(expected, abs=1e-4)


def test_a_request_that_goes_on_with_a_row_that_went_back_reads_only_what_is_new(checkpoint: Checkpoint) -> None:
    endless = replace(checkpoint, end_ids=frozenset())
    engine = WeavingEngine(endless, build_network(endless), 1, 600)
    request = ask(endless, n=3)
    events = drain(engine, request)
    for index in (2, 0):
        prompt = (*request.prompt_ids, *token_ids(events, index), *encode(endless, " and"))
        follow = Request("next", prompt, 5, max_tokens=12)
        assert texts(drain(engine, follow), "next") == texts(drain(SerialEngine(endless), follow), "next")


def test_the_words_are_found_across_tokens_and_held_back_until_they_cannot_come(llama: Checkpoint) -> None:
    script = [*encode(llama, "xy"), *encode(llama, "z"), *encode(llama, "Z"), *encode(llama, "q")]
    request = ask(llama, sampling=SamplingParams(temperature=0), banned_phrases=("xyz", "Yzz"), max_tokens=4)
    with forced(llama, script):
        engine = SerialEngine(llama)
        engine.add(request)
        pieces = [shown(engine.step(), 0) for _ in range(2)]
    assert len(script) == 5
    assert pieces == ["", ""], "x and y may both begin a phrase"


def test_case_counts_only_where_it_is_asked_for(llama: Checkpoint) -> None:
    for sensitive, expected in ((True, "DRAGON"), (False, "")):
        tree = PhraseTree(["dragon"], is_case_sensitive=sensitive)
        state, text = 0, ""
        for letter in "DRAGON":
            state = tree.step(state, letter)
            text += letter
            if tree.found[state]:
                text = ""
        assert text == expected


def test_a_stop_string_that_is_complete_first_ends_the_row(llama: Checkpoint) -> None:
    greedy = SamplingParams(temperature=0)
    with forced(llama, encode(llama, "abcd")):
        stopped = drain(SerialEngine(llama), ask(llama, sampling=greedy, stop=("bc",), banned_phrases=("bcd", "abc")))
    assert (texts(stopped), finished(stopped)[0].reason) == ({0: "a"}, FinishReason.STOP)


def test_what_a_stop_string_held_stays_hidden_while_the_token_behind_it_may_go(llama: Checkpoint) -> None:
    """x is taken back for "xq", and D comes instead: that makes END, of which nothing may have been shown."""
    (d,) = encode(llama, "D")
    sampling = SamplingParams(temperature=0, logit_bias=((d, 60.0),))
    with forced(llama, encode(llama, "ENxq")):
        events = drain(SerialEngine(llama), ask(llama, sampling=sampling, stop=("END",), banned_phrases=("xq",)))
    assert (texts(events), token_ids(events)) == ({0: ""}, [])
    assert (finished(events)[0].reason, finished(events)[0].num_tokens) == (FinishReason.STOP, 3)


def test_a_banned_phrase_that_is_complete_first_keeps_the_stop_string_from_coming(llama: Checkpoint) -> None:
    request = ask(llama, sampling=SamplingParams(temperature=0), stop=("bcd",), banned_phrases=("b",), max_tokens=3)
    with forced(llama, encode(llama, "abcd")):
        events = drain(SerialEngine(llama), request)
    assert texts(events)[0].startswith("a")
    assert "b" not in texts(events)[0].lower()
    assert finished(events)[0].num_tokens == 3


def test_a_row_that_finds_no_way_past_ends_and_says_so(engine: Engine, checkpoint: Checkpoint) -> None:
    letters = (*map(chr, range(0x20, 0x7F)), "\ufffd", "\n")
    events = drain(engine, ask(checkpoint, banned_phrases=letters, sampling=SamplingParams(top_k=1), n=2))
    for index, row in finished(events).items():
        assert completed(texts(events)[index], letters) is None
        assert row.reason in (FinishReason.BANNED_PHRASE, FinishReason.STOP)
    assert MAX_BACK_UPS < 300
    assert FinishReason.BANNED_PHRASE in {row.reason for row in finished(events).values()}


def test_a_phrase_that_is_complete_with_the_last_token_is_taken_back_too(
    engine: Engine, checkpoint: Checkpoint
) -> None:
    plain = drain(engine, ask(checkpoint, banned_phrases=(), max_tokens=6))
    phrase = texts(plain)[0][-3:]
    events = drain(engine, ask(checkpoint, banned_phrases=(phrase,), max_tokens=6))
    assert phrase.lower() not in texts(events)[0].lower()


PHRASES = st.lists(st.text("abA", min_size=1, max_size=4), max_size=4)


@given(PHRASES, st.text("abA", max_size=30), st.booleans())
def test_the_tree_finds_what_a_search_finds(phrases: list[str], text: str, sensitive: bool) -> None:
    tree, state = PhraseTree(phrases, is_case_sensitive=sensitive), 0
    if not sensitive:
        phrases = [phrase.lower() for phrase in phrases]
    for end in range(1, len(text) + 1):
        state = tree.step(state, text[end - 1])
        seen = text[:end] if sensitive else text[:end].lower()
        lengths = [len(phrase) for phrase in phrases if seen.endswith(phrase)]
        assert tree.found[state] == min(lengths, default=0)
        begun = [n for n in range(end + 1) if any(p.startswith(seen[end - n :]) for p in phrases)]
        assert tree.depth[state] == max(begun, default=0)
