"""The experiment's arithmetic, against what is known exactly."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.bench import cli
from models.bench.speculation import experiment, texts
from models.bench.speculation.drafts import Counts, EarlyExit, Guess, Lookup, follow, weigh
from models.bench.speculation.simulation import Step, interpolate, replay, round_s, speed_up, tokens_per_step
from models.bench.speculation.texts import Sampling, Text, distribution, score, write_rounds
from models.engine.checkpoint import Checkpoint
from models.engine.params import SamplingParams
from models.engine.sampling import RowSampler, draw

WARM = Sampling("warm", 0.9, 0.95)


def text(ids: list[int], start: int, target: torch.Tensor | None = None) -> Text:
    count = len(ids) - start
    even = torch.full((count, 10), 0.1) if target is None else target
    return Text(tuple(ids), start, even, even)


def test_what_is_drawn_from_is_what_the_engine_draws_from() -> None:
    logits = torch.randn(1, 40, generator=torch.Generator().manual_seed(3)) * 3
    probs = distribution(logits, WARM)[0]
    samplers = [RowSampler(SamplingParams(temperature=0.9, top_p=0.95), seed, ()) for seed in range(20_000)]
    shares = torch.bincount(torch.tensor(draw(samplers, [logits.expand(20_000, -1)])), minlength=40) / 20_000
    assert (shares[probs == 0] == 0).all()
    assert ((shares - probs).abs() <= 5 * (probs * (1 - probs) / 20_000).sqrt()).all()  # five standard deviations
    assert distribution(logits, Sampling("greedy", 0.0, 1.0))[0].argmax() == logits.argmax()


def test_prompt_lookup_copies_from_the_latest_place_of_the_longest_ending() -> None:
    known = (1, 2, 3, 4, 9, 2, 3, 5, 9, 2, 3)
    assert follow((*known, 77), 11, 2, 3) == (5, 9, 2)
    assert follow(known, 11, 1, 2) == (5, 9)
    assert follow(known, 4, 2, 2) == ()
    assert follow((1, 2, 3, 9, 8, 3, 6, 2, 3), 9, 1, 8) == (6, 2, 3)  # no further than what is known
    assert follow((1, 2, 3, 9, 8, 3, 6, 2, 3), 9, 2, 2) == (9, 8)
    guesses = Lookup(2).guesses(text([1, 2, 3, 1, 2, 3, 7], 5), 5, 4)
    assert guesses == [Guess(pytest.approx(0.1), 1.0), Guess(pytest.approx(0.1), 0.0)]


def test_counts_know_the_text_so_far_and_no_more() -> None:
    ids = [1, 2, 1, 3, 1, 2, 1, 2]
    drawn, likeliest = Counts(1, is_sampled=True), Counts(1, is_sampled=False)
    # Behind 1 came 2, 3, 2 before place 7, where 2 stands: drawn, 2 has two thirds.
    (guess,) = drawn.guesses(text(ids, 4), 7, 4)
    assert guess == Guess(pytest.approx(0.2), 1.0)
    assert [round(g.overlap, 6) for g in likeliest.guesses(text(ids, 4), 5, 2)] == [0.1, 0.1]
    assert drawn.guesses(text([1, 2, 3], 2), 2, 1) == []  # nothing has followed 2 yet


def test_the_accepted_share_is_the_overlap_of_both_distributions() -> None:
    target = torch.tensor([0.5, 0.3, 0.2])
    draft = {0: 0.2, 1: 0.8}
    guess = weigh(draft, target, 1)
    assert guess == Guess(pytest.approx(0.2 + 0.3), 1.0)
    assert weigh(draft, target, 0).accepts == pytest.approx(0.4)
    assert weigh(draft, target, 2).accepts == 0.0
    assert weigh(draft, torch.tensor([1.0, 0.0, 0.0]), 1).accepts == 0.0


def test_half_a_model_that_agrees_is_always_accepted_and_one_that_never_does_is_not() -> None:
    target = torch.tensor([[0.5, 0.5, 0.0]] * 4)
    alike, apart = target, torch.tensor([[0.0, 0.0, 1.0]] * 4)
    ids = (0, 0, 1, 0, 1)
    rng = random.Random(0)
    assert [step.accepted for step in replay(Text(ids, 1, target, alike), EarlyExit(), 3, rng)] == [3]
    steps = replay(Text(ids, 1, target, apart), EarlyExit(), 3, rng)
    assert [(step.num_guesses, step.expected, step.accepted) for step in steps] == [
        (3, 0.0, 0),
        (2, 0.0, 0),
        (1, 0.0, 0),
        (0, 0.0, 0),
    ]


def test_replayed_steps_accept_what_rejection_sampling_accepts() -> None:
    """Independent tokens from p, guessed from q: each guess is accepted with the same probability a, so a step
    accepts a + a² + a³ of three. (Leviathan et al., equation 1.)
    """
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.2, 0.6])
    a = float(torch.minimum(p, q).sum())
    rng = random.Random(1)
    length = 20_000
    ids = tuple(rng.choices(range(3), weights=p.tolist(), k=length))
    steps = replay(Text(ids, 0, p.expand(length, 3), q.expand(length, 3)), EarlyExit(), 3, rng)
    exact = a + a**2 + a**3
    assert tokens_per_step([steps]) == pytest.approx(1 + exact, abs=0.02)
    assert sum(step.accepted for step in steps) / len(steps) == pytest.approx(exact, abs=0.03)


def test_a_round_lasts_until_its_slowest_row_has_ended() -> None:
    plain, guessed = Step(0, 0.0, 0), Step(2, 1.0, 2)
    rows = [[plain] * 3, [guessed]]
    # Three steps: 1 + 3 rows, 1 row, 1 row; and two guesses of half a step over two rows.
    assert round_s(rows, lambda count: count, 0.0) == 6
    assert round_s(rows, lambda count: count, 0.5) == 6 + 2 * 0.5 * 2
    assert speed_up([rows], 3, lambda count: count, 0.0) == 6 / 6
    assert speed_up([[[guessed]]], 3, lambda count: 1.0, 0.0) == 3.0


def test_costs_lie_between_those_that_were_measured() -> None:
    at = interpolate({1: 10.0, 3: 14.0, 9: 20.0})
    assert [at(1), at(2), at(3), at(6), at(9), at(11)] == [10.0, 12.0, 14.0, 17.0, 20.0, 22.0]
    assert interpolate({4: 5.0})(9) == 5.0


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "BEGINNING_TOKENS", 30)
    for module in (texts, experiment):
        monkeypatch.setattr(module, "ROUND_TOKENS", 12)


@pytest.mark.usefixtures("brief")
def test_a_text_is_scored_by_the_model_that_wrote_it(llama: Checkpoint) -> None:
    endless = replace(llama, end_ids=frozenset())
    rounds = write_rounds(endless, WARM, 2)
    assert [len(row) for row in rounds] == [texts.NUM_ROWS] * 2
    for row in rounds[0]:
        assert row.ids[: row.start] == rounds[0][0].ids[: row.start]
        assert len(row.ids) == row.start + texts.ROUND_TOKENS
        drawn = row.target.gather(1, torch.tensor(row.ids[row.start :])[:, None])
        assert bool((drawn > 0).all())  # every token lay within what was drawn from
        assert torch.allclose(row.target.sum(-1), torch.ones(texts.ROUND_TOKENS), atol=1e-4)
    (greedy,) = write_rounds(endless, Sampling("greedy", 0.0, 1.0), 1)
    assert greedy[0] is greedy[2]
    assert greedy[0].target.argmax(-1).tolist() == list(greedy[0].ids[greedy[0].start :])


def test_half_of_the_layers_is_what_a_model_with_half_of_them_says(llama: Checkpoint) -> None:
    ids = tuple(range(20, 40))
    scored = score(llama, ids, 10, WARM)
    with torch.inference_mode():
        base = llama.model.base_model
        hidden = llama.model(torch.tensor([ids]), output_hidden_states=True).hidden_states[1]
        logits = llama.model.get_output_embeddings()(base.norm(hidden))[0, 9:19]  # type: ignore[operator]
    assert torch.allclose(scored.early, distribution(logits, WARM))


@pytest.mark.usefixtures("brief")
def test_the_experiment_ends_in_a_verdict(
    llama_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from bot.cli import main

    root = tmp_path / "models"
    root.mkdir()
    (root / "storyteller").symlink_to(llama_folder)
    monkeypatch.setattr(cli, "ROOT", root)
    monkeypatch.setattr(experiment, "measure_steps", lambda *_: {1: 1.0, 3: 1.5, 27: 9.0})
    code = main(
        [
            *("bench", "speculation", "--stories", "2", "--quantize", "none"),
            *("--peer-envs", str(tmp_path / "cache"), "--report", str(tmp_path / "report")),
        ]
    )
    assert code == 0
    said = capsys.readouterr().out
    assert "**Tokens a step, temperature 0.9, top-p 0.95**" in said
    assert said.rstrip().splitlines()[-1].startswith(("Lost: ", "Pays at best: "))
    assert "<!-- figures: speculation -->" in (tmp_path / "report" / "engine.md").read_text()
