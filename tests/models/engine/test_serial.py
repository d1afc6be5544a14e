"""The engine on tiny real models: what it writes, what it reads once, how requests end."""

from __future__ import annotations

import pytest
import torch

from models.engine.checkpoint import Checkpoint
from models.engine.events import Cancelled, Delta, Done, Failed, FailureKind, FinishReason, Prefilled, RowFinished
from models.engine.params import SamplingParams, row_seed
from models.engine.request import Request
from models.engine.serial import SerialEngine
from tests.models.tiny import counted, drain, encode, finished, forced, texts, token_ids

GREEDY = SamplingParams(temperature=0)
PROMPT = "<|story|><|text|>Once upon a time"


def ask(checkpoint: Checkpoint, prompt: str = PROMPT, **changes: object) -> Request:
    asked: dict[str, object] = {"id": "r", "seed": 7, "max_tokens": 24, **changes}
    return Request(prompt_ids=encode(checkpoint, prompt), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("penalty", [1.0, 1.3])
def test_greedy_is_what_transformers_generates(checkpoint: Checkpoint, penalty: float) -> None:
    sampling = SamplingParams(temperature=0, repetition_penalty=penalty)
    events = drain(SerialEngine(checkpoint), ask(checkpoint, max_tokens=60, sampling=sampling))
    ids = torch.tensor([encode(checkpoint, PROMPT)])
    reference = checkpoint.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=60,
        do_sample=False,
        repetition_penalty=penalty,
        pad_token_id=0,
    )[0, ids.shape[1] :].tolist()
    while reference and reference[-1] in checkpoint.end_ids:
        reference.pop()
    assert token_ids(events) == reference
    assert len(reference) > 5


def test_the_text_is_what_the_tokenizer_decodes(checkpoint: Checkpoint) -> None:
    events = drain(SerialEngine(checkpoint), ask(checkpoint, n=4, max_tokens=80))
    for index, text in texts(events).items():
        assert text == checkpoint.tokenizer.decode(token_ids(events, index), skip_special_tokens=True)
    assert any(texts(events).values())


def test_the_prompt_is_read_once_and_finished_rows_leave_the_batch(llama: Checkpoint) -> None:
    request = ask(llama, n=3, max_tokens=150, seed=2)
    with counted(llama) as shapes:
        events = drain(SerialEngine(llama), request)
    lengths = sorted(row.num_tokens for row in finished(events).values())
    assert len(set(lengths)) > 1, "the rows of this seed must end at different tokens"
    expected = [(1, len(request.prompt_ids))]
    expected += [(sum(length > step for length in lengths), 1) for step in range(1, lengths[-1])]
    assert shapes == expected


def test_events_come_in_order_and_end_once(llama: Checkpoint) -> None:
    events = drain(SerialEngine(llama), ask(llama, n=3))
    assert isinstance(events[0], Prefilled)
    assert events[0].num_prompt_tokens == len(encode(llama, PROMPT))
    assert [type(e) for e in events if isinstance(e, Done | Failed | Cancelled)] == [Done]
    assert isinstance(events[-1], Done)
    assert sorted(finished(events)) == [0, 1, 2]
    assert events[-1].num_generated == sum(row.num_tokens for row in finished(events).values())
    for index in range(3):
        mine = [e for e in events if isinstance(e, Delta | RowFinished) and e.index == index]
        assert isinstance(mine[-1], RowFinished)


def test_the_same_seed_writes_the_same_text_and_another_seed_another(checkpoint: Checkpoint) -> None:
    engine = SerialEngine(checkpoint)
    first = texts(drain(engine, ask(checkpoint, n=3)))
    again = texts(drain(engine, ask(checkpoint, n=3)))
    other = texts(drain(engine, ask(checkpoint, n=3, seed=8)))
    assert first == again
    assert len({*first.values(), *other.values()}) == 6


def test_a_recorded_row_seed_alone_writes_the_same_text(checkpoint: Checkpoint) -> None:
    engine = SerialEngine(checkpoint)
    for seed in range(2):
        together = drain(engine, ask(checkpoint, n=4, seed=seed))
        for index, row in finished(together).items():
            assert row.seed == row_seed(seed, index)
            alone = drain(engine, ask(checkpoint, n=1, seed=row.seed))
            assert texts(alone)[0] == texts(together)[index]


def test_row_seeds_differ_and_row_zero_keeps_the_seed() -> None:
    assert row_seed(5, 0) == 5
    seeds = [row_seed(s, i) for s in range(50) for i in range(8)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= s < 2**53 for s in seeds)


