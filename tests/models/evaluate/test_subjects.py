"""The same model on this machine and behind a worker: it must say the same; and servers that can do less."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from models.engine.story_format import VERSION
from models.evaluate.asking import BadField, check_fields
from models.evaluate.bits import score_text
from models.evaluate.local import LocalSubject, make_untrained, open_checkpoint
from models.evaluate.opening import Opening, open_subject
from models.evaluate.remote import RemoteSubject
from models.evaluate.server import connect
from models.evaluate.subject import Ask, CannotOpen, NotAvailable

PROMPT = "<|story|><|text|> Fox River Bell. Village"
ASK = Ask(PROMPT, n=2, max_tokens=12, seed=7, fields={"temperature": 0.8, "top_p": 0.9})
TEXT = " Fox River Bell. Silver Harbour Oak Key." * 3


@contextmanager
def behind(url: str, window: int | None = None) -> Iterator[RemoteSubject]:
    with closing(RemoteSubject(connect(url), window)) as subject:
        yield subject


@pytest.fixture
def remote(worker_url: str) -> Iterator[RemoteSubject]:
    with behind(worker_url) as subject:
        yield subject


def test_a_score_is_that_of_the_sliding_window(subject: LocalSubject) -> None:
    checkpoint = subject.checkpoint
    expected = score_text(checkpoint.model, checkpoint.tokenizer, TEXT, prefix="<|story|><|text|>", window=400)
    assert subject.document_score(TEXT) == expected
    assert subject.file_score(TEXT).num_tokens == expected.num_tokens - 1


def test_a_worker_scores_and_writes_as_the_checkpoint_does(subject: LocalSubject, remote: RemoteSubject) -> None:
    assert remote.document_score(TEXT).nats == pytest.approx(subject.document_score(TEXT).nats, rel=1e-4)
    assert remote.file_score(TEXT).nats == pytest.approx(subject.file_score(TEXT).nats, rel=1e-4)
    [here], [there] = subject.write([ASK]), remote.write([ASK])
    assert [c.text for c in here] == [c.text for c in there]
    assert [c.seed for c in here] == [c.seed for c in there]
    assert [c.is_ended for c in here] == [c.is_ended for c in there]


def test_a_worker_s_windows_are_the_checkpoint_s(babbler: Path, worker_url: str) -> None:
    here = open_checkpoint(str(babbler), "cpu", "float32", window=8)
    with behind(worker_url, window=8) as there:
        score = there.document_score(TEXT)
    assert (score.window, score.stride) == (8, 4)
    assert score.nats == pytest.approx(here.document_score(TEXT).nats, rel=1e-4)


def test_a_worker_announces_what_it_is(remote: RemoteSubject, subject: LocalSubject) -> None:
    said = remote.describe()
    assert said["revision"] == subject.checkpoint.revision
    assert said["story_format"] == VERSION
    assert remote.context_tokens == subject.context_tokens == 400
    assert remote.num_tokens(PROMPT) == subject.num_tokens(PROMPT)


def test_batched_asks_are_answered_in_their_order(subject: LocalSubject) -> None:
    asks = [replace(ASK, seed=seed) for seed in range(6)]
    together = subject.write(asks)
    assert [c.text for c in together[4]] == [c.text for c in subject.write([asks[4]])[0]]


def test_times_are_of_the_whole_answer(subject: LocalSubject, remote: RemoteSubject) -> None:
    for each in (subject, remote):
        timing = each.time(ASK)
        assert 0 < timing.first_token_s <= timing.total_s
        assert 2 <= timing.num_tokens <= 24
        assert timing.tokens_s == pytest.approx(timing.num_tokens / timing.total_s)


def test_a_prompt_beyond_the_context_is_not_available(subject: LocalSubject) -> None:
    with pytest.raises(NotAvailable, match="pass the limit of 400"):
        subject.write([replace(ASK, max_tokens=400)])


def test_a_refusal_is_told_in_the_worker_s_words(remote: RemoteSubject) -> None:
    with pytest.raises(NotAvailable, match="n is 9; it must be between 1 and 8"):
        remote.write([replace(ASK, n=9)])
    with pytest.raises(NotAvailable, match="400"):
        remote.server.complete({"prompt": "x", "mood": "sad"})


def test_another_model_than_the_served_one_can_not_be_opened(worker_url: str) -> None:
    with pytest.raises(CannotOpen, match="serves no model gpt-9"):
        connect(f"{worker_url}/v1#gpt-9")
    with behind(f"{worker_url}/v1/#babbler") as named:
        assert named.describe()["name"] == "babbler"


def test_nobody_at_an_address_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match=r"127\.0\.0\.1:9 can't be reached"):
        open_subject("http://127.0.0.1:9", Opening())
    with pytest.raises(CannotOpen, match="cannot load"):
        open_subject(str(tmp_path), Opening())


def test_untrained_weights_are_others_and_the_seed_decides(subject: LocalSubject) -> None:
    state = torch.random.get_rng_state()
    first, same, other = (make_untrained(subject, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    bits = [each.document_score(TEXT).nats for each in (subject, first, same, other)]
    assert bits[1] == bits[2]
    assert len({*bits}) == 3
    assert first.describe()["parameters"] == subject.describe()["parameters"]
    assert first.describe()["revision"] == "untrained, seed 1"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"temprature": 1}, "unknown sampling field temprature"),
        ({"temperature": 3}, "between 0 and 2"),
        ({"beam_width": 1}, "beam_width"),
        ({"top_p": "much"}, "'<' not supported|must be"),
    ],
)
def test_a_sampling_field_that_is_no_good_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(BadField, match=said):
        check_fields(fields)


@contextmanager
def plain_server(answers: dict[str, tuple[int, Any]]) -> Iterator[str]:
    """A server with fixed answers by path, such as others than the worker give."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer()

        def log_message(self, *_words: object) -> None:
            pass

        def _answer(self) -> None:
            status, said = answers.get(self.path, (404, {"error": "no such address"}))
            content = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


