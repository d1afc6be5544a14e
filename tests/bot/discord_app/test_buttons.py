"""Custom ids say everything and are read back exactly, or refused with a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_app.buttons import (
    ARITY,
    MAX_SEARCH,
    WITH_SEARCH,
    Action,
    Drawing,
    Verb,
    button,
    read_action,
    row,
    text,
)
from bot.discord_app.markup import width
from bot.errors import BadInput

ACTIONS = st.sampled_from(list(Verb)).flatmap(
    lambda verb: st.tuples(*[st.integers(0, 2**63 - 1)] * ARITY[verb]).map(lambda args: Action(verb, args))
)


@given(ACTIONS)
def test_an_action_survives_its_custom_id(action: Action) -> None:
    assert read_action(action.custom_id) == action
    assert len(action.custom_id) <= 100


@given(st.sampled_from(sorted(WITH_SEARCH)), st.integers(0, 9999), st.text(st.characters(codec="utf-8"), max_size=40))
def test_what_was_searched_for_survives_it_too(verb: Verb, page: int, search: str) -> None:
    action = Action(verb, (page,) * ARITY[verb], search[:MAX_SEARCH])
    assert read_action(action.custom_id) == action
    assert width(action.custom_id) <= 100


@given(st.text(max_size=40))
def test_any_custom_id_is_ours_or_refused_or_nobodys(custom_id: str) -> None:
    try:
        action = read_action(custom_id)
    except BadInput:
        assert custom_id.startswith("tw")
    else:
        assert action is None or action.custom_id == custom_id or custom_id.startswith("tw1:")


@pytest.mark.parametrize(
    "custom_id", ["tw2:vote:1:2", "tw1:vote:1", "tw1:vote:1:2:3", "tw1:vote:a:b", "tw1:dance:1", "tw1", "tw1:vote:١:2"]
)
def test_ids_of_another_version_are_refused_with_a_sentence(custom_id: str) -> None:
    with pytest.raises(BadInput, match="another version"):
        read_action(custom_id)


@pytest.mark.parametrize("custom_id", ["", "poll:1", "twitter:1", "0123abcd"])
def test_ids_of_others_are_left_alone(custom_id: str) -> None:
    assert read_action(custom_id) is None


async def test_a_drawing_is_never_kept_by_discord_py() -> None:
    drawing = Drawing(text("hello"), row(button("Vote A", Action(Verb.VOTE, (1, 2)))))
    assert drawing.is_finished()
    assert not drawing.is_dispatchable()
    assert drawing.timeout is None
    assert drawing.num_components == 4
