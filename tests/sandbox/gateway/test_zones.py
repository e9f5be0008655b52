"""A user with a time zone: what stamps and filters are, by both readings."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Literal

import pytest

from intacct_sandbox import UserFormatting

JULY, DECEMBER = (
    datetime(2026, 7, 1, 12, tzinfo=timezone.utc),
    datetime(2026, 12, 1, 12, tzinfo=timezone.utc),
)
PACIFIC = UserFormatting(time_zone="America/Los_Angeles")


@pytest.mark.parametrize(
    ("now", "offset"), [(JULY, "-07:00"), (DECEMBER, "-08:00")], ids=str
)
def test_offset_is_the_current_one(now: datetime, offset: str) -> None:
    assert PACIFIC.at(now).gmt_offset == offset
    assert UserFormatting(gmt_offset="+05:30").at(now).gmt_offset == "+05:30"
    assert UserFormatting(time_zone="Asia/Kolkata").at(now).gmt_offset == "+05:30"


@pytest.mark.parametrize(
    ("stamps", "july"),
    [("own_day", "07/01/2026 05:00:00"), ("current", "07/01/2026 04:00:00")],
)
def test_stamp_of_july_in_december(
    stamps: Literal["own_day", "current"], july: str
) -> None:
    found = replace(PACIFIC, stamps=stamps).at(DECEMBER)
    assert found.render_timestamp("2026-07-01T12:00:00") == july
    assert found.parse_timestamp(july) == "2026-07-01T12:00:00"
    assert found.render_timestamp("2026-12-01T12:00:00") == "12/01/2026 04:00:00"
    assert found.render_date("2026-07-01") == "07/01/2026"


@pytest.mark.parametrize(
    ("repeated", "autumn", "spring"),
    [("first", "08:30", "10:30"), ("second", "09:30", "09:30")],
)
def test_filter_in_the_hour_that_is_repeated_or_skipped(
    repeated: Literal["first", "second"], autumn: str, spring: str
) -> None:
    found = replace(PACIFIC, repeated=repeated)
    assert found.parse_timestamp("11/01/2026 01:30:00") == f"2026-11-01T{autumn}:00"
    assert found.parse_timestamp("03/08/2026 02:30:00") == f"2026-03-08T{spring}:00"
    strict = replace(found, skipped_refused=True)
    assert strict.parse_timestamp("11/01/2026 01:30:00") == f"2026-11-01T{autumn}:00"
    with pytest.raises(ValueError, match="02:30"):
        strict.parse_timestamp("03/08/2026 02:30:00")
