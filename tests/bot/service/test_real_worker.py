"""The services with the project's own worker: HTTP, engine and a tiny random model, nothing scripted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the worker's extra is not installed")

import uvicorn

from bot.errors import RoundOver, WorkerDown
from bot.story.model import RoundKind, RoundState, Source
from bot.worker import CompletionRequest, WorkerClient
from models.serve.cli import build_app
from models.serve.config import load_config
from tests.bot.service.world import ANNA, BEN, CHANNEL, World
from tests.models.babbler import make_babbler


@pytest.fixture(scope="module")
def babbler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_babbler(tmp_path_factory.mktemp("models") / "babbler")


@pytest.fixture
async def real(world: World, babbler: Path) -> AsyncIterator[World]:
    """The world, asking a real worker instead of the scripted far end."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = build_app(load_config(env_file=None, model=str(babbler), device="cpu", threads=1))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    world.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    await world.restart()
    await until_ready(world.worker)
    yield world
    server.should_exit = True
    await serving


async def until_ready(worker: WorkerClient) -> None:
    while True:
        try:
            return await worker.check_ready()
        except WorkerDown:
            await asyncio.sleep(0.05)


async def test_a_story_grows_over_continue_and_rewrite(real: World) -> None:
    await real.story()
    first = await real.play()
    second = await real.play()
    view = await real.open(RoundKind.REWRITE, hint="with a dragon")
    assert first.passage is not None
    assert second.passage is not None
    assert {candidate.source for candidate in view.candidates} == {Source.MODEL, Source.INCUMBENT}
    provenance = next(c.provenance for c in view.candidates if c.provenance is not None)
    assert provenance.prompt.passages_used == (first.passage.id,)
    assert provenance.prompt.hint_used == "dragon"
    assert provenance.revision is not None
    assert (await real.store.passage(first.passage.id)).token_count == len(first.passage.text.split())


async def test_a_passage_in_the_middle_is_rewritten(real: World) -> None:
    await real.set(length=20)  # so that the tiny model's window holds all of it
    await real.story()
    played = [await real.play() for _ in range(3)]
    told = [result.passage.text for result in played if result.passage is not None]
    result = await real.play(RoundKind.REWRITE, passage=2, hint="with a dragon")
    assert result.passage is not None
    shown = (await real.services.stories.show(CHANNEL)).passages
    assert [passage.text for passage in shown] == [told[0], result.passage.text, told[2]]
    assert shown[2].copy_of is not None
    view = await real.open()
    provenance = next(c.provenance for c in view.candidates if c.provenance is not None)
    assert provenance.prompt.passages_used == tuple(passage.id for passage in shown)


async def test_a_candidate_can_be_generated_again_from_its_provenance(real: World) -> None:
    await real.story()
    view = await real.open()
    assert len({c.provenance.seed for c in view.candidates if c.provenance}) == 3
    prompt = "<|story|><|title|>The Glass Key<|premise|>A key that opens any door.<|text|>"
    for candidate in view.candidates:
        assert candidate.provenance is not None
        sampling = dict(candidate.provenance.sampling)
        (again,) = await real.worker.complete(
            CompletionRequest(
                prompt=prompt,
                n=1,
                max_tokens=int(str(sampling["max_tokens"])),
                temperature=float(str(sampling["temperature"])),
                top_p=float(str(sampling["top_p"])),
                frequency_penalty=float(str(sampling["frequency_penalty"])),
                seed=candidate.provenance.seed,
                stop=("<|end|>",),
                extra={name: float(str(sampling[name])) for name in ("min_p",)},
            )
        )
        assert again.text.strip().startswith(candidate.text)


async def test_a_round_that_is_cancelled_under_the_model_leaves_it_free_for_the_next(real: World) -> None:
    await real.story()
    round_ = await real.begin()
    generating = asyncio.create_task(real.services.rounds.generate(round_.id))
    await asyncio.sleep(0)
    await real.services.rounds.cancel(CHANNEL, BEN)
    with pytest.raises(RoundOver):
        await generating
    view = await real.open()
    assert view.round.state is RoundState.OPEN
    assert (await real.vote(view, ANNA, view.candidates[0])).choices == {view.candidates[0].id}
