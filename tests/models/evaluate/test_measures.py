"""Measures that ask a subject, on the tiny storyteller."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.engine.checkpoint import load_checkpoint
from models.evaluate.cases import Case, CaseOptions, draw_cases, read_texts
from models.evaluate.local import LocalSubject
from models.evaluate.measures import generation, hints, infilling, rewriting, speed
from models.evaluate.numbers import Bootstrap
from models.evaluate.remote import RemoteSubject
from models.evaluate.section import Row
from models.evaluate.server import Server
from models.evaluate.subject import Candidate, NotAvailable
from models.evaluate.writing import WritingOptions, fit_before, fitting_prompt, write_arm

BOOTSTRAP = Bootstrap(30)
OPTIONS = WritingOptions(n=2, max_tokens=24, sampling={"temperature": 0.9})
CASES = CaseOptions(prompts=4, passage_words=20, before_words=60)


@pytest.fixture(scope="module")
def cases(stories: Path) -> list[Case]:
    return draw_cases(read_texts([stories]), CASES)


def value(row: Row, key: str) -> float:
    number = row.numbers[key]
    assert number is not None
    return number.value


def candidate(text: str, *, is_ended: bool = True) -> Candidate:
    return Candidate(text, is_ended, None, None)


def case_of(passage: str, hint: tuple[str, ...] = ()) -> Case:
    return Case("a", None, ("Before.",), passage, "After.", hint)


def test_the_arms_differ_in_what_is_asked_alone(subject: LocalSubject, cases: list[Case]) -> None:
    first = write_arm(subject, cases, OPTIONS)
    assert write_arm(subject, cases, OPTIONS) == first
    hinted = write_arm(subject, cases, OPTIONS, has_hint=True)
    assert [[c.seed for c in answers] for answers in hinted] == [[c.seed for c in answers] for answers in first]
    assert hinted != first
    assert write_arm(subject, cases, replace(OPTIONS, seed=1)) != first


def test_must_include_brings_the_hint_s_words(subject: LocalSubject, cases: list[Case]) -> None:
    plain = hints.hint_numbers(cases, write_arm(subject, cases, OPTIONS, has_hint=True), BOOTSTRAP)
    # Words of this vocabulary begin with a capital; the engine looks for them in any case and spells them as given.
    spelled = [replace(case, hint=tuple(word.capitalize() for word in case.hint)) for case in cases]
    asked = hints.hint_numbers(spelled, write_arm(subject, spelled, OPTIONS, has_hint=True, must=True), BOOTSTRAP)
    assert plain["words"] is not None
    assert asked["words"] is not None
    assert asked["words"].value > plain["words"].value + 0.3


def test_a_prompt_that_does_not_fit_loses_its_oldest_passages(subject: LocalSubject, cases: list[Case]) -> None:
    case = replace(cases[0], before=(*cases[0].before, "Last River Bell."))
    assert fit_before(subject, case, 24) == list(case.before)
    short = fit_before(subject, case, 380)
    assert short[-1] == "Last River Bell."
    assert len(short) < len(case.before)
    assert (subject.num_tokens(fitting_prompt(subject, case, 380)) or 0) + 380 < 400
    with pytest.raises(NotAvailable, match="leaves no room"):
        fit_before(subject, case, 400)


def test_hint_shares_by_hand() -> None:
    cases = [case_of("x", ("fox", "hill")), case_of("x", ("owl",)), case_of("x")]
    arm = [(candidate("A fox."), candidate("Foxes on hills.")), (candidate("No."), candidate("No.")), (candidate("a"),)]
    found = hints.hint_numbers(cases, arm, BOOTSTRAP)
    values = {key: number.value for key, number in found.items() if number}
    assert values == {"words": 0.75 / 2, "one": 0.5, "all": 0.25, "ballot": 0.5}
    assert found["words"] is not None
    assert found["words"].n == 2  # a case without content words has no hint to obey


def test_lengths_and_whole_sentences_by_hand() -> None:
    arm = [(candidate("One two."), candidate("One two three", is_ended=False)), (candidate("One", is_ended=True),)]
    found = generation.own_numbers(arm, BOOTSTRAP)
    values = {key: number.value for key, number in found.items() if number}
    assert values["words"] == pytest.approx((2.5 + 1) / 2)
    assert values["whole"] == pytest.approx((0.5 + 0) / 2)
    assert (values["words_p10"], values["words_p90"]) == (1, 3)


def test_a_section_has_every_subject_the_truth_and_samples(subject: LocalSubject, cases: list[Case]) -> None:
    arms: dict[str, generation.Arm] = {
        "m": write_arm(subject, cases, OPTIONS),
        "broken": NotAvailable("it is off"),
    }
    section = generation.generation_section(cases, arms, CASES, OPTIONS, BOOTSTRAP)
    assert [row.model for row in section.rows] == ["m", "broken", generation.TRUTH]
    assert section.rows[1].note == "not available: it is off"
    assert all(section.rows[0].numbers[column.key] is not None for column in generation.COLUMNS)
    assert [label for label, _ in section.samples[0].texts] == ["told so far (its end)", "truly follows", "m, seed 0"]
    assert section.samples[1].texts[2][0] == "m, seed 1000"


def test_a_model_without_suffix_has_no_infilling(subject: LocalSubject, cases: list[Case]) -> None:
    [row] = infilling.infilling_rows("m", cases, infilling.causal_scorer(subject), BOOTSTRAP)
    assert "no suffix" in row.note


def test_a_middle_that_a_model_can_not_take_is_left_out_of_both_arms(cases: list[Case]) -> None:
    def score(case: Case, after: str | None) -> float:
        if case is cases[1] and after is not None:
            raise NotAvailable("it has 83 tokens")
        return 3.0 if after is None else 2.0

    without, with_it, gain = infilling.infilling_rows("m", cases, score, BOOTSTRAP)
    assert without.note == f"1 of {len(cases)} left out: it has 83 tokens"
    assert without.numbers["bits_per_byte"] is not None
    assert without.numbers["bits_per_byte"].n == len(cases) - 1
    assert value(with_it, "bits_per_byte") == pytest.approx(value(without, "bits_per_byte") * 2 / 3)
    assert value(gain, "helped") == 1


def test_infilling_scores_the_middle_with_and_without_what_follows(looking_ahead: Path, cases: list[Case]) -> None:
    subject = LocalSubject(load_checkpoint(str(looking_ahead), device="cpu"))
    without, with_it, gain = infilling.infilling_rows("m", cases, infilling.causal_scorer(subject), BOOTSTRAP)
    followed = [case for case in cases if case.after]
    given = [subject.templates.prompt(None, case.before) for case in followed]
    nats = sum(subject.score(g, case.passage).nats for g, case in zip(given, followed, strict=True))
    size = sum(len(case.passage.encode()) for case in followed)
    assert value(without, "bits_per_byte") == pytest.approx(nats / math.log(2) / size)
    difference = value(without, "bits_per_byte") - value(with_it, "bits_per_byte")
    assert value(gain, "bits_per_byte") == pytest.approx(difference)
    assert difference != 0
    assert 0 <= value(gain, "helped") <= 1


class Rewriter(Server):
    """A worker whose masked model changes the first word; it notes what it was asked."""

    def __init__(self) -> None:
        self.card = {"id": "masked"}
        self.model, self.address = "masked", "here"
        self.asked: list[dict[str, Any]] = []

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        if body["mask_share"] > 0.4:
            raise NotAvailable("the server answered 400: mask_share is 0.5")
        return {"choices": [{"text": "New " + body["middle"].partition(" ")[2]}]}


def test_light_rewrites_are_asked_by_their_fields_and_counted(cases: list[Case]) -> None:
    server = Rewriter()
    rows = rewriting.rewriting_rows(RemoteSubject(server), cases, OPTIONS, BOOTSTRAP)
    assert [row.group for row in rows] == ["mask_share 0.15", "mask_share 0.3", "mask_share 0.5"]
    assert rows[2].note == "not available: the server answered 400: mask_share is 0.5"
    expected = sum(1 / len(rewriting.words_of(case.passage)) for case in cases) / len(cases)
    assert value(rows[0], "edited") == pytest.approx(expected)
    assert value(rows[0], "kept") == pytest.approx(1 - expected)
    assert value(rows[0], "changed") == 1
    assert server.asked[1] == {
        "prompt": "\n\n".join(cases[1].before) + "\n\n",
        "suffix": "\n\n" + cases[1].after,
        "middle": cases[1].passage,
        "mask_share": 0.15,
        "seed": 1000,
    }


def test_a_checkpoint_is_not_asked_for_rewrites(subject: LocalSubject, cases: list[Case]) -> None:
    [row] = rewriting.rewriting_rows(subject, cases, OPTIONS, BOOTSTRAP)
    assert "by its URL" in row.note


def test_speed_is_marked_as_of_this_machine(subject: LocalSubject, cases: list[Case]) -> None:
    row = speed.speed_row(subject, cases[:2], OPTIONS, BOOTSTRAP)
    assert value(row, "tokens_s") > 0
    assert 0 < value(row, "first_token_s") <= value(row, "ballot_s")
    section = speed.speed_section([row], CASES, OPTIONS, BOOTSTRAP, {"cores": 2})
    assert section.is_here_only
    assert section.settings["machine"] == {"cores": 2}
