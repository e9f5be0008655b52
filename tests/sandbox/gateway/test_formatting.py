"""Dates and timestamps in the user's formatting."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intacct_sandbox import UserFormatting

FORMATTINGS = [
    UserFormatting(),
    UserFormatting(gmt_offset="-08:00"),
    UserFormatting(gmt_offset="+05:30", clock="12"),
    UserFormatting(date_format=".dmY"),
    UserFormatting(date_format="-Ymd", clock="12"),
]


@pytest.mark.parametrize("formatting", FORMATTINGS)
@given(moment=st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30)))
def test_what_is_sent_is_read_back(
    formatting: UserFormatting, moment: datetime
) -> None:
    stored = moment.replace(microsecond=0).isoformat()
    sent = formatting.render_timestamp(stored)
    assert formatting.parse_timestamp(sent) == stored
    assert formatting.parse_date(formatting.render_date(stored[:10])) == stored[:10]


@pytest.mark.parametrize(
    ("formatting", "date", "timestamp"),
    [
        (UserFormatting(), "01/31/2026", "01/31/2026 19:12:45"),
        (UserFormatting(gmt_offset="-08:00"), "01/31/2026", "01/31/2026 11:12:45"),
        (UserFormatting(clock="12"), "01/31/2026", "01/31/2026 07:12:45 PM"),
        (UserFormatting(date_format=".dmY"), "31.01.2026", "31.01.2026 19:12:45"),
        (UserFormatting(date_format="/mdy"), "01/31/26", "01/31/26 19:12:45"),
    ],
)
def test_preferences_decide_what_is_sent(
    formatting: UserFormatting, date: str, timestamp: str
) -> None:
    assert formatting.render_date("2026-01-31") == date
    assert formatting.render_timestamp("2026-01-31T19:12:45") == timestamp


def test_bare_date_is_midnight_on_the_users_clock() -> None:
    formatting = UserFormatting(gmt_offset="-08:00")
    assert formatting.parse_timestamp("01/31/2026") == "2026-01-31T08:00:00"


@pytest.mark.parametrize(
    "text", ["2026-01-31", "2026-01-31T00:00:00", "31/01/2026", "01/31/26", "now", ""]
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - strptime words it
        UserFormatting().parse_timestamp(text)
