"""The engine's side of its contract: events, company, cancelling and failing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from models.engine.events import Cancelled, Delta, Done, Event, Failed, FailureKind, Prefilled, RowFinished
from models.engine.masked.checkpoint import MaskedCheckpoint
from models.engine.masked.engine import MaskedEngine
from models.engine.masked.orders import Order
from models.engine.masked.plan import plan_fill, plan_rewrite
from models.engine.masked.request import MaskedRequest
from tests.models.masked import AFTER, BEFORE, MIDDLE
from tests.models.tiny import drain, texts


def request(checkpoint: MaskedCheckpoint, name: str = "r", **options: Any) -> MaskedRequest:
    plan = plan_rewrite(checkpoint, BEFORE, MIDDLE, AFTER)
    return MaskedRequest(name, plan, **{"seed": 3, "n": 2, "passes": 4, **options})


@contextmanager
def counted(checkpoint: MaskedCheckpoint) -> Iterator[list[tuple[int, ...]]]:
    """The shapes [rows, tokens] that go through the model."""
    shapes: list[tuple[int, ...]] = []
    handle = checkpoint.model.register_forward_pre_hook(
        lambda _module, _args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    try:
        yield shapes
    finally:
        handle.remove()


@contextmanager
def failing(checkpoint: MaskedCheckpoint, token: int, error: Exception) -> Iterator[None]:
    """Makes every reading of a text with this id fail."""

    def fail(_module: Any, _args: Any, kwargs: dict[str, torch.Tensor]) -> None:
        if bool((kwargs["input_ids"] == token).any()):
            raise error

    handle = checkpoint.model.register_forward_pre_hook(fail, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def of(events: list[Event], name: str) -> list[Event]:
    return [event for event in events if event.request_id == name]


def test_events_come_in_order_and_add_up(bert: MaskedCheckpoint) -> None:
    asked = request(bert, n=3)
    events = drain(MaskedEngine(bert), asked)
    assert events[0] == Prefilled("r", asked.plan.num_read)
    rows = events[1:-1]
    assert [type(event) for event in rows] == [Delta, RowFinished] * 3
    deltas = [event for event in rows if isinstance(event, Delta)]
    ends = [event for event in rows if isinstance(event, RowFinished)]
    assert all(len(delta.token_ids) == end.num_tokens for delta, end in zip(deltas, ends, strict=True))
    assert len({end.seed for end in ends}) == 3
    assert ends[0].seed == 3
    assert events[-1] == Done("r", asked.plan.num_read, sum(end.num_tokens for end in ends))


def test_all_rows_of_all_requests_are_read_together_one_pass_a_step(bert: MaskedCheckpoint) -> None:
    engine = MaskedEngine(bert)
    with counted(bert) as shapes:
        engine.add(request(bert, "a", n=2))
        engine.add(MaskedRequest("b", plan_fill(bert, "the cat", "", 2), 1, n=3, passes=4))
        engine.step()
        assert len(shapes) == engine.num_steps == 1
        assert shapes[0][0] == 5
        drain(engine)
    assert len(shapes) == engine.num_steps == 4


def test_a_batch_has_room_for_so_many_tokens_and_rows_take_turns(bert: MaskedCheckpoint) -> None:
    asked = request(bert, n=5, order=Order.LEFT_TO_RIGHT, passes=1)
    width = len(asked.plan.ids)
    alone = texts(drain(MaskedEngine(bert), asked))
    engine = MaskedEngine(bert, max_batch_tokens=2 * width + 1)
    with counted(bert) as shapes:
        assert texts(drain(engine, asked)) == alone
    assert set(shapes) == {(2, width)}
    with counted(bert) as shapes:
        assert texts(drain(MaskedEngine(bert, max_batch_tokens=1), asked)) == alone
    assert set(shapes) == {(1, width)}


def test_a_short_request_does_not_wait_for_a_long_one(bert: MaskedCheckpoint) -> None:
    engine = MaskedEngine(bert)
    engine.add(request(bert, "long", order=Order.LEFT_TO_RIGHT, passes=30))
    engine.step()
    engine.add(request(bert, "short", passes=1))
    assert isinstance(of(engine.step(), "short")[-1], Done)
    assert engine.has_work


def test_cancelling_takes_effect_between_passes(bert: MaskedCheckpoint) -> None:
    engine = MaskedEngine(bert)
    engine.add(request(bert, "gone", order=Order.LEFT_TO_RIGHT))
    engine.add(request(bert, "stays"))
    engine.step()
    engine.cancel("gone")
    engine.cancel("gone")
    engine.cancel("never was")
    with counted(bert) as shapes:
        events = engine.step()
    assert of(events, "gone") == [Cancelled("gone", 2)]
    assert shapes[0][0] == 2, "only the other's rows are read"
    assert of(drain(engine), "gone") == []
    assert not engine.has_work


def test_more_requests_than_run_together_wait_and_can_be_given_up(bert: MaskedCheckpoint) -> None:
    engine = MaskedEngine(bert)
    for i in range(engine.max_running + 2):
        engine.add(request(bert, str(i), n=1, passes=2))
    first, last = str(engine.max_running), str(engine.max_running + 1)
    assert {event.request_id for event in engine.step()} == {str(i) for i in range(engine.max_running)}
    engine.cancel(last)
    events = drain(engine)
    assert of(events, last) == [Cancelled(last, 0)]
    assert isinstance(of(events, first)[-1], Done)


def test_an_id_in_use_is_refused(bert: MaskedCheckpoint) -> None:
    engine = MaskedEngine(bert)
    engine.add(request(bert))
    with pytest.raises(ValueError, match="already here"):
        engine.add(request(bert))
    engine.step()
    with pytest.raises(ValueError, match="already here"):
        engine.add(request(bert))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("broken"), FailureKind.INTERNAL),
        (RuntimeError("can't allocate memory"), FailureKind.OUT_OF_MEMORY),
    ],
)
def test_a_request_that_fails_fails_alone(
    bert: MaskedCheckpoint, error: Exception, kind: FailureKind, caplog: pytest.LogCaptureFixture
) -> None:
    fine = request(bert, "fine")
    alone = texts(drain(MaskedEngine(bert), fine), "fine")
    at_fault = MaskedRequest("bad", plan_fill(bert, "7", "", 3), 1, n=2)
    engine = MaskedEngine(bert)
    with failing(bert, bert.reader.read("7").ids[0], error), caplog.at_level(logging.CRITICAL):
        events = drain(engine, at_fault, fine)
    (failed,) = of(events, "bad")
    assert isinstance(failed, Failed)
    assert failed.kind is kind
    assert texts(events, "fine") == alone
    assert isinstance(drain(engine, at_fault)[-1], Done), "the engine goes on, and its id is free again"


def test_scores_that_are_no_numbers_fail_their_request(
    bert: MaskedCheckpoint, caplog: pytest.LogCaptureFixture
) -> None:
    def spoil(_module: Any, _args: Any, output: torch.Tensor) -> torch.Tensor:
        return output * torch.nan

    handle = bert.model.get_output_embeddings().register_forward_hook(spoil)
    try:
        with caplog.at_level(logging.CRITICAL):
            (failed,) = drain(MaskedEngine(bert), request(bert))
    finally:
        handle.remove()
    assert isinstance(failed, Failed)


def test_a_reset_forgets_everything_without_events(bert: MaskedCheckpoint) -> None:
    engine = MaskedEngine(bert)
    engine.add(request(bert))
    engine.step()
    engine.reset()
    assert not engine.has_work
    assert engine.step() == []
    assert engine.num_steps == 1, "nothing of what was forgotten is read"
    assert isinstance(drain(engine, request(bert))[-1], Done)


def test_a_passage_with_nothing_to_change_comes_back_as_it_is(bert: MaskedCheckpoint) -> None:
    plan = plan_rewrite(bert, BEFORE, "Anna 7 crocodiles!", AFTER)
    for order in Order:
        engine = MaskedEngine(bert)
        events = drain(engine, MaskedRequest("r", plan, 1, n=2, order=order))
        assert texts(events) == {0: "Anna 7 crocodiles!", 1: "Anna 7 crocodiles!"}
        assert isinstance(events[-1], Done)
        assert events[-1].num_generated == 0
