"""Documents of a run: read from files or prepared datasets, repeated, shuffled, and never all in memory."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from models.engine.story_format import StoryFormat
from models.train.config import ExampleOptions, PhaseConfig
from models.train.corpus import iter_source, spool_phase
from models.train.documents import Form, choose_documents
from models.train.errors import NoTextError
from models.train.prepare import prepare_data
from models.train.sources import Story, iter_stories
from models.train.spool import Spool
from tests.models.train.data.corpus import make, tell, write_jsonl
from tests.models.train.toy import toy_config, write_corpus

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

LONG = "The fox ran over the hill and looked for the moon. " * 6


def phase(*sources: dict[str, object]) -> PhaseConfig:
    return PhaseConfig.model_validate({"sources": list(sources)})


def documents(phase: PhaseConfig, root: Path, seed: int = 1) -> list[str]:
    with Spool(root / "spool") as spool:
        order = spool_phase(phase, root, lambda story, rng: [story.text], random.Random(seed), spool)
        return list(spool.read(order))


def test_texts_come_back_in_any_order_and_the_file_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    with Spool(path) as spool:
        for text in ("ein", "zwölf – 十二", ""):
            spool.append(text)
        assert spool[1] == "zwölf – 十二"
        spool.append("later")
        assert list(spool.read([3, 0, 2])) == ["later", "ein", ""]
        assert len(spool) == 4
    assert not path.exists()


def test_a_repeat_takes_every_story_and_a_share_of_them_once_more(tmp_path: Path) -> None:
    texts = [f"{LONG}{number}" for number in range(10)]
    (tmp_path / "a.txt").write_text("\n<|endoftext|>\n".join(texts))
    found = documents(phase({"path": "a.txt", "repeat": 2.3}), tmp_path)
    counts = {text: found.count(text) for text in texts}
    assert len(found) == 23
    assert set(counts.values()) == {2, 3}
    assert found == documents(phase({"path": "a.txt", "repeat": 2.3}), tmp_path), "the seed decides"
    assert found != documents(phase({"path": "a.txt", "repeat": 2.3}), tmp_path, seed=2)


def test_sources_of_a_phase_are_shuffled_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("\n<|endoftext|>\n".join(f"{LONG}{name}" for _ in range(20)))
    found = "".join(text[-1] for text in documents(phase({"path": "a.txt"}, {"path": "b.txt"}), tmp_path))
    assert "ab" in found
    assert "ba" in found


def test_stories_are_read_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n<|endoftext|>\n".join([LONG] * 3))
    (tmp_path / "b.txt").write_bytes(b"")
    stories = iter_stories(tmp_path)
    assert next(stories).text.startswith("The fox")
    (tmp_path / "b.txt").unlink()
    with pytest.raises(NoTextError, match=r"no such text: .*b\.txt"):
        list(stories)


def test_a_line_that_is_no_story_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"text": "{LONG}"}}\n{{"titel": "x"}}\n')
    with pytest.raises(NoTextError, match=r"a\.jsonl, line 2"):
        list(iter_stories(tmp_path / "a.jsonl"))


def test_a_split_of_a_prepared_dataset_is_a_source(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": tell(n), "title": f"Tale {n}", "tags": ["sly"]} for n in range(6)])
    make(tmp_path, {"kind": "jsonl", "path": "a.jsonl", "licence": "CC0"}, out="tales", splits={"validation": 0})
    (tmp_path / "plain.txt").write_text(LONG)
    found = list(iter_source(tmp_path / "tales", "train"))
    assert {(story.text, story.title, story.tags) for story in found} == {
        (tell(n), f"Tale {n}", ("sly",)) for n in range(6)
    }
    assert list(iter_source(tmp_path, "tales/train")) == found
    assert [story.title for story in iter_source(tmp_path, "plain.txt")] == [None]
    with pytest.raises(NoTextError, match="other"):
        list(iter_source(tmp_path, "tales/other"))


def test_the_configuration_says_how_stories_are_shown(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(LONG)
    with Spool(tmp_path / "spool") as spool:
        options = ExampleOptions(plain_chance=1.0)
        teach = choose_documents(Form(StoryFormat(), "", ""), options)
        order = spool_phase(phase({"path": "a.txt", "repeat": 3}), tmp_path, teach, random.Random(1), spool)
        assert set(spool.read(order)) == {f"<|text|>{LONG.strip()}"}
    with pytest.raises(ValueError, match="at least min_passage_words"):
        ExampleOptions(min_passage_words=50, max_passage_words=20)


def test_a_document_looks_as_its_form_says() -> None:
    story, rng = Story("Once a fox.\n\nThe end.", "Fox"), random.Random(1)
    assert choose_documents(Form(None, "<s>", "</s>"), ExampleOptions())(story, rng) == [
        "<s>Fox\n\nOnce a fox.\n\nThe end.</s>"
    ]


def test_what_a_killed_preparation_left_is_made_anew(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    whole = prepare_data(toy_config(), tmp_path, work)
    assert not list(work.glob("phase-*")), "what was spooled is gone"
    before = whole.train.path.read_bytes()
    (work / "data.json").unlink()
    whole.train.path.write_bytes(before[:100])
    again = prepare_data(toy_config(), tmp_path, work)
    assert again.train.path.read_bytes() == before
    assert (again.blocks, again.sha256) == (whole.blocks, whole.sha256)


def test_what_was_prepared_is_not_read_again(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    (tmp_path / "work").mkdir()
    first = prepare_data(toy_config(), tmp_path, tmp_path / "work")
    (tmp_path / "train.txt").unlink()
    assert prepare_data(toy_config(), tmp_path, tmp_path / "work").sha256 == first.sha256