def test_every_end_token_of_a_list_ends_a_row_and_is_not_shown(llama: Checkpoint) -> None:
    assert llama.end_ids == {3, 4}
    word = encode(llama, "dragon")
    for end in (3, 4):
        with forced(llama, [*word, end]):
            events = drain(SerialEngine(llama), ask(llama, sampling=GREEDY))
        assert texts(events) == {0: "dragon"}
        assert token_ids(events) == list(word)
        assert finished(events)[0] == RowFinished("r", 0, FinishReason.STOP, 7, len(word) + 1)


def test_max_tokens_ends_a_row_with_length(llama: Checkpoint) -> None:
    word = encode(llama, "dragon dragon dragon dragon")
    with forced(llama, word):
        events = drain(SerialEngine(llama), ask(llama, sampling=GREEDY, max_tokens=3))
    assert finished(events)[0].reason is FinishReason.LENGTH
    assert finished(events)[0].num_tokens == 3
    assert token_ids(events) == list(word[:3])


def test_no_tokens_asked_reads_the_prompt_only(llama: Checkpoint) -> None:
    with counted(llama) as shapes:
        events = drain(SerialEngine(llama), ask(llama, n=2, max_tokens=0))
    assert len(shapes) == 1
    assert texts(events) == {0: "", 1: ""}
    assert isinstance(events[-1], Done)
    assert events[-1].num_generated == 0


def test_a_stop_string_across_token_borders_is_found_and_not_shown(llama: Checkpoint) -> None:
    pieces = [*encode(llama, "a"), *encode(llama, "x"), *encode(llama, "y"), *encode(llama, "b")]
    with forced(llama, pieces):
        events = drain(SerialEngine(llama), ask(llama, sampling=GREEDY, stop=("xyb",)))
    assert texts(events) == {0: "a"}
    assert token_ids(events) == pieces[:1]
    assert finished(events)[0] == RowFinished("r", 0, FinishReason.STOP, 7, 4)


def test_a_stop_string_that_ends_inside_a_token_cuts_there(llama: Checkpoint) -> None:
    word = encode(llama, " dragon")
    assert len(word) == 1
    with forced(llama, word):
        events = drain(SerialEngine(llama), ask(llama, sampling=GREEDY, stop=("ra",)))
    assert texts(events) == {0: " d"}
    assert token_ids(events) == list(word)


def test_what_was_held_back_for_a_stop_string_comes_at_the_end(llama: Checkpoint) -> None:
    with forced(llama, encode(llama, "xyxy")):
        events = drain(SerialEngine(llama), ask(llama, sampling=GREEDY, stop=("xyz",), max_tokens=4))
    assert texts(events) == {0: "xyxy"}
    assert token_ids(events) == list(encode(llama, "xyxy"))


def test_a_stop_string_that_is_a_special_token_ends_the_row(llama: Checkpoint) -> None:
    text_marker = llama.tokenizer.convert_tokens_to_ids("<|text|>")
    assert text_marker not in llama.end_ids
    with forced(llama, [*encode(llama, "gold"), text_marker]):
        events = drain(SerialEngine(llama), ask(llama, sampling=GREEDY, stop=("<|text|>",)))
    assert texts(events) == {0: "gold"}
    assert finished(events)[0].reason is FinishReason.STOP


def test_no_half_characters_are_shown(llama: Checkpoint) -> None:
    text = "é 龍年 🐉👩‍👩‍👧"
    ids = encode(llama, text)
    assert len(ids) > len(text), "the characters must be split over tokens"
    with forced(llama, ids):
        events = drain(SerialEngine(llama), ask(llama, sampling=GREEDY, max_tokens=len(ids)))
    deltas = [e for e in events if isinstance(e, Delta)]
    assert "".join(d.text for d in deltas) == text
    assert all("\ufffd" not in d.text for d in deltas)
    assert len(deltas) > 5


def test_a_character_that_never_becomes_whole_is_replaced_at_the_end(llama: Checkpoint) -> None:
    ids = encode(llama, "a🐉")[:-1]
    with forced(llama, ids):
        events = drain(SerialEngine(llama), ask(llama, sampling=GREEDY, max_tokens=len(ids)))
    assert texts(events) == {0: "a\ufffd"}


