"""The table of settings: bounds, defaults, and which layer's value holds."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BadInput
from bot.story.limits import LIMITS, Quotas
from bot.story.model import Method, RoundSettings, Tally
from bot.story.settings import (
    SETTINGS,
    Origin,
    allows_training,
    explain,
    parse_setting,
    resolve,
    resolve_quotas,
    write_value,
)


def test_every_field_of_a_rounds_settings_is_in_the_table_with_its_default():
    assert {name: setting.default for name, setting in SETTINGS.items() if setting.is_of_rounds} == {
        field.name: field.default for field in fields(RoundSettings)
    }


def test_without_any_stored_value_the_defaults_hold():
    assert resolve({}, {}) == RoundSettings()


def test_a_channels_value_wins_over_its_servers_and_that_over_the_default():
    settings = resolve({"candidates": "4", "minutes": "5"}, {"candidates": "2"})
    assert (settings.candidates, settings.minutes, settings.quorum) == (2, 5.0, 2)


@pytest.mark.parametrize(
    ("stored", "allowed"),
    [({}, False), ({"training": "on"}, True), ({"training": "off"}, False), ({"training": "perhaps"}, False)],
)
def test_only_on_is_consent_to_training_and_a_channel_has_no_say(stored, allowed):
    assert allows_training(stored) is allowed
    for channel in ({"training": "on"}, {"training": "off"}):
        assert explain(stored, channel)["training"].value is allowed
        assert resolve(stored, channel) == RoundSettings()


def test_explain_says_where_each_value_comes_from():
    explained = explain({"candidates": "4", "early": "off"}, {"candidates": "2"})
    origins = {name: line.origin for name, line in explained.items()}
    assert origins["candidates"] is Origin.CHANNEL
    assert origins["early"] is Origin.SERVER
    assert origins["method"] is Origin.DEFAULT
    assert explained["early"].text == "off"
    assert list(explained) == list(SETTINGS)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("candidates", "2", 2),
        ("candidates", " 5 ", 5),
        ("candidates", "3.0", 3),
        ("minutes", "0.5", 0.5),
        ("minutes", "10080", 10080.0),
        ("method", "Plurality", Method.PLURALITY),
        ("quorum", "50", 50),
        ("length", "20", 20),
        ("tally", "LIVE", Tally.LIVE),
        ("early", "off", False),
        ("early", "yes", True),
    ],
)
def test_values_within_the_bounds_are_read(name, text, value):
    parsed = parse_setting(name, text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "bound"),
    [
        ("candidates", "1", "2 to 5"),
        ("candidates", "6", "2 to 5"),
        ("candidates", "3.5", "whole number"),
        ("candidates", "-3", "2 to 5"),
        ("candidates", "", "2 to 5"),
        ("candidates", "٣", "2 to 5"),
        ("minutes", "0.49", "0.5 to 10080"),
        ("minutes", "10080.1", "0.5 to 10080"),
        ("minutes", "nan", "0.5 to 10080"),
        ("minutes", "inf", "0.5 to 10080"),
        ("minutes", "1e3", "0.5 to 10080"),
        ("quorum", "0", "1 to 50"),
        ("quorum", "51", "1 to 50"),
        ("length", "19", "20 to 200"),
        ("length", "201", "20 to 200"),
        ("method", "ranked", "approval or plurality"),
        ("tally", "secret", "hidden or live"),
        ("early", "maybe", "on or off"),
    ],
)
def test_values_outside_are_refused_with_the_bound_in_the_sentence(name, text, bound):
    with pytest.raises(BadInput, match=bound) as refused:
        parse_setting(name, text)
    assert name in str(refused.value)
    assert refused.value.text == text


def test_an_unknown_setting_is_refused_with_the_names_that_exist():
    with pytest.raises(BadInput, match="candidates, minutes, method, quorum, length, tally, early"):
        parse_setting("colour", "blue")


@given(st.sampled_from(sorted(SETTINGS)), st.floats(0, 20000) | st.sampled_from([*Method, *Tally, "on", "off"]))
def test_what_is_stored_is_read_back_as_the_same_value(name, typed):
    try:
        value = parse_setting(name, f"{typed:.4f}" if isinstance(typed, float) else typed)
    except BadInput:
        return
    assert parse_setting(name, write_value(value)) == value


def test_a_stored_value_outside_of_todays_bounds_counts_as_not_set():
    explained = explain({"quorum": "3"}, {"quorum": "500"})
    assert (explained["quorum"].value, explained["quorum"].origin) == (3, Origin.SERVER)


def test_every_limit_is_in_the_table_with_its_default_and_none_of_them_is_a_rounds():
    assert resolve_quotas({}, {}) == Quotas()
    stored = dict.fromkeys(LIMITS, "7")
    assert resolve_quotas(stored, {}) == Quotas(7, 7, 7, 7, 7)
    assert resolve(stored, stored) == RoundSettings()


def test_a_channel_may_be_stricter_than_its_server_but_not_speak_for_it():
    assert resolve_quotas({"member_cooldown": "5"}, {"member_cooldown": "60", "server_rounds_per_hour": "1"}) == Quotas(
        member_cooldown=60
    )


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_a_whole_number_where_0_is_none(name):
    assert parse_setting(name, "0") == 0
    for text in ("-1", "1.5", "100000", "none"):
        with pytest.raises(BadInput, match=r"from 0 \(no limit\) to"):
            parse_setting(name, text)
