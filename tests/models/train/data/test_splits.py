from __future__ import annotations

import numpy as np
import pytest

from models.train.data.duplicates import NearIndex, Signer
from models.train.data.leakage import HeldOut
from models.train.data.settings import DuplicateSettings, LeakageSettings, SplitSettings
from models.train.data.splits import split_of
from tests.models.train.data.corpus import tell

GROUPS = [f"book-{n}" for n in range(4000)]


def test_the_shares_are_about_what_was_asked_for() -> None:
    settings = SplitSettings(validation=0.1, test=0.05)
    found = [split_of(group, settings) for group in GROUPS]
    assert found.count("validation") / len(GROUPS) == pytest.approx(0.1, abs=0.02)
    assert found.count("test") / len(GROUPS) == pytest.approx(0.05, abs=0.02)


def test_a_share_of_nothing_holds_nothing_out() -> None:
    assert {split_of(group, SplitSettings(validation=0, test=0)) for group in GROUPS} == {"train"}


def test_a_larger_share_keeps_what_was_held_out() -> None:
    small, large = SplitSettings(validation=0.02, test=0.02), SplitSettings(validation=0.2, test=0.1)
    assert all(split_of(g, large) == split_of(g, small) for g in GROUPS if split_of(g, small) != "train")


def test_another_salt_draws_others() -> None:
    first, second = ([split_of(g, SplitSettings(test=0.5, salt=salt)) for g in GROUPS] for salt in ("", "b"))
    assert first != second


def held_out(texts: list[str], train: list[str], **changes: object) -> tuple[HeldOut, LeakageSettings]:
    settings, duplicates = LeakageSettings.model_validate(changes), DuplicateSettings()
    signer = Signer(duplicates)
    signatures = np.stack([signer.sign(text) for text in [*texts, *train]])
    held = HeldOut(settings, NearIndex(duplicates), signatures)
    for number, text in enumerate(texts):
        held.add("validation" if number % 2 == 0 else "test", text, number)
    held.close()
    return held, settings


def test_stories_with_nothing_in_common_do_not_leak() -> None:
    held, settings = held_out([tell(1), tell(2)], [tell(3)])
    overlap = held.compare(tell(3), 2)
    assert (len(overlap.places), overlap.contained, overlap.own, overlap.near) == (0, 0.0, 0.0, ())
    assert not overlap.is_leak(settings)


def test_a_held_out_story_inside_a_longer_train_story_is_found() -> None:
    train = f"{tell(3, 60)}\n\n{tell(1)}"
    held, settings = held_out([tell(1), tell(2)], [train])
    overlap = held.compare(train, 2)
    assert overlap.contained == 1.0
    assert overlap.own < 0.3
    assert overlap.is_leak(settings)


def test_a_train_excerpt_of_a_held_out_story_is_found() -> None:
    train = tell(1, 60)[:600]
    held, settings = held_out([tell(1, 60)], [train])
    overlap = held.compare(train, 1)
    assert overlap.own > 0.9
    assert overlap.contained < 0.5
    assert overlap.is_leak(settings)


def test_a_near_duplicate_is_found_even_without_long_common_runs() -> None:
    words = tell(1, 40).split()
    words[::12] = ["otherwise"] * len(words[::12])
    held, settings = held_out([tell(1, 40)], [" ".join(words)])
    assert held.compare(" ".join(words), 1).near == ()  # one word in twelve: no longer alike by 0.8
    words = tell(1, 40).split()
    words[::60] = ["otherwise"] * len(words[::60])
    held, settings = held_out([tell(1, 40)], [" ".join(words)], ngram=50)
    assert held.compare(" ".join(words), 1).near == (0,)
    assert held.compare(" ".join(words), 1).is_leak(settings)


def test_the_report_counts_runs_by_hand() -> None:
    # 20 words: 8 runs of 13. Train has the first 15 of them: 3 runs.
    words = [f"w{n}" for n in range(20)]
    text, train = " ".join(words), " ".join(words[:15])
    held, _ = held_out([text, tell(2)], [train])
    measure = held.measure()
    measure.add(held.compare(train, 2))
    report = measure.report("validation")
    assert (report["ngrams"], report["ngrams_in_train"], report["share_of_ngrams_in_train"]) == (8, 3, 0.375)
    assert measure.report("test")["ngrams_in_train"] == 0
    measure.add(held.compare(train, 2))
    assert measure.report("validation") == report, "what is found twice counts once"


def test_a_run_in_two_held_out_stories_counts_in_both() -> None:
    words = " ".join(f"w{n}" for n in range(13))
    held, _ = held_out([words, words], [words])
    measure = held.measure()
    measure.add(held.compare(words, 2))
    assert [measure.report(split)["ngrams_in_train"] for split in ("validation", "test")] == [1, 1]


def test_nothing_held_out_is_nothing_leaked() -> None:
    held = HeldOut(LeakageSettings(), None, None)
    held.close()
    measure = held.measure()
    measure.add(held.compare(tell(1), 0))
    assert measure.report("test")["share_of_ngrams_in_train"] == 0.0
