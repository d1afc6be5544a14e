from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from bot.cli import main
from models.engine.params import SamplingParams
from models.evaluate.asking import check_fields
from models.evaluate.decoding.strategies import BANNED, STRATEGIES, UnknownWay, chosen

SMALL = "--prompts 2 --passage-words 20 --before-words 40 --max-tokens 8 --n 2 --resamples 10".split()


def test_every_way_is_one_that_the_engine_takes() -> None:
    for strategy in STRATEGIES:
        check_fields(strategy.fields)
    assert len({strategy.name for strategy in STRATEGIES}) == len(STRATEGIES)


def test_every_control_of_the_engine_is_on_the_page() -> None:
    used = {name for strategy in STRATEGIES for name in strategy.fields}
    drawing = {f.name for f in fields(SamplingParams)} - {"logit_bias"}  # which needs token ids: no way of its own
    details = {"dry_base", "dry_allowed_length", "dry_penalty_last_n", "dry_sequence_breakers"}
    assert drawing - details <= used
    assert {"beam_width", "length_penalty", "penalty_alpha", "banned_phrases"} <= used
    assert any(strategy.has_hint for strategy in STRATEGIES)


def test_an_unknown_way_is_refused_by_its_name() -> None:
    with pytest.raises(UnknownWay, match=r"no way of decoding is called magic; there are: .*greedy"):
        chosen(["greedy", "magic"])


@pytest.fixture(scope="module")
def page(babbler: Path, stories: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decoding")
    words = ["evaluate", "decoding", str(babbler), "--text", str(stories), "--report", str(folder), *SMALL]
    assert main([*words, "--judge", str(babbler)]) == 0
    return folder


def test_every_way_has_its_numbers(page: Path) -> None:
    [section] = json.loads((page / "report.json").read_text())["sections"]
    rows = {row["group"]: row for row in section["rows"]}
    assert list(rows) == [*(strategy.name for strategy in STRATEGIES), ""]
    for strategy in STRATEGIES:
        numbers = rows[strategy.name]["numbers"]
        assert numbers["own"]["value"] >= 1, rows[strategy.name]["note"]
        # The judge is the same model here, so both say the same.
        assert numbers["judged"] == numbers["own"]
        assert (numbers["self_bleu"] is None) == (strategy.max_n == 1)
    assert rows["greedy"]["numbers"]["own"]["value"] < rows["temperature 1.3"]["numbers"]["own"]["value"]


def test_banned_phrases_never_appear(page: Path) -> None:
    [section] = json.loads((page / "report.json").read_text())["sections"]
    [row] = [row for row in section["rows"] if row["group"] == "as the bot asks, banned phrases"]
    assert row["numbers"]["banned"]["value"] == 0
    assert section["settings"]["banned"] == list(BANNED)


def test_the_page_has_both_pictures_and_samples_of_every_way(page: Path) -> None:
    html = (page / "report.html").read_text()
    assert html.count("<svg") == 2
    assert html.count("typical 0.9, seed 0") == 1


def test_the_command_names_what_it_does_not_know(
    babbler: Path, stories: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["evaluate", "decoding", str(babbler), "--text", str(stories), *SMALL]
    assert main([*words, "--only", "magic"]) == 2
    assert "called magic" in capsys.readouterr().err