def test_logprobs_are_those_of_the_models_own_distribution(checkpoint: Checkpoint) -> None:
    sampling = SamplingParams(temperature=0.5, repetition_penalty=1.2, top_k=50)
    request = ask(checkpoint, n=2, num_logprobs=3, sampling=sampling, prompt_logprobs=True)
    events = drain(SerialEngine(checkpoint), request)
    for index in range(2):
        ids = [*request.prompt_ids, *token_ids(events, index)]
        with torch.inference_mode():
            reference = torch.log_softmax(checkpoint.model(torch.tensor([ids])).logits[0].float(), -1)
        rows = [r for e in events if isinstance(e, Delta) and e.index == index for r in e.logprobs]
        assert len(rows) == len(ids) - len(request.prompt_ids)
        described = [*events[0].prompt_logprobs, *rows]  # type: ignore[union-attr]
        assert described[0].logprob is None
        for place in range(1, len(ids)):
            assert described[place].logprob == pytest.approx(float(reference[place - 1, ids[place]]), abs=1e-4)
            expected = reference[place - 1].topk(3).values.tolist()
            assert [v for _, v in described[place].top] == pytest.approx(expected, abs=1e-4)


def test_logprob_offsets_point_into_the_text(llama: Checkpoint) -> None:
    with forced(llama, encode(llama, " dragon年 hill")):
        events = drain(SerialEngine(llama), ask(llama, sampling=GREEDY, num_logprobs=0, max_tokens=5))
    rows = [r for e in events if isinstance(e, Delta) for r in e.logprobs]
    text = texts(events)[0]
    for row in rows:
        if not row.token.startswith("bytes:"):
            assert text[row.offset :].startswith(row.token)
    assert [row.offset for row in rows if row.token.startswith("bytes:")] == [7, 7, 7]


def test_a_waiting_request_follows_and_a_running_one_is_cancelled_at_the_next_step(llama: Checkpoint) -> None:
    engine = SerialEngine(llama)
    engine.add(ask(llama, id="a", max_tokens=100))
    engine.add(ask(llama, id="b"))
    engine.add(ask(llama, id="c"))
    engine.step()
    engine.cancel("a")
    engine.cancel("c")
    engine.cancel("unknown")
    with counted(llama) as shapes:
        events = engine.step()
    assert [e for e in events if isinstance(e, Cancelled)] == [Cancelled("a", 1), Cancelled("c", 0)]
    assert shapes == [(1, len(encode(llama, PROMPT)))], "the step after a cancellation belongs to the next request"
    rest = drain(engine)
    assert {e.request_id for e in rest} == {"b"}
    assert isinstance(rest[-1], Done)


def test_an_id_in_use_is_refused(llama: Checkpoint) -> None:
    engine = SerialEngine(llama)
    engine.add(ask(llama))
    with pytest.raises(ValueError, match="already here"):
        engine.add(ask(llama))
    engine.step()
    with pytest.raises(ValueError, match="already here"):
        engine.add(ask(llama))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("boom"), FailureKind.INTERNAL),
        (torch.OutOfMemoryError("CUDA out of memory"), FailureKind.OUT_OF_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 3 TB"), FailureKind.OUT_OF_MEMORY),
    ],
)
def test_a_failing_request_fails_alone(llama: Checkpoint, error: Exception, kind: FailureKind) -> None:
    def explode(_module: object, args: object, kwargs: dict[str, torch.Tensor]) -> None:
        if kwargs["input_ids"].shape[0] == 2:
            raise error

    engine = SerialEngine(llama)
    handle = llama.model.register_forward_pre_hook(explode, with_kwargs=True)
    try:
        events = drain(engine, ask(llama, id="bad", n=2), ask(llama, id="good"))
    finally:
        handle.remove()
    failed = [e for e in events if isinstance(e, Failed)]
    assert [(f.request_id, f.kind) for f in failed] == [("bad", kind)]
    assert str(error) not in failed[0].message
    assert [e.request_id for e in events if isinstance(e, Done)] == ["good"]


def test_numbers_that_are_none_fail_the_request_instead_of_drawing_nonsense(llama: Checkpoint) -> None:
    def spoil(_module: object, _args: object, logits: torch.Tensor) -> torch.Tensor:
        return logits * float("nan")

    handle = llama.model.get_output_embeddings().register_forward_hook(spoil)
    try:
        events = drain(SerialEngine(llama), ask(llama))
    finally:
        handle.remove()
    assert [type(e) for e in events] == [Failed]


def test_reset_forgets_everything(llama: Checkpoint) -> None:
    engine = SerialEngine(llama)
    engine.add(ask(llama, id="a"))
    engine.add(ask(llama, id="b"))
    engine.step()
    engine.cancel("b")
    engine.reset()
    assert not engine.has_work
    assert texts(drain(engine, ask(llama)))
