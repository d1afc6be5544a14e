"""How long a bar may last, and what moderators are freed of."""

from datetime import timedelta

import pytest

from bot.errors import BadInput
from bot.story.limits import Quotas, parse_duration


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1 minute", timedelta(minutes=1)),
        ("90 min", timedelta(minutes=90)),
        (" 12H ", timedelta(hours=12)),
        ("1w 2d", timedelta(days=9)),
        ("1 week and 2 days", timedelta(days=9)),
        ("1 day, 6 hours", timedelta(hours=30)),
        ("365 days", timedelta(days=365)),
    ],
)
def test_a_duration_is_read_as_people_write_it(text, length):
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "5", "d", "0 min", "366 days", "999999 weeks", "1 year", "-1 h", "1.5 h", "1 h x", "for ever", "١ h"]
)
def test_what_is_no_duration_or_too_short_or_too_long_is_refused_with_the_bounds(text):
    with pytest.raises(BadInput, match="from 1 minute to 365 days"):
        parse_duration(text)


def test_moderators_are_free_of_members_limits_and_keep_the_others():
    assert Quotas(1, 2, 3, 4, 5).for_moderator() == Quotas(0, 2, 3, 0, 0)
