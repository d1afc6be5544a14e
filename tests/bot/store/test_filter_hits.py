from __future__ import annotations

from bot.store import FilterHit, HitFigure, Store, WithheldText
from tests.bot.store.world import CHANNEL, GUILD, LATER, NOW, begin, open_ballot, play, start


def hit(text_kind: str = "hint", rule: str = "rude", *, is_shadow: bool = False) -> FilterHit:
    return FilterHit(GUILD, CHANNEL, NOW, text_kind, rule, 1, "rude", "block", is_shadow)


async def test_figures_count_texts_and_candidates_apart_and_shadow_hits_too(store: Store) -> None:
    await store.add_hits([hit(), hit("candidate"), hit("candidate"), hit(is_shadow=True), hit(rule="other")])
    assert await store.hit_figures(GUILD, NOW) == [
        HitFigure("rude", 1, "block", False, 1, 2, NOW),
        HitFigure("other", 1, "block", False, 1, 0, NOW),
        HitFigure("rude", 1, "block", True, 1, 0, NOW),
    ]
    assert await store.hit_figures(GUILD, LATER) == []
    assert await store.hit_figures(GUILD + 1, NOW) == []


async def test_withheld_texts_are_found_by_their_round_and_only_in_their_server(store: Store) -> None:
    story = await start(store)
    round_ = await begin(store, story)
    texts = [WithheldText(round_.id, NOW, f"Text {number}.", "rude", "rude", number, number + 2) for number in range(2)]
    assert await store.last_withholding_round(GUILD, CHANNEL) is None
    await store.keep_withheld(texts)
    assert await store.withheld_texts(GUILD, round_.id) == texts
    assert await store.last_withholding_round(GUILD, CHANNEL) == round_.id
    assert await store.withheld_texts(GUILD + 1, round_.id) == []


async def test_hits_and_withheld_texts_are_forgotten_after_a_while(store: Store) -> None:
    story = await start(store)
    round_ = await begin(store, story)
    await store.add_hits([hit()])
    await store.keep_withheld([WithheldText(round_.id, NOW, "Text.", "rude", "rude", None, None)])
    await store.forget_hits(NOW)
    assert len(await store.withheld_texts(GUILD, round_.id)) == len(await store.hit_figures(GUILD, NOW)) == 1
    await store.forget_hits(LATER)
    assert await store.withheld_texts(GUILD, round_.id) == []
    assert await store.hit_figures(GUILD, NOW) == []


async def test_past_texts_come_newest_first_in_pages_and_know_what_was_chosen(store: Store) -> None:
    story = await start(store)
    await play(store, story, winner=1)
    await open_ballot(store, story, count=2)
    await open_ballot(store, await start(store, CHANNEL + 1), count=1)
    everything = await store.past_texts(GUILD, None, 2**62, 100)
    assert [(one.channel_id, one.text, one.is_canon) for one in everything] == [
        (CHANNEL + 1, "Text 0.", False),
        (CHANNEL, "Text 1.", False),
        (CHANNEL, "Text 0.", False),
        (CHANNEL, "Text 2.", False),
        (CHANNEL, "Text 1.", True),
        (CHANNEL, "Text 0.", False),
    ]
    assert await store.past_texts(GUILD, None, everything[1].id, 2) == everything[2:4]
    assert await store.past_texts(GUILD, CHANNEL, 2**62, 100) == everything[1:]
    assert await store.past_texts(GUILD + 1, None, 2**62, 100) == []