MODELS = (200, {"data": [{"id": "other"}]})


def test_a_server_without_tokenize_scores_by_offsets() -> None:
    logprobs = {"tokens": ["ab", "c", "d"], "token_logprobs": [None, -1.0, -2.5], "text_offset": [0, 2, 3]}
    answer = {"choices": [{"text": "abcd", "logprobs": logprobs}]}
    with plain_server({"/v1/models": MODELS, "/v1/completions": (200, answer)}) as url, behind(url) as subject:
        assert subject.num_tokens("abcd") is None
        score = subject.score("abc", "d")
        assert (score.nats, score.num_tokens, score.num_bytes) == (2.5, 1, 1)
        assert subject.file_score("abcd").nats == 3.5


def test_a_server_without_prompt_logprobs_says_so() -> None:
    answer = {"choices": [{"text": "abcd", "logprobs": None}]}
    server = plain_server({"/v1/models": MODELS, "/v1/completions": (200, answer)})
    refused = pytest.raises(NotAvailable, match="no log probabilities of a prompt")
    with server as url, behind(url) as subject, refused:
        subject.score("abc", "d")


def test_a_page_that_is_no_json_is_shown() -> None:
    server = plain_server({"/v1/models": (502, "<h1>Bad gateway</h1>")})
    with server as url, pytest.raises(CannotOpen, match="answered 502: <h1>Bad gateway"):
        connect(url)


def test_fewer_candidates_than_asked_are_no_answer() -> None:
    answer = {"choices": [{"text": "once", "finish_reason": "stop"}]}
    server = plain_server({"/v1/models": MODELS, "/v1/completions": (200, answer)})
    refused = pytest.raises(NotAvailable, match="1 candidates instead of 2")
    with server as url, behind(url) as subject, refused:
        subject.write([ASK])


def test_a_format_that_is_not_known_can_not_be_opened() -> None:
    server = plain_server({"/v1/models": (200, {"data": [{"id": "m", "story_format": {"version": 9}}]})})
    with server as url, pytest.raises(CannotOpen, match="version is 9"):
        RemoteSubject(connect(url))
