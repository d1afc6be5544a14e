"""`talewright demo --check`: one evening of story telling, played without a browser, with a restart in the middle."""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TextIO, TypeVar

from simcord import BackendError, SetupError

from bot.demo.folder import DataFolder
from bot.demo.play import Play, PlayFailed
from bot.demo.process import WorkerFailed, run_worker
from bot.demo.serve import demo_config, shorten_rounds
from bot.demo.stage import run_bot
from bot.errors import TalewrightError
from bot.service.views import BallotView
from bot.story.model import Candidate, Passage

TITLE = "The Lantern Keeper"
PREMISE = "A young girl named Mara keeps the lantern of a small village. One night the lantern goes out."

WORD = "xylophone"
"""What the moderator's rule refuses: a word that no model of simple stories writes by itself."""

T = TypeVar("T")

FAILURES = (PlayFailed, WorkerFailed, TalewrightError, SetupError, BackendError, TimeoutError)


class Report:
    """One line per step: what, how long it took, and what came of it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._began = time.monotonic()
        self._num_steps = 0
        self._current = "starting"

    async def step(self, what: str, work: Awaitable[T]) -> T:
        self._current = what
        began = time.monotonic()
        result = await work
        self._num_steps += 1
        print(f"  ok {time.monotonic() - began:6.1f} s  {what}", file=self._out, flush=True)
        return result

    def passed(self) -> None:
        print(f"  All {self._num_steps} steps in {time.monotonic() - self._began:.0f} s.", file=self._out, flush=True)

    def failed(self, error: BaseException, folder: DataFolder) -> None:
        print(f"  FAILED       {self._current}: {error or type(error).__name__}", file=self._out)
        for log in (folder.bot_log, folder.worker_log):
            if log.exists():
                print(f"  The end of {log.name}:", file=self._out)
                for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]:
                    print(f"    {line}", file=self._out)
        self._out.flush()


async def check(model: str | None) -> int:
    """0 when everything went as it should, else 1; everything happens in a folder of its own."""
    report = Report(sys.stdout)
    with tempfile.TemporaryDirectory(prefix="talewright-check-") as name:
        folder = DataFolder(Path(name) / "demo")
        with folder.claimed():
            keep_log(folder.bot_log)
            try:
                await play_evening(report, folder, model)
            except FAILURES as error:
                report.failed(error, folder)
                return 1
    report.passed()
    return 0


def keep_log(file: Path) -> None:
    """From here on, what the bot logs goes there."""
    logging.basicConfig(filename=file, level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s")


async def play_evening(report: Report, folder: DataFolder, model: str | None) -> None:
    """Raises one of `FAILURES` at the first thing that is not as it should be."""
    async with run_worker(folder.worker_log, model) as worker:
        await report.step("the worker has loaded its model", worker.wait_ready(lambda _seconds: None))
        config = demo_config(folder, worker.url)
        async with run_bot(config) as stage:
            await shorten_rounds(stage, None)
            left_open = await first_half(report, play := Play(stage))
            play.require_no_errors()
        async with run_bot(config) as stage:
            await second_half(report, play := Play(stage), left_open)
            play.require_no_errors()


async def first_half(report: Report, play: Play) -> BallotView:
    """A story of two passages, both of them voted on again; returns a ballot that nobody has voted on yet."""
    await report.step("/story start", play.start_story(TITLE, PREMISE))
    ballot = await report.step("/continue: a ballot with three candidates", play.ask("continue"))
    first = await report.step("two members vote, the winner is canon", play.choose(ballot, ballot.candidates[0]))

    ballot = await report.step("/continue: the next ballot builds on it", play.ask("continue"))
    play.require_prompts_with(ballot, first)
    second = await report.step("two members vote, canon has two passages", play.choose(ballot, ballot.candidates[-1]))
    await play.require_canon(first.text, second.text)

    ballot = await report.step("/rewrite: the old passage stands in the ballot", play.ask("rewrite"))
    play.require_incumbent(ballot, second)
    newer = await report.step("two members vote for a new one", play.choose(ballot, a_new_one(ballot)))
    await play.require_canon(first.text, newer.text)
    await rewrite_first(report, play, first, newer)
    return await report.step("/continue: a ballot that stays open", play.ask("continue"))


async def rewrite_first(report: Report, play: Play, first: Passage, last: Passage) -> None:
    """The first passage told anew and, where the worker has a model for it, in other words; the last one stays."""
    ballot = await report.step(
        "/rewrite passage:1: the passage after it stays", play.ask("rewrite", least=1, passage="1")
    )
    play.require_incumbent(ballot, first)
    newer = await report.step("two members vote for a new one", play.choose(ballot, a_new_one(ballot), place=0))
    await play.require_canon(newer.text, last.text)
    if not await play.can_rewrite_lightly():
        return
    asked = play.ask("rewrite", least=1, passage="1", style="light")
    ballot = await report.step("/rewrite style:light: the same in other words", asked)
    play.require_incumbent(ballot, newer)
    play.require_light(ballot)
    lighter = await report.step("two members vote for other words", play.choose(ballot, a_new_one(ballot), place=0))
    await play.require_canon(lighter.text, last.text)


async def second_half(report: Report, play: Play, left_open: BallotView) -> None:
    """After a restart: story, ballot and buttons are there."""
    await report.step("restarted: the channel shows where the story stands", play.find_recap(TITLE))
    ballot = await report.step("restarted: the open ballot stands there again", play.find_again(left_open))
    canon = await play.canon()
    last = await report.step("two members vote on it, the story goes on", play.choose(ballot, ballot.candidates[0]))
    await play.require_canon(*canon, last.text)
    await moderate(report, play)


async def moderate(report: Report, play: Play) -> None:
    """What moderators see and do; Ada is one, Ben and Chloe are not."""
    await report.step("/filters add: a moderator's rule", play.add_rule(WORD))
    await report.step(
        "a hint with its word comes back privately", play.ask_in_vain("not accepted", hint=f"a {WORD} plays")
    )
    await report.step("/filters preset: links are refused", play.take_preset_over())
    await report.step("a hint with a link comes back privately", play.ask_in_vain("links", hint="see example.com"))
    ballot = await report.step("/continue: a ballot to report from", play.ask("continue"))
    bad, good, *_ = ballot.candidates
    card = await report.step("a member reports a candidate: moderators get a card", play.report(ballot, bad))
    await report.step("a moderator takes it off the ballot", play.take_off(card, ballot, bad))
    await report.step("two members vote for another", play.choose(ballot, good))
    await report.step("/moderation stop and resume", play.stop_and_resume())


def a_new_one(ballot: BallotView) -> Candidate:
    """A candidate that is not canon already."""
    return next(candidate for candidate in ballot.candidates if candidate.id != ballot.incumbent_id)
