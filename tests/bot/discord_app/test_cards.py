"""Cards stay within Discord's limits, whatever was written, reported and done."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.discord_app.cards import card, case_list
from bot.discord_app.forms import MAX_OPTIONS, act_form, report_form
from bot.service.views import CasePage, CaseView, MessagePlace
from bot.story.cases import Act, Case, CaseAct, CaseVoice, Subject, Voice, possible_acts
from bot.story.marks import Mark
from tests.bot.discord_app.test_ballot import TEXTS, check_limits

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
REASONS = st.one_of(st.just(""), TEXTS.map(lambda text: text[:500]))


@st.composite
def views(draw: st.DrawFn) -> CaseView:
    """The worst that can be: long texts full of marks, many voices, many acts."""
    is_text = draw(st.booleans())
    subject = Subject(
        text=draw(TEXTS),
        kind="instruction" if is_text else "passage",
        story_title="" if is_text else draw(TEXTS)[:100],
        story_id=None if is_text else 1,
        author_user_id=draw(st.sampled_from([None, 10**18])),
        round_id=None if is_text else 5,
        passage_id=None if is_text else 7,
        number=None if is_text else draw(st.sampled_from([None, 123_456])),
        before=None if is_text else draw(TEXTS),
        replaced=None if is_text else draw(st.one_of(st.none(), TEXTS)),
        mark=None if is_text else draw(st.sampled_from([None, *Mark])),
    )
    outcome = draw(st.sampled_from([None, Act.REDACT]))
    case = Case(10**9, 10**18, 10**18, None, None, None, None, None, 10**18, NOW, outcome, None, None, 1)
    voices = [
        CaseVoice(draw(st.sampled_from(Voice)), 10**18, draw(TEXTS)[:60], draw(TEXTS)[:60], draw(REASONS), NOW)
        for _ in range(draw(st.sampled_from([1, 9])))
    ]
    told = st.sampled_from([None, True, False])
    acts = [
        CaseAct(number, draw(st.sampled_from(Act)), 10**18, NOW, draw(REASONS), draw(told))
        for number in range(draw(st.sampled_from([0, 9])))
    ]
    place = draw(st.sampled_from([None, MessagePlace(10**18, 10**18, 10**18)]))
    return CaseView(
        case, subject, tuple(voices), tuple(acts), possible_acts(case, subject), place, is_blind=draw(st.booleans())
    )


@given(views())
def test_every_card_fits(view: CaseView) -> None:
    check_limits(card(view))


@given(st.lists(views(), max_size=5), st.booleans())
def test_every_list_fits(found: list[CaseView], has_more: bool) -> None:
    mine = frozenset(view.case.id for view in found[:1])
    check_limits(case_list(CasePage(tuple(found[:1]), 3, has_more), mine, "-# A note."))
    check_limits(case_list(CasePage(tuple(found), 3, has_more), frozenset(), "-# A note."))


def test_every_form_can_be_shown() -> None:
    """Discord's limits: a title of 45 characters, labels of 45, descriptions of 100, 25 options of 100 characters."""
    forms = [act_form(1, act) for act in Act] + [report_form([(f"p{n}", "word " * 50) for n in range(MAX_OPTIONS)])]
    for form in forms:
        payload = form.to_dict()
        assert len(payload["title"]) <= 45
        for label in payload["components"]:
            assert len(label["label"]) <= 45
            assert len(label.get("description") or "") <= 100
            options = label["component"].get("options", [])
            assert len(options) <= 25
            assert all(len(option["label"]) <= 100 for option in options)
