"""What the worker answers to the official client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openai
import pytest
import torch

from models.engine.checkpoint import Checkpoint
from models.engine.params import SamplingParams, row_seed
from models.engine.request import Request
from models.engine.serial import SerialEngine
from models.engine.story_format import StoryFormat
from tests.models.serve.conftest import Worker, load, serve
from tests.models.tiny import drain, encode, make_gpt2, make_llama, texts

PROMPT = "<|story|><|text|>Once upon a time"


def streamed(client: openai.OpenAI, **fields: Any) -> list[Any]:
    return list(client.completions.create(model="tiny-llama", prompt=PROMPT, stream=True, **fields))


def test_the_answer_is_what_the_engine_writes(client: openai.OpenAI, llama: Checkpoint) -> None:
    request = Request(id="r", prompt_ids=encode(llama, PROMPT), seed=4, n=3, max_tokens=40)
    expected = texts(drain(SerialEngine(llama), request))
    answer = client.completions.create(model="tiny-llama", prompt=PROMPT, n=3, max_tokens=40, seed=4)
    assert {c.index: c.text for c in answer.choices} == expected
    assert answer.object == "text_completion"
    assert [c.model_extra["seed"] for c in answer.choices if c.model_extra] == [row_seed(4, i) for i in range(3)]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == len(request.prompt_ids)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_the_stream_adds_up_to_the_whole_answer(client: openai.OpenAI) -> None:
    fields: dict[str, Any] = {"n": 3, "max_tokens": 60, "seed": 9, "logprobs": 2, "echo": True}
    whole = client.completions.create(model="tiny-llama", prompt=PROMPT, **fields)
    chunks = streamed(client, **fields, stream_options={"include_usage": True})
    for choice in whole.choices:
        own = [c for chunk in chunks for c in chunk.choices if c.index == choice.index]
        assert "".join(c.text for c in own) == choice.text
        assert [c.finish_reason for c in own[:-1]] == [None] * (len(own) - 1)
        assert own[-1].finish_reason == choice.finish_reason
        assert own[-1].seed == choice.model_extra["seed"]
        for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset"):
            assert [x for c in own for x in getattr(c.logprobs, name)] == getattr(choice.logprobs, name)
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_stream_is_ascii_split_at_line_feeds_and_ends_with_done(worker: Worker) -> None:
    prompt = "a\u2028b\x85龍🐉"
    answer = worker.post({"model": "tiny-llama", "prompt": prompt, "stream": True, "echo": True, "max_tokens": 5})
    assert answer.content.isascii()
    events = answer.content.decode().split("\n\n")
    assert events.pop() == ""
    assert events.pop() == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert chunks[0]["choices"][0]["text"] == prompt


def test_a_recorded_row_seed_replays_its_row(client: openai.OpenAI) -> None:
    together = client.completions.create(model="tiny-llama", prompt=PROMPT, n=4, max_tokens=60, seed=21)
    for choice in together.choices:
        assert choice.model_extra is not None
        seed = choice.model_extra["seed"]
        alone = client.completions.create(model="tiny-llama", prompt=PROMPT, max_tokens=60, seed=seed)
        assert alone.choices[0].text == choice.text


def test_echo_with_logprobs_scores_a_text_without_writing(client: openai.OpenAI, llama: Checkpoint) -> None:
    answer = client.completions.create(model="tiny-llama", prompt=PROMPT, max_tokens=0, echo=True, logprobs=1)
    given = answer.choices[0].logprobs
    assert given is not None
    assert given.tokens is not None
    assert given.text_offset is not None
    assert answer.choices[0].text == PROMPT == "".join(given.tokens)
    assert [PROMPT[o:].startswith(t) for o, t in zip(given.text_offset, given.tokens, strict=True)].count(False) == 0
    ids = torch.tensor([encode(llama, PROMPT)])
    with torch.inference_mode():
        reference = torch.log_softmax(llama.model(ids).logits[0].float(), -1)
    expected = [None, *(float(reference[i, t]) for i, t in enumerate(ids[0, 1:].tolist()))]
    assert given.token_logprobs == pytest.approx(expected, abs=1e-4)
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 0


def test_offsets_count_from_the_beginning_of_the_text_with_the_echo(client: openai.OpenAI) -> None:
    num_checked = 0
    for seed in range(8):
        fields: dict[str, Any] = {"n": 4, "max_tokens": 4, "echo": True, "logprobs": 0, "seed": seed}
        for choice in client.completions.create(model="tiny-llama", prompt="a dragon", **fields).choices:
            if "\ufffd" in choice.text:  # bytes that are no character stand for as many as the decoder likes
                continue
            assert choice.logprobs is not None
            pairs = zip(choice.logprobs.tokens or [], choice.logprobs.text_offset or [], strict=True)
            whole = [(token, offset) for token, offset in pairs if not token.startswith(("bytes:", "<|"))]
            assert all(choice.text[offset : offset + len(token)] == token for token, offset in whole)
            num_checked += len(whole)
    assert num_checked > 30


def test_what_a_request_leaves_open_is_the_checkpoints_default(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "careful", do_sample=True, top_k=1, repetition_penalty=1.2)
    with serve(lambda: load(folder)) as worker:
        base = {"model": "careful", "prompt": "Once", "max_tokens": 20}
        left_open = [worker.post(base).json()["choices"][0]["text"] for _ in range(2)]
        greedy = worker.post({**base, "temperature": 0}).json()["choices"][0]["text"]
        other = worker.post({**base, "temperature": 0, "repetition_penalty": 1}).json()["choices"][0]["text"]
        wide = worker.post({**base, "top_k": 0, "temperature": 2, "seed": 1}).json()["choices"][0]["text"]
    assert left_open == [greedy, greedy]
    assert len({greedy, other, wide}) == 3


def test_gpt2_without_a_pad_token_is_served(tmp_path: Path) -> None:
    with serve(lambda: load(make_gpt2(tmp_path / "tiny-gpt2"))) as worker:
        loaded = worker.runner.loaded().checkpoint
        answer = worker.post({"model": "tiny-gpt2", "prompt": "Once", "n": 3, "max_tokens": 20, "seed": 3}).json()
        request = Request("r", encode(loaded, "Once"), 3, n=3, max_tokens=20, sampling=SamplingParams())
    assert {c["index"]: c["text"] for c in answer["choices"]} == texts(drain(SerialEngine(loaded), request))


def test_a_model_that_begins_every_text_with_a_token_gets_it_once(tmp_path: Path) -> None:
    folder = make_llama(tmp_path / "m")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    begin = {"SpecialToken": {"id": "<|story|>", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [begin, text],
        "pair": [begin, text, text],
        "special_tokens": {"<|story|>": {"id": "<|story|>", "ids": [1], "tokens": ["<|story|>"]}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with serve(lambda: load(folder)) as worker:
        assert worker.runner.loaded().checkpoint.is_bos_prepended

        def ask(prompt: str) -> Any:
            fields = {"model": "m", "prompt": prompt, "max_tokens": 1, "seed": 1, "echo": True, "logprobs": 0}
            return worker.post(fields).json()

        plain, marked = ask("a dragon"), ask("<|story|>a dragon")
        assert plain["usage"] == marked["usage"]
        described = plain["choices"][0]["logprobs"]
        assert plain["choices"][0]["text"].startswith("a dragon")
        assert "<|story|>" not in described["tokens"]
        assert described["text_offset"][0] == 0
        assert described["token_logprobs"][0] is not None, "the added token predicts the first of the text"
        assert worker.post({"prompt": "a dragon"}, "/tokenize").json()["tokens"][0] != 1
        assert worker.post({"prompt": "a dragon", "add_special_tokens": True}, "/tokenize").json()["tokens"][0] == 1


def test_the_model_is_described(worker: Worker, client: openai.OpenAI, llama: Checkpoint) -> None:
    (card,) = client.models.list().data
    assert (card.id, card.object, card.owned_by) == ("tiny-llama", "model", "talewright")
    assert card.model_extra == {
        "max_model_len": llama.context_tokens,
        "parent": None,
        "revision": llama.revision,
        "story_format": StoryFormat().to_json(),
        "kind": "causal",
        "abilities": ["title", "premise", "tags", "hint", "suffix", "must_include", "banned_phrases"],
    }
    assert client.models.retrieve("tiny-llama") == card
    with pytest.raises(openai.NotFoundError, match="tiny-llama"):
        client.models.retrieve("other/model")


def test_tokens_are_counted(worker: Worker, llama: Checkpoint) -> None:
    text = "<|story|>a dragon 龍"
    answer = worker.post({"prompt": text, "model": "tiny-llama"}, "/tokenize").json()
    ids = list(encode(llama, text))
    assert answer == {"count": len(ids), "max_model_len": llama.context_tokens, "tokens": ids}
    assert worker.post({"prompt": ""}, "/tokenize").json()["count"] == 0
    assert worker.post({"prompt": text, "model": "other"}, "/tokenize").status_code == 404
    assert worker.post({"content": text}, "/tokenize").json()["error"]["message"] == "the field prompt is missing"


def test_wrong_addresses_and_methods_are_answered_in_the_same_shape(worker: Worker) -> None:
    assert worker.get("/nowhere").status_code == 404
    assert worker.get("/nowhere").json()["error"]["code"] == "not_found"
    assert worker.get("/v1/completions").status_code == 405
    assert worker.get("/v1/completions").json()["error"]["code"] == "wrong_method"


def test_the_figures_add_up(llama_folder: Path) -> None:
    with serve(lambda: load(llama_folder)) as worker:
        steps = worker.metric("talewright_engine_steps_total")
        fields = {"model": "tiny-llama", "prompt": "Once", "temperature": 0, "max_tokens": 6, "n": 2}
        usage = worker.post(fields).json()["usage"]
        worker.post({**fields, "n": 99})
        assert worker.metric("talewright_requests_total", outcome="done") == 1
        assert worker.metric("talewright_requests_total", outcome="refused") == 1
        assert worker.metric("talewright_prompt_tokens_total") == usage["prompt_tokens"]
        assert worker.metric("talewright_generated_tokens_total") == usage["completion_tokens"] == 12
        assert worker.metric("talewright_engine_steps_total") - steps == 6
        assert worker.metric("talewright_time_to_first_token_seconds_count") == 1
        assert worker.metric("talewright_generation_seconds_count") == 1
        assert worker.metric("talewright_queue_depth") == 0
        assert worker.metric("talewright_requests_running") == 0
        assert worker.metric("talewright_model_state", talewright_model_state="ready") == 1
