"""Every field of a completion request is honoured, or refused with its name and the limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from models.engine.checkpoint import Checkpoint
from models.serve.protocol import CompletionBody
from tests.models.serve.conftest import Worker

Json = dict[str, Any]
BASE: Json = {"model": "tiny-llama", "prompt": "Once upon a time", "max_tokens": 12, "seed": 5}
GREEDY: Json = {**BASE, "temperature": 0}


def ask(worker: Worker, **fields: Any) -> Json:
    answer = worker.post({**BASE, **fields})
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def text(worker: Worker, **fields: Any) -> str:
    return str(ask(worker, **fields)["choices"][0]["text"])


def prompt_matters(worker: Worker) -> None:
    assert text(worker, temperature=0) != text(worker, temperature=0, prompt="a dragon")


def model_is_repeated(worker: Worker) -> None:
    assert ask(worker)["model"] == "tiny-llama"


def n_gives_so_many_choices(worker: Worker) -> None:
    choices = ask(worker, n=3)["choices"]
    assert [c["index"] for c in choices] == [0, 1, 2]
    assert len({c["text"] for c in choices}) == 3


def max_tokens_bounds_the_answer(worker: Worker) -> None:
    assert ask(worker, max_tokens=3, temperature=0)["usage"]["completion_tokens"] == 3
    assert ask(worker, max_tokens=None, temperature=0)["usage"]["completion_tokens"] == 16


def stream_gives_events(worker: Worker) -> None:
    answer = worker.post({**BASE, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert worker.post({**BASE, "stream": False}).headers["content-type"] == "application/json"


def stream_options_add_usage(worker: Worker) -> None:
    without = worker.post({**BASE, "stream": True}).text
    with_it = worker.post({**BASE, "stream": True, "stream_options": {"include_usage": True}}).text
    assert "usage" not in without
    assert '"completion_tokens":12' in with_it


def temperature_zero_is_greedy(worker: Worker) -> None:
    assert text(worker, temperature=0, seed=1) == text(worker, temperature=0, seed=2)
    assert text(worker, temperature=1.5, seed=1) != text(worker, temperature=1.5, seed=2)


def temperature_is_a_matter_of_degree(worker: Worker) -> None:
    assert text(worker, temperature=0.01) == text(worker, temperature=0) != text(worker, temperature=2)


def top_p_truncates(worker: Worker) -> None:
    assert text(worker, top_p=1e-6) == text(worker, temperature=0) != text(worker)


def top_k_truncates(worker: Worker) -> None:
    assert text(worker, top_k=1) == text(worker, temperature=0) != text(worker)
    assert text(worker, top_k=-1) == text(worker, top_k=0) == text(worker)


def min_p_truncates(worker: Worker) -> None:
    assert text(worker, min_p=1) == text(worker, temperature=0) != text(worker)


def typical_p_truncates(worker: Worker) -> None:
    assert text(worker, typical_p=1e-6) != text(worker) == text(worker, typical_p=1)


def logit_bias_moves_the_choice(worker: Worker) -> None:
    assert text(worker, logit_bias={"50": 100}, max_tokens=3) == 3 * text(worker, prompt=[50], max_tokens=0, echo=True)
    assert text(worker, logit_bias={}) == text(worker)


DRY: Json = {"temperature": 0, "max_tokens": 60, "dry_multiplier": 5}


def dry_multiplier_changes_the_choice(worker: Worker) -> None:
    assert text(worker, **DRY) != text(worker, **{**DRY, "dry_multiplier": 0})


def dry_base_counts(worker: Worker) -> None:
    tame = {**DRY, "dry_multiplier": 0.1, "prompt": "on a hill of gold on a hill of"}
    assert text(worker, **tame, dry_base=1) != text(worker, **tame, dry_base=10)


def dry_allowed_length_counts(worker: Worker) -> None:
    assert text(worker, **DRY, dry_allowed_length=50) == text(worker, **{**DRY, "dry_multiplier": 0})


def dry_penalty_last_n_counts(worker: Worker) -> None:
    plain = text(worker, **{**DRY, "dry_multiplier": 0})
    assert text(worker, **DRY, dry_penalty_last_n=0) == plain != text(worker, **DRY, dry_penalty_last_n=-1)
    assert text(worker, **DRY, dry_penalty_last_n=2) == plain


def dry_sequence_breakers_end_a_repetition(worker: Worker) -> None:
    plain = text(worker, **{**DRY, "dry_multiplier": 0})
    assert text(worker, **DRY, dry_sequence_breakers=[*"abcdefghijklm"]) != text(worker, **DRY)
    assert plain != text(worker, **DRY, dry_sequence_breakers=[])


def banned_phrases_do_not_appear(worker: Worker) -> None:
    whole = text(worker)
    for banned in (whole[2:4], whole[2:4].swapcase()):
        choice = ask(worker, banned_phrases=["never seen", banned])["choices"][0]
        assert banned.lower() not in choice["text"].lower()
        assert choice["text"].startswith(whole[0])
    assert ask(worker, banned_phrases=[whole[2:4]])["usage"]["completion_tokens"] <= 12
    assert text(worker, banned_phrases=[]) == whole


def case_counts_where_it_is_asked_for(worker: Worker) -> None:
    whole = text(worker)
    letters = next(whole[i : i + 2] for i in range(len(whole)) if whole[i : i + 2].isalpha())
    fields = {"banned_phrases": [letters.swapcase()]}
    assert text(worker, **fields, banned_phrases_case_sensitive=True) == whole
    assert text(worker, **fields, banned_phrases_case_sensitive=False) != whole


WORDS: Json = {"must_include": ["castle", "Ink"], "max_tokens": 40}


def must_include_brings_words(worker: Worker) -> None:
    assert "castle" not in text(worker, max_tokens=40)
    found = text(worker, **WORDS).lower()
    assert "castle" in found
    assert "ink" in found
    assert text(worker, must_include=[]) == text(worker)


def must_include_strength_counts(worker: Worker) -> None:
    assert text(worker, **WORDS, must_include_strength=0) == text(worker, max_tokens=40)
    early, late = (text(worker, **WORDS, must_include_strength=s).lower().index("castle") for s in (10, 1))
    assert early < late


def penalty_alpha_searches(worker: Worker) -> None:
    fields: Json = {"top_k": 4, "max_tokens": 30}
    found = [text(worker, **fields, penalty_alpha=alpha, seed=seed) for alpha in (0.1, 0.9) for seed in (1, 2)]
    assert found[0] == found[1] != found[2] == found[3]
    assert text(worker, penalty_alpha=0) == text(worker)


def beam_width_searches(worker: Worker) -> None:
    fields: Json = {"frequency_penalty": 2, "beam_width": 4}
    choices = ask(worker, **fields, n=3)["choices"]
    assert len({choice["text"] for choice in choices}) == 3
    assert choices[0]["text"] != text(worker, temperature=0, frequency_penalty=2), "beams found a likelier text"
    assert text(worker, **fields, seed=8) == text(worker, **fields, seed=9) == choices[0]["text"]
    assert text(worker, beam_width=1) == text(worker)


def length_penalty_counts(worker: Worker) -> None:
    fields: Json = {"beam_width": 4, "n": 4, "max_tokens": 60, "logit_bias": {"3": 4}}
    short, long = (ask(worker, **fields, length_penalty=p)["usage"]["completion_tokens"] for p in (-10, 10))
    assert short < long


def early_stopping_counts(worker: Worker) -> None:
    fields: Json = {"beam_width": 4, "n": 4, "max_tokens": 60, "logit_bias": {"3": 4}}
    lengths = [ask(worker, **fields, early_stopping=e)["usage"]["completion_tokens"] for e in (True, "never")]
    assert lengths[0] < lengths[1]


def repetition_penalty_changes_the_choice(worker: Worker) -> None:
    assert text(worker, temperature=0, repetition_penalty=5) != text(worker, temperature=0, repetition_penalty=1)


def presence_penalty_changes_the_choice(worker: Worker) -> None:
    fields = {"temperature": 0, "max_tokens": 60}
    assert text(worker, **fields, presence_penalty=2) != text(worker, **fields, presence_penalty=0)


def frequency_penalty_changes_the_choice(worker: Worker) -> None:
    fields = {"temperature": 0, "max_tokens": 60}
    assert text(worker, **fields, frequency_penalty=2) != text(worker, **fields, frequency_penalty=0)


def seed_decides_the_text(worker: Worker) -> None:
    assert text(worker, seed=1) == text(worker, seed=1) != text(worker, seed=2)
    assert ask(worker, seed=1)["choices"][0]["seed"] == 1
    fresh = [ask(worker, seed=None)["choices"][0] for _ in range(2)]
    assert fresh[0]["seed"] != fresh[1]["seed"]
    assert fresh[0]["text"] != fresh[1]["text"]


def stop_ends_the_text(worker: Worker) -> None:
    whole = text(worker)
    stop = whole[4:6]
    for given in (stop, ["never seen", stop]):
        choice = ask(worker, stop=given)["choices"][0]
        assert choice["text"] == whole[: whole.index(stop)]
        assert choice["finish_reason"] == "stop"


def logprobs_are_given(worker: Worker) -> None:
    assert ask(worker)["choices"][0]["logprobs"] is None
    for num in (0, 5):
        given = ask(worker, logprobs=num)["choices"][0]["logprobs"]
        assert len(given["tokens"]) == len(given["token_logprobs"]) == len(given["text_offset"]) == 12
        assert all(max(num, 1) <= len(top) <= num + 1 for top in given["top_logprobs"])


def echo_repeats_the_prompt(worker: Worker) -> None:
    assert text(worker, echo=True) == BASE["prompt"] + text(worker)


def suffix_is_what_the_answer_leads_to(worker: Worker) -> None:
    """The answer is the one to the prompt that the model was taught to read so; tokens of both are counted."""
    gap = worker.post({**BASE, "suffix": "the hill of gold"}).json()
    spelt = worker.post({**BASE, "prompt": f"{BASE['prompt']}<|after|>the hill of gold<|text|>"}).json()
    assert gap["choices"] == spelt["choices"]
    assert gap["usage"] == spelt["usage"]
    assert gap["choices"] != worker.post(BASE).json()["choices"]
    ids = worker.post({"prompt": BASE["prompt"]}, "/tokenize").json()["tokens"]
    assert worker.post({**BASE, "prompt": ids, "suffix": "the hill of gold"}).json()["choices"] == spelt["choices"]


HONOURED: dict[str, Callable[[Worker], None]] = {
    "model": model_is_repeated,
    "prompt": prompt_matters,
    "n": n_gives_so_many_choices,
    "max_tokens": max_tokens_bounds_the_answer,
    "stream": stream_gives_events,
    "stream_options": stream_options_add_usage,
    "temperature": temperature_zero_is_greedy,
    "top_p": top_p_truncates,
    "top_k": top_k_truncates,
    "min_p": min_p_truncates,
    "typical_p": typical_p_truncates,
    "logit_bias": logit_bias_moves_the_choice,
    "dry_multiplier": dry_multiplier_changes_the_choice,
    "dry_base": dry_base_counts,
    "dry_allowed_length": dry_allowed_length_counts,
    "dry_penalty_last_n": dry_penalty_last_n_counts,
    "dry_sequence_breakers": dry_sequence_breakers_end_a_repetition,
    "banned_phrases": banned_phrases_do_not_appear,
    "banned_phrases_case_sensitive": case_counts_where_it_is_asked_for,
    "must_include": must_include_brings_words,
    "must_include_strength": must_include_strength_counts,
    "penalty_alpha": penalty_alpha_searches,
    "beam_width": beam_width_searches,
    "length_penalty": length_penalty_counts,
    "early_stopping": early_stopping_counts,
    "repetition_penalty": repetition_penalty_changes_the_choice,
    "presence_penalty": presence_penalty_changes_the_choice,
    "frequency_penalty": frequency_penalty_changes_the_choice,
    "seed": seed_decides_the_text,
    "stop": stop_ends_the_text,
    "logprobs": logprobs_are_given,
    "echo": echo_repeats_the_prompt,
    "suffix": suffix_is_what_the_answer_leads_to,
}

# field, a value that is refused, a part of the message; beside it a neutral value that passes.
UNSERVED: dict[str, tuple[Any, str, Any]] = {
    "best_of": (3, "best_of must equal n", 1),
    "user": ("someone", "user is not served", None),
    "middle": ("a dragon", "only masked models take middle", None),
    "mask_share": (0.25, "only masked models take mask_share", None),
    "passes": (6, "only masked models take passes", None),
    "order": ("parallel", "only masked models take order", None),
    "keep": ([], "only masked models take keep", None),
}


def test_no_field_is_left_out() -> None:
    assert HONOURED.keys() | UNSERVED.keys() == CompletionBody.model_fields.keys()


@pytest.mark.parametrize("field", HONOURED)
def test_a_field_is_honoured(field: str, worker: Worker) -> None:
    HONOURED[field](worker)


def test_the_temperature_counts_between_its_ends(worker: Worker) -> None:
    temperature_is_a_matter_of_degree(worker)


@pytest.mark.parametrize("field", UNSERVED)
def test_a_field_that_is_not_served_is_refused_unless_neutral(field: str, worker: Worker) -> None:
    refused, words, neutral = UNSERVED[field]
    answer = worker.post({**BASE, field: refused})
    assert answer.status_code == 400
    assert words in answer.json()["error"]["message"]
    assert answer.json()["error"]["param"] == field
    assert worker.post({**BASE, field: neutral}).status_code == 200


BAD: list[tuple[Json, str, str]] = [
    ({"n": 0}, "n", "between 1 and 4"),
    ({"n": 5}, "n", "between 1 and 4"),
    ({"n": "2"}, "n", "integer"),
    ({"n": True}, "n", "integer"),
    ({"max_tokens": -1}, "max_tokens", "between 0 and 150"),
    ({"max_tokens": 151}, "max_tokens", "between 0 and 150"),
    ({"temperature": 2.5}, "temperature", "between 0 and 2"),
    ({"temperature": -1}, "temperature", "between 0 and 2"),
    ({"top_p": 0}, "top_p", "above 0 and at most 1"),
    ({"top_k": -2}, "top_k", "0 (no limit) or more"),
    ({"min_p": 1.5}, "min_p", "between 0 and 1"),
    ({"repetition_penalty": 0}, "repetition_penalty", "above 0 and at most 10"),
    ({"presence_penalty": 3}, "presence_penalty", "between -2 and 2"),
    ({"frequency_penalty": -3}, "frequency_penalty", "between -2 and 2"),
    ({"seed": -1}, "seed", "between 0 and 9223372036854775807"),
    ({"seed": 2**63}, "seed", ""),
    ({"seed": 1.5}, "seed", "integer"),
    ({"stop": ["x"] * 9}, "stop", "at most 8"),
    ({"stop": ""}, "stop", "1 to 200"),
    ({"stop": ["x" * 201]}, "stop", "1 to 200"),
    ({"stop": 3}, "stop", "string or a list of strings"),
    ({"logprobs": 6}, "logprobs", "between 0 and 5"),
    ({"logprobs": True}, "logprobs", "integer"),
    ({"echo": "yes"}, "echo", "boolean"),
    ({"stream": 1}, "stream", "boolean"),
    ({"stream_options": {"include_usage": True}}, "stream_options", "only for stream=true"),
    ({"stream": True, "stream_options": {"obfuscate": True}}, "stream_options.obfuscate", "unknown field"),
    ({"prompt": ["one", "two"]}, "prompt", "at most 1"),
    ({"prompt": 5}, "prompt", "a string, a list of token ids"),
    ({"prompt": None}, "prompt", "a string, a list of token ids"),
    ({"prompt": [1, 100_000]}, "prompt", "prompt[1] is 100000"),
    ({"prompt": [-1]}, "prompt", "from 0 to"),
    ({"prompt": [1, "x"]}, "prompt", "a string, a list of token ids"),
    ({"prompt": "dragon " * 180}, "prompt", "limit is 192"),
    ({"tempurature": 1}, "tempurature", "unknown field tempurature"),
    ({"typical_p": 0}, "typical_p", "above 0 and at most 1"),
    ({"logit_bias": {"100000": 1}}, "logit_bias", "from 0 to"),
    ({"logit_bias": {"-1": 1}}, "logit_bias", "from 0 to"),
    ({"logit_bias": {"dragon": 1}}, "logit_bias", "'dragon'"),
    ({"logit_bias": {"5": 100.5}}, "logit_bias", "between -100 and 100"),
    ({"logit_bias": {str(i): 1 for i in range(301)}}, "logit_bias", "at most 300"),
    ({"logit_bias": [1]}, "logit_bias", "object"),
    ({"dry_multiplier": -1}, "dry_multiplier", "between 0 and 100"),
    ({"dry_base": 0.5}, "dry_base", "between 1 and 10"),
    ({"dry_allowed_length": 0}, "dry_allowed_length", "between 1 and 50"),
    ({"dry_penalty_last_n": -2}, "dry_penalty_last_n", "-1 (the whole text) or more"),
    ({"dry_sequence_breakers": ["x"] * 17}, "dry_sequence_breakers", "at most 16"),
    ({"banned_phrases": ["x"] * 101}, "banned_phrases", "at most 100"),
    ({"banned_phrases": [""]}, "banned_phrases", "1 to 200"),
    ({"banned_phrases": ["x" * 201]}, "banned_phrases", "1 to 200"),
    ({"banned_phrases": "x"}, "banned_phrases", "array"),
    ({"banned_phrases_case_sensitive": 1}, "banned_phrases_case_sensitive", "boolean"),
    ({"banned_phrases_case_sensitive": True}, "banned_phrases_case_sensitive", "only for banned_phrases"),
    ({"beam_width": 0}, "beam_width", "between 1 (no beam search) and 4"),
    ({"beam_width": 5}, "beam_width", "between 1 (no beam search) and 4"),
    ({"beam_width": 2, "n": 3}, "n", "at most beam_width (2)"),
    ({"beam_width": 2, "temperature": 0.5}, "temperature", "beam_width draws none"),
    ({"beam_width": 2, "top_k": 5}, "top_k", "beam_width draws none"),
    ({"beam_width": 2, "top_p": 0.5}, "top_p", "beam_width draws none"),
    ({"beam_width": 2, "min_p": 0.5}, "min_p", "beam_width draws none"),
    ({"beam_width": 2, "typical_p": 0.5}, "typical_p", "beam_width draws none"),
    ({"beam_width": 2, "stop": "x"}, "stop", "not for beam_width"),
    ({"beam_width": 2, "logprobs": 0}, "logprobs", "not for beam_width"),
    ({"beam_width": 2, "banned_phrases": ["x"]}, "banned_phrases", "not for beam_width"),
    ({"beam_width": 2, "must_include": ["x"]}, "must_include", "not for beam_width"),
    ({"must_include": ["x"] * 17}, "must_include", "at most 16"),
    ({"must_include": ["x" * 41]}, "must_include", "1 to 40"),
    ({"must_include": [" x"]}, "must_include", "no space at its ends"),
    ({"must_include": ["Dragon"], "banned_phrases": ["drag"]}, "must_include", "which banned_phrases forbids"),
    ({"must_include": ["x"], "must_include_strength": 11}, "must_include_strength", "between 0 and 10"),
    ({"must_include_strength": 1}, "must_include_strength", "only for must_include"),
    ({"penalty_alpha": 1.5, "top_k": 4}, "penalty_alpha", "above 0 and at most 1"),
    ({"penalty_alpha": -0.5, "top_k": 4}, "penalty_alpha", "above 0 and at most 1"),
    ({"penalty_alpha": 0.5}, "top_k", "between 2 and 4"),
    ({"penalty_alpha": 0.5, "top_k": 5}, "top_k", "between 2 and 4"),
    ({"penalty_alpha": 0.5, "top_k": 4, "n": 2}, "n", "1 answer"),
    ({"penalty_alpha": 0.5, "top_k": 4, "temperature": 0.5}, "temperature", "penalty_alpha draws none"),
    ({"penalty_alpha": 0.5, "top_k": 4, "top_p": 0.5}, "top_p", "penalty_alpha draws none"),
    ({"penalty_alpha": 0.5, "top_k": 4, "min_p": 0.5}, "min_p", "penalty_alpha draws none"),
    ({"penalty_alpha": 0.5, "top_k": 4, "typical_p": 0.5}, "typical_p", "penalty_alpha draws none"),
    ({"penalty_alpha": 0.5, "top_k": 4, "banned_phrases": ["x"]}, "banned_phrases", "not for penalty_alpha"),
    ({"penalty_alpha": 0.5, "beam_width": 2}, "beam_width", "not for penalty_alpha"),
    ({"beam_width": 2, "length_penalty": 11}, "length_penalty", "between -10 and 10"),
    ({"beam_width": 2, "early_stopping": "soon"}, "early_stopping", '"never"'),
    ({"beam_width": 2, "early_stopping": 1}, "early_stopping", '"never"'),
    ({"length_penalty": 1}, "length_penalty", "only for a beam_width above 1"),
    ({"early_stopping": True}, "early_stopping", "only for a beam_width above 1"),
    ({"dry_sequence_breakers": ":"}, "dry_sequence_breakers", "array"),
]


@pytest.mark.parametrize(("change", "param", "words"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_a_bad_value_is_refused_with_its_name_and_the_limit(
    change: Json, param: str, words: str, worker: Worker
) -> None:
    answer = worker.post({**BASE, **change})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert words in error["message"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b'{"model": "tiny-llama", "prompt": "\\ud800"}',
        b'{"model": "tiny-llama", "prompt": "x", "temperature": NaN}',
        b'{"model": "tiny-llama", "prompt": "\xff"}',
        b'{"model": "tiny-llama"}',
        b'{"prompt": "x"}',
    ],
)
def test_a_broken_body_is_refused(raw: bytes, worker: Worker) -> None:
    answer = worker.post(raw)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_a_huge_body_is_refused_with_the_limit(worker: Worker) -> None:
    answer = worker.post({**BASE, "prompt": "x" * 2_100_000})
    assert answer.status_code == 413
    assert "2097152" in answer.json()["error"]["message"]


def test_another_model_is_not_found(worker: Worker) -> None:
    answer = worker.post({**BASE, "model": "gpt-5"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "model_not_found"
    assert "tiny-llama" in answer.json()["error"]["message"]


def test_a_prompt_that_fits_exactly_passes_and_one_token_more_does_not(worker: Worker, llama: Checkpoint) -> None:
    ids = [10] * (llama.context_tokens - 12)
    assert worker.post({**GREEDY, "prompt": ids}).status_code == 200
    refused = worker.post({**GREEDY, "prompt": [*ids, 10]})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "context_length_exceeded"
    for number in ("181", "12", "193", "192"):
        assert number in refused.json()["error"]["message"]


def test_the_shapes_of_a_prompt_mean_the_same(worker: Worker, llama: Checkpoint) -> None:
    ids = llama.tokenizer(BASE["prompt"])["input_ids"]
    assert len({text(worker, prompt=prompt) for prompt in (BASE["prompt"], [BASE["prompt"]])}) == 1
    assert text(worker, prompt=ids) == text(worker, prompt=[ids]) == text(worker)


def test_an_empty_prompt_begins_from_the_beginning_token(worker: Worker) -> None:
    assert text(worker, prompt="") == text(worker, prompt=[]) == text(worker, prompt="<|story|>")
    assert ask(worker, prompt="")["usage"]["prompt_tokens"] == 1
    assert text(worker, prompt="", echo=True) == text(worker, prompt="")


def test_a_marker_written_in_a_prompt_is_read_as_the_special_token(worker: Worker) -> None:
    assert ask(worker, prompt="<|story|><|text|>")["usage"]["prompt_tokens"] == 2
