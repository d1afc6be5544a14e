"""Reading and finding one's way: /story show, /story list, /help, /about."""

from __future__ import annotations

from bot.discord_app.gate import REPORT_MENU
from tests.bot.discord_app.stage import Stage
from tests.bot.service.far_end import fresh_text


async def tell(stage: Stage, *texts: str) -> None:
    """Makes canon of members' texts, one round each."""
    for text in texts:
        await stage.write(stage.ben, text)
        await stage.win(stage.letter_of(text[:40]))


def long_text(start: int) -> str:
    return " ".join(fresh_text(number) for number in range(start, start + 25))


async def test_a_story_is_read_privately_in_pages_and_as_a_file(stage: Stage) -> None:
    await stage.story()
    texts = [long_text(200), long_text(300), long_text(400)]
    await tell(stage, *texts)
    result = await stage.cleo.slash(stage.channel, "story show")
    pages = [stage.told(result)]
    assert "page 1 of 3" in pages[0]
    assert "Premise: A key that opens any door." in pages[0]
    while "Next page of the story" in stage.buttons(result.response):
        await stage.cleo.click(result.response, label="Next page of the story")
        pages.append(stage.text(result.response))
    assert "page 3 of 3" in pages[-1]
    read = " ".join(page.split("\n", 2)[2] for page in pages).split()
    assert read == ["Premise:", *"A key that opens any door.".split(), *" ".join(texts).split()]
    await stage.cleo.click(result.response, label="Previous page of the story")
    assert "page 2 of 3" in stage.text(result.response)
    file = await stage.cleo.click(result.response, label="Download as text")
    (attachment,) = file.response.attachments
    assert attachment.filename == "the-glass-key.md"
    assert (await attachment.read()).decode().split("\n\n")[2:] == [*texts[:2], texts[2] + "\n"]


async def test_a_style_is_offered_shown_and_written_into_the_file(stage: Stage) -> None:
    offered = [c["value"] for c in await stage.ada.autocomplete(stage.channel, "story start", "style", " Tale")]
    assert offered == ["old tale"]
    assert len(await stage.ada.autocomplete(stage.channel, "story start", "style", "")) == 4
    begun = await stage.ada.slash(stage.channel, "story start", title="Key", style="a noir <@123>")
    assert "Style: a" in stage.text(begun.response)
    assert "<@123>" not in stage.text(begun.response)
    await tell(stage, "The fox slept.")
    shown = await stage.cleo.slash(stage.channel, "story show")
    assert "Style: a" in stage.told(shown)
    file = await stage.cleo.click(shown.response, label="Download as text")
    (attachment,) = file.response.attachments
    assert (await attachment.read()).decode() == "# Key\n\n*Style: a noir <@123>*\n\nThe fox slept.\n"


async def test_a_page_can_be_asked_for_and_one_too_large_is_the_last(stage: Stage) -> None:
    await stage.story()
    await tell(stage, long_text(500), long_text(600))
    for wanted, page in ((2, 2), (99, 2)):
        assert f"page {page} of 2" in stage.told(await stage.ada.slash(stage.channel, "story show", page=wanted))


async def test_a_new_story_says_that_it_has_no_text_yet(stage: Stage) -> None:
    await stage.ada.slash(stage.channel, "story start", title="Empty")
    told = stage.told(await stage.ada.slash(stage.channel, "story show"))
    assert "no text yet" in told
    assert "0 passages" in told


async def test_the_running_round_is_linked_from_the_story(stage: Stage) -> None:
    await stage.story()
    await stage.ask()
    told = stage.told(await stage.ben.slash(stage.channel, "story show"))
    assert f"/{stage.channel.id}/{stage.ballot.id}" in told


async def test_a_page_of_a_story_that_ended_says_so(stage: Stage) -> None:
    await stage.story()
    await tell(stage, long_text(700), long_text(800))
    result = await stage.ada.slash(stage.channel, "story show")
    await stage.ada.slash(stage.channel, "story end")
    clicked = await stage.ada.click(result.response, label="Next page of the story")
    assert "/story start" in stage.told(clicked)
    await stage.story(title="Another")
    clicked = await stage.ada.click(result.response, label="Next page of the story")
    assert "has ended" in stage.told(clicked)


async def test_the_servers_stories_are_listed_in_pages(stage: Stage) -> None:
    for number in range(12):
        await stage.story(title=f"Story {number}")
        await stage.ada.slash(stage.channel, "story end")
    await stage.ada.slash(stage.other, "story start", title="<@5> last")
    result = await stage.ben.slash(stage.channel, "story list")
    told = stage.told(result)
    assert "＠member last" in told
    assert f"<#{stage.other.id}>" in told
    assert "Story 11** · 0 passages" in told
    assert "ended" in told
    await stage.ben.click(result.response, label="Next page of the list")
    assert "Story 0" in stage.text(result.response)
    assert stage.buttons(result.response) == ["Previous page of the list"]


async def test_a_server_without_stories_says_how_to_begin(stage: Stage) -> None:
    assert "/story start" in stage.told(await stage.ben.slash(stage.channel, "story list"))


async def test_help_mentions_every_command_so_that_it_can_be_clicked(stage: Stage) -> None:
    told = stage.told(await stage.ben.slash(stage.channel, "help"))
    ids = {name: number for name, number in stage.bot.command_ids.items() if name not in ("help", REPORT_MENU)}
    assert set(ids) == {
        "story",
        "continue",
        "rewrite",
        "write",
        "settings",
        "round",
        "moderation",
        "audit",
        "about",
        "filters",
    }
    assert all(f":{number}>" in told for number in ids.values())
    assert "</story start:" in told


async def test_about_names_the_model_and_where_to_turn(stage: Stage) -> None:
    told = stage.told(await stage.ben.slash(stage.channel, "about"))
    assert "Model: scripted" in told
    assert "https://example.org/privacy" in told
    assert "https://example.org/contact" in told
    assert "AI" in told


async def test_about_works_without_a_storyteller(stage: Stage) -> None:
    await stage.replace_worker("http://127.0.0.1:9")
    told = stage.told(await stage.ben.slash(stage.channel, "about"))
    assert "Model: not known right now" in told
    assert "Classifier: not known right now." in told


async def test_about_says_nothing_of_a_classifier_where_there_is_none(stage: Stage) -> None:
    assert "Classifier" not in stage.told(await stage.ben.slash(stage.channel, "about"))


async def test_about_names_the_workers_classifier_as_it_is_now(stage: Stage) -> None:
    await stage.ben.slash(stage.channel, "about")
    stage.far.others = [{"id": "guard_<@1>", "kind": "moderation", "revision": "g1"}]
    told = stage.told(await stage.ben.slash(stage.channel, "about"))
    assert "Classifier: guard" in told
    assert "(g1), beside the storyteller. It reads texts that a rule here wants scored" in told
    assert "<@1>" not in told
    stage.far.others = []
    assert "Classifier" not in stage.told(await stage.ben.slash(stage.channel, "about"))


async def test_about_tells_members_when_their_texts_go_to_another_host(stage: Stage) -> None:
    await stage.score_elsewhere("https://api.example.org/openai")
    told = stage.told(await stage.ben.slash(stage.channel, "about"))
    assert "Classifier: a model of its server’s choice at **api.example.org**." in told
    assert "are sent to that other host" in told
    for here in ("http://localhost:9000", "http://127.0.0.1:9000", "http://[::1]:9000"):
        await stage.score_elsewhere(here)
        told = stage.told(await stage.ben.slash(stage.channel, "about"))
        assert "on my own machine." in told
        assert "other host" not in told
