"""Every field of a request to a masked model is honoured, or refused with its name and the limit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.serve import masked_orders
from models.serve.config import load_config
from models.serve.loading import load
from models.serve.protocol import CompletionBody
from tests.models import masked
from tests.models.masked import AFTER, BEFORE, MIDDLE
from tests.models.serve.conftest import Worker, serve

Json = dict[str, Any]
BASE: Json = {"model": "tiny-bert", "prompt": BEFORE, "middle": MIDDLE, "suffix": AFTER, "seed": 5}
GAP: Json = {"model": "tiny-bert", "prompt": BEFORE, "suffix": AFTER, "seed": 5, "max_tokens": 6}
HOT: Json = {**BASE, "mask_share": 0.9}


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory, llama_folder: Path) -> Iterator[Worker]:
    folder = masked.make("bert", tmp_path_factory.mktemp("masked") / "tiny-bert")
    config = load_config(None, model=str(llama_folder), masked_model=str(folder), device="cpu", cache_mb="4")
    with serve(lambda: load(config), max_n=4, max_tokens=50) as running:
        yield running


def ask(worker: Worker, **fields: Any) -> Json:
    answer = worker.post(fields)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def text(worker: Worker, **fields: Any) -> str:
    return str(ask(worker, **fields)["choices"][0]["text"])


def model_is_repeated(worker: Worker) -> None:
    assert ask(worker, **BASE)["model"] == "tiny-bert"


def prompt_matters(worker: Worker) -> None:
    assert text(worker, **{**GAP, "prompt": "The cold night"}) != text(worker, **GAP)
    assert text(worker, **{**GAP, "prompt": [BEFORE]}) == text(worker, **GAP)


def suffix_matters_and_may_be_missing(worker: Worker) -> None:
    assert text(worker, **{**GAP, "suffix": " a bird"}) != text(worker, **GAP)
    without = {name: value for name, value in GAP.items() if name != "suffix"}
    assert text(worker, **without) == text(worker, **without, suffix="") != text(worker, **GAP)


def middle_comes_back_with_some_words_changed(worker: Worker) -> None:
    said = text(worker, **BASE)
    assert said != MIDDLE
    assert re.sub(r"\w+", "", said) == re.sub(r"\w+", "", MIDDLE)


def max_tokens_is_the_length_of_a_gap(worker: Worker) -> None:
    for length in (1, 6, 50):
        assert ask(worker, **{**GAP, "max_tokens": length})["usage"]["completion_tokens"] == length
    assert ask(worker, **{**GAP, "max_tokens": None})["usage"]["completion_tokens"] == 16


def mask_share_is_how_much_changes(worker: Worker) -> None:
    counts = [
        ask(worker, **BASE, **share)["usage"]["completion_tokens"]
        for share in ({}, {"mask_share": 0.05}, {"mask_share": 0.25}, {"mask_share": 0.9})
    ]
    assert counts == [4, 1, 4, 15]


def passes_count(worker: Worker) -> None:
    assert len({text(worker, **HOT, passes=passes) for passes in (1, 2, 6, 32)}) == 4
    assert text(worker, **HOT, passes=6) == text(worker, **HOT)


def order_counts(worker: Worker) -> None:
    assert text(worker, **HOT) == text(worker, **HOT, order="parallel") != text(worker, **HOT, order="left_to_right")


def keep_stays(worker: Worker) -> None:
    for seed in range(5):
        asked = {**HOT, "seed": seed}
        assert "The old dragon sat on the hill" in text(worker, **asked, keep=["the OLD dragon", "sat on the hill"])
    assert text(worker, **HOT, keep=[]) == text(worker, **HOT)


def n_gives_so_many_choices(worker: Worker) -> None:
    choices = ask(worker, **BASE, n=4)["choices"]
    assert [c["index"] for c in choices] == [0, 1, 2, 3]
    assert len({c["text"] for c in choices}) > 1


def seed_is_repeated(worker: Worker) -> None:
    assert ask(worker, **BASE)["choices"][0]["seed"] == 5
    assert text(worker, **BASE) == text(worker, **BASE) != text(worker, **{**BASE, "seed": 6})
    assert ask(worker, **{**BASE, "seed": 2**63 - 1})["choices"][0]["seed"] == 2**63 - 1


def stream_gives_events(worker: Worker) -> None:
    answer = worker.post({**BASE, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert worker.post({**BASE, "stream": False}).headers["content-type"] == "application/json"


def stream_options_add_usage(worker: Worker) -> None:
    assert "usage" not in worker.post({**BASE, "stream": True}).text
    assert (
        '"completion_tokens":4' in worker.post({**BASE, "stream": True, "stream_options": {"include_usage": True}}).text
    )


def temperature_zero_is_greedy(worker: Worker) -> None:
    gap = {**GAP, "temperature": 0}
    assert text(worker, **gap) == text(worker, **{**gap, "seed": 6}) != text(worker, **GAP)


def truncation(name: str, tight: float, loose: float) -> Callable[[Worker], None]:
    def check(worker: Worker) -> None:
        once = {**GAP, "passes": 1}
        assert text(worker, **once, **{name: tight}) == text(worker, **once, temperature=0) != text(worker, **once)
        assert text(worker, **once, **{name: loose}) == text(worker, **once)

    return check


def banned_phrases_never_appear(worker: Worker) -> None:
    banned = {"banned_phrases": ["a", "E"], "banned_phrases_case_sensitive": False}
    for seed in range(3):
        gap, passage = (ask(worker, **{**fields, "seed": seed}, **banned)["choices"][0] for fields in (GAP, HOT))
        assert {gap["finish_reason"], passage["finish_reason"]} == {"stop"}
        assert not set("aAeE") & set(gap["text"])
        pairs = zip(re.findall(r"\w+", passage["text"]), re.findall(r"\w+", MIDDLE), strict=True)
        changed = "".join(new for new, old in pairs if new != old)
        assert changed
        assert not set("aAeE") & set(changed)
    assert set("ae") & set(text(worker, **{**GAP, "max_tokens": 50}))


def banned_phrases_may_mind_the_case(worker: Worker) -> None:
    gap = {**GAP, "prompt": "The cat.", "suffix": "", "max_tokens": 1, "temperature": 0}
    said = text(worker, **gap).strip()
    assert said[0].isupper(), "it begins a sentence"
    assert text(worker, **gap, banned_phrases=[said.lower()]).strip() != said
    assert text(worker, **gap, banned_phrases=[said.lower()], banned_phrases_case_sensitive=True).strip() == said


def best_of_may_be_n(worker: Worker) -> None:
    assert text(worker, **BASE, best_of=1) == text(worker, **BASE)
    assert len(ask(worker, **BASE, n=2, best_of=2)["choices"]) == 2


def neutral(name: str, *values: Any) -> Callable[[Worker], None]:
    def check(worker: Worker) -> None:
        for value in (None, *values):
            assert text(worker, **BASE, **{name: value}) == text(worker, **BASE)

    return check


HONOURED: dict[str, Callable[[Worker], None]] = {
    "model": model_is_repeated,
    "prompt": prompt_matters,
    "suffix": suffix_matters_and_may_be_missing,
    "middle": middle_comes_back_with_some_words_changed,
    "max_tokens": max_tokens_is_the_length_of_a_gap,
    "mask_share": mask_share_is_how_much_changes,
    "passes": passes_count,
    "order": order_counts,
    "keep": keep_stays,
    "n": n_gives_so_many_choices,
    "seed": seed_is_repeated,
    "stream": stream_gives_events,
    "stream_options": stream_options_add_usage,
    "temperature": temperature_zero_is_greedy,
    "top_k": truncation("top_k", 1, -1),
    "top_p": truncation("top_p", 1e-6, 1),
    "min_p": truncation("min_p", 1, 0),
    "banned_phrases": banned_phrases_never_appear,
    "banned_phrases_case_sensitive": banned_phrases_may_mind_the_case,
    "best_of": best_of_may_be_n,
    "typical_p": neutral("typical_p", 1),
    "repetition_penalty": neutral("repetition_penalty", 1),
    "presence_penalty": neutral("presence_penalty", 0),
    "frequency_penalty": neutral("frequency_penalty", 0),
    "logit_bias": neutral("logit_bias", {}),
    "dry_multiplier": neutral("dry_multiplier", 0),
    "must_include": neutral("must_include", []),
    "penalty_alpha": neutral("penalty_alpha", 0),
    "beam_width": neutral("beam_width", 1),
    "stop": neutral("stop", []),
    "echo": neutral("echo", False),
}
# Fields with no value that asks for nothing, and one that each takes elsewhere.
REFUSED: dict[str, Any] = {
    "logprobs": 0,
    "user": "me",
    "dry_base": 1.75,
    "dry_allowed_length": 2,
    "dry_penalty_last_n": -1,
    "dry_sequence_breakers": [],
    "must_include_strength": 2,
    "length_penalty": 1,
    "early_stopping": False,
}


@pytest.mark.parametrize("name", HONOURED)
def test_a_field_is_honoured(name: str, worker: Worker) -> None:
    HONOURED[name](worker)


@pytest.mark.parametrize("name", sorted(CompletionBody.model_fields.keys() - HONOURED.keys()))
def test_any_other_field_is_refused_by_its_name(name: str, worker: Worker) -> None:
    value = REFUSED.get(name)
    if value is None:
        pytest.fail(f"the field {name} is new: masked models honour or refuse it, and a test here says which")
    answer = worker.post({**BASE, name: value})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, name)
    assert f"{name} is not for masked models" in error["message"]


BAD: list[tuple[Json, str, str]] = [
    ({"prompt": [1, 2]}, "prompt", "one text"),
    ({"prompt": ["a", "b"]}, "prompt", "one text"),
    ({"middle": ""}, "middle", "at least 1 other"),
    ({"middle": "Anna 7!"}, "middle", "no word that may change"),
    ({"middle": 7}, "middle", "string"),
    ({"keep": ["the cat"], "middle": "the cat"}, "middle", "no word that may change"),
    ({"middle": " cat" * 63}, "middle", "63 tokens, and this model reads at most 62"),
    ({"max_tokens": 16}, "max_tokens", "not for middle"),
    ({"max_tokens": 0}, "max_tokens", "not for middle"),
    ({"mask_share": 0.049}, "mask_share", "between 0.05 and 0.9"),
    ({"mask_share": 0.901}, "mask_share", "between 0.05 and 0.9"),
    ({"mask_share": "0.5"}, "mask_share", "number"),
    ({"passes": 0}, "passes", "between 1 and 32"),
    ({"passes": 33}, "passes", "between 1 and 32"),
    ({"passes": 1.5}, "passes", "integer"),
    ({"order": "backwards"}, "order", "'parallel' or 'left_to_right'"),
    ({"order": 1}, "order", "string"),
    ({"keep": ["x"] * 101}, "keep", "at most 100"),
    ({"keep": [""]}, "keep", "1 to 200"),
    ({"keep": ["  "]}, "keep", "not only spaces"),
    ({"keep": ["x" * 201]}, "keep", "1 to 200"),
    ({"keep": "cat"}, "keep", "array"),
    ({"n": 0}, "n", "between 1 and 4"),
    ({"n": 5}, "n", "between 1 and 4"),
    ({"seed": -1}, "seed", "between 0 and"),
    ({"seed": 2**63}, "seed", "between 0 and"),
    ({"temperature": 2.1}, "temperature", "between 0 and 2"),
    ({"top_k": -2}, "top_k", "0 (no limit) or more"),
    ({"top_p": 0}, "top_p", "above 0"),
    ({"min_p": 1.1}, "min_p", "between 0 and 1"),
    ({"stream_options": {"include_usage": True}}, "stream_options", "only for stream=true"),
    ({"banned_phrases": ["x"] * 101}, "banned_phrases", "at most 100"),
    ({"banned_phrases_case_sensitive": True}, "banned_phrases_case_sensitive", "only for banned_phrases"),
    ({"best_of": 2}, "best_of", "not for masked models"),
    ({"typical_p": 0.9}, "typical_p", "not for masked models"),
    ({"repetition_penalty": 1.1}, "repetition_penalty", "not for masked models"),
    ({"presence_penalty": 0.1}, "presence_penalty", "not for masked models"),
    ({"frequency_penalty": 0.1}, "frequency_penalty", "not for masked models"),
    ({"logit_bias": {"5": 1}}, "logit_bias", "not for masked models"),
    ({"dry_multiplier": 0.8}, "dry_multiplier", "not for masked models"),
    ({"must_include": ["cat"]}, "must_include", "not for masked models"),
    ({"penalty_alpha": 0.6}, "penalty_alpha", "not for masked models"),
    ({"beam_width": 2}, "beam_width", "not for masked models"),
    ({"stop": "x"}, "stop", "not for masked models"),
    ({"echo": True}, "echo", "not for masked models"),
]
BAD_GAP: list[tuple[Json, str, str]] = [
    ({"max_tokens": 0}, "max_tokens", "between 1 and 50"),
    ({"max_tokens": 51}, "max_tokens", "between 1 and 50"),
    ({"mask_share": 0.5}, "mask_share", "only for middle"),
    ({"keep": ["cat"]}, "keep", "only for middle"),
]


@pytest.mark.parametrize(
    ("base", "change", "param", "words"),
    [(BASE, *bad) for bad in BAD] + [(GAP, *bad) for bad in BAD_GAP],
    ids=[str(i) for i in range(len(BAD) + len(BAD_GAP))],
)
def test_a_bad_value_is_refused_with_its_name_and_the_limit(
    base: Json, change: Json, param: str, words: str, worker: Worker
) -> None:
    answer = worker.post({**base, **change})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error"), error
    assert words in error["message"]


def test_the_limits_themselves_are_taken(worker: Worker) -> None:
    longest = "the" + " cat" * 61
    for fields in (
        {"mask_share": 0.05},
        {"mask_share": 0.9},
        {"passes": 1},
        {"passes": 32},
        {"keep": ["x" * 200] * 100},
        {"middle": longest},
        {"temperature": 2.0},
    ):
        assert worker.post({**BASE, **fields}).status_code == 200, fields


def test_very_many_readings_are_refused_with_the_limit(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = {**BASE, "order": "left_to_right", "mask_share": 0.5, "passes": 4}
    monkeypatch.setattr(masked_orders, "MAX_FORWARDS", 32)
    assert worker.post(slow).status_code == 200, "8 words, 4 times"
    answer = worker.post({**slow, "passes": 5})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "passes")
    assert "5 over 8 words" in answer.json()["error"]["message"]
    assert "together 40 readings, and at most 32" in answer.json()["error"]["message"]
    assert worker.post({**slow, "passes": 32, "order": "parallel"}).status_code == 200


def test_a_refusal_is_counted(worker: Worker) -> None:
    before = worker.metric("talewright_requests_total", outcome="refused")
    worker.post({**BASE, "passes": 0})
    assert worker.metric("talewright_requests_total", outcome="refused") == before + 1
