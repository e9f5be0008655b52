"""Every zone there is, over three years, whatever Intacct does with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_sage_intacct.intacct.query import Comparison, Operator
from tap_sage_intacct.intacct.rows.columns import column_converter
from tap_sage_intacct.intacct.rows.user_format import DEFAULT_USER_FORMAT, UserFormat
from tap_sage_intacct.intacct.rows.user_zone import ANY_ZONE, CHANGING_ZONES, UserZone
from tap_sage_intacct.intacct.rows.values import ValueType, converter
from tap_sage_intacct.intacct.xml.query import condition_text, filter_element
from tap_sage_intacct.intacct.xml.user_preferences import with_zone

UTC = timezone.utc
HOUR = timedelta(hours=1)
PATTERN = "%m/%d/%Y %H:%M:%S"
ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
# Half of the examples are near a change of the clock.
SETTING = st.sampled_from(
    [
        datetime(2026, 3, 8, 10),
        datetime(2026, 11, 1, 9),
        datetime(2025, 3, 30, 1),
        datetime(2025, 10, 26, 1),
        datetime(2026, 4, 4, 15),
        datetime(2026, 10, 3, 16),
    ]
)
MOMENTS = st.one_of(
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)),
    st.builds(
        lambda moment, seconds: moment + timedelta(seconds=seconds),
        SETTING,
        st.integers(-4 * 3600, 4 * 3600),
    ),
).map(lambda moment: moment.replace(tzinfo=UTC, microsecond=0))


def offset(zone: tzinfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def nothing_tells(_user_format: UserFormat) -> None:
    """No stamp of the other season is at hand."""


def told(zone: ZoneInfo, asked_at: datetime, *, is_named: bool) -> UserFormat:
    """What the tap makes of the preferences."""
    found = replace(DEFAULT_USER_FORMAT, gmt_offset=offset(zone, asked_at))
    return with_zone(found, asked_at, zone if is_named else None, nothing_tells)


def read(text: str, user_format: UserFormat) -> datetime:
    value = converter(ValueType.TIMESTAMP, user_format)(text)
    return datetime.fromisoformat(str(value))


def is_repeated(zone: ZoneInfo, wall: datetime) -> bool:
    first, second = (
        wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)
    )
    return first != second


@given(ZONES, MOMENTS, MOMENTS)
def test_stamps_with_the_offset_of_their_day_are_read_in_a_named_zone(
    zone: ZoneInfo, instant: datetime, asked_at: datetime
) -> None:
    user_format = told(zone, asked_at, is_named=True)
    local = instant.astimezone(zone)
    found = read(local.strftime(PATTERN), user_format)
    if is_repeated(zone, local.replace(tzinfo=None)):
        assert timedelta() <= instant - found <= 2 * HOUR
    else:
        assert found == instant
        assert user_format.format_timestamp(instant) == local.strftime(PATTERN)


@settings(max_examples=200)
@given(
    ZONES,
    MOMENTS,
    MOMENTS,
    st.integers(0, 24 * 60),
    st.sampled_from([0, 1, None]),
    st.booleans(),
)
def test_filter_means_its_bound_or_more_however_intacct_reads_it(
    zone: ZoneInfo,
    instant: datetime,
    asked_at: datetime,
    minutes: int,
    fold: int | None,
    is_named: bool,
) -> None:
    """By the offset of the day, of either hour that is repeated, or by the current one."""
    user_format = told(zone, asked_at, is_named=is_named)
    current = offset(zone, asked_at + timedelta(minutes=minutes))

    def meaning(text: str) -> datetime:
        wall = datetime.strptime(text, PATTERN)  # noqa: DTZ007 - the user's clock
        if fold is None:
            return (wall - current).replace(tzinfo=UTC)
        local = wall.replace(tzinfo=zone, fold=fold)
        assert local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall
        return local.astimezone(UTC)

    assert meaning(user_format.format_no_later(instant)) <= instant
    assert meaning(user_format.format_no_earlier(instant)) >= instant
    if user_format.is_exact(instant):
        assert user_format.format_no_later(instant) == user_format.format_no_earlier(
            instant
        )


@given(ZONES, MOMENTS)
def test_now_is_exact_unless_a_clock_is_about_to_be_set(
    zone: ZoneInfo, asked_at: datetime
) -> None:
    """So that a sync as a rule reads nothing twice."""
    user_format = told(zone, asked_at, is_named=False)
    candidates = user_format.zone.zones if user_format.zone else ()
    day = timedelta(days=1)
    moments = (asked_at - day, asked_at, asked_at + day)
    if all(len({offset(c, m) for m in moments}) == 1 for c in (zone, *candidates)):
        assert user_format.is_exact(asked_at)
        assert user_format.is_exact(asked_at - 2 * HOUR)


@given(ZONES, MOMENTS, st.integers(0, 40))
def test_stamps_rise_in_a_time_that_is_called_steady(
    zone: ZoneInfo, since: datetime, hours: int
) -> None:
    until = since + hours * HOUR
    user_format = told(zone, until, is_named=True)
    steps = [since + timedelta(minutes=10 * n) for n in range(6 * hours + 1)]
    shown = [step.astimezone(zone).replace(tzinfo=None) for step in steps]
    assert shown == sorted(shown) or not user_format.is_steady(since, until)


def test_every_zone_that_changes_is_listed_by_one_that_changes_alike() -> None:
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    steps = [begin + timedelta(days=n) for n in range(3 * 366)]

    def course(name: str) -> tuple[timedelta, ...]:
        return tuple(offset(ZoneInfo(name), step) for step in steps)

    # Of 600 zones most have many names.
    courses = {name: course(name) for name in available_timezones()}
    listed = {courses[name] for name in CHANGING_ZONES}
    missing = [
        name
        for name, found in courses.items()
        if len(set(found)) > 1 and found not in listed
    ]
    assert missing == []


ZONED = [
    "America/Los_Angeles",
    "America/St_Johns",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/London",
    "Pacific/Chatham",
]


@pytest.mark.parametrize(
    ("name", "clock"), [*((name, "24") for name in ZONED), (ZONED[0], "12")]
)
@settings(max_examples=40)
@given(data=st.data())
def test_column_has_the_values_of_its_cells_in_a_named_zone(
    name: str, clock: str, data: st.DataObject
) -> None:
    zone = ZoneInfo(name)
    now = datetime(2026, 1, 31, tzinfo=UTC)
    plain = UserFormat.from_preferences("/mdY", "+00:00", clock)
    found = replace(plain, gmt_offset=offset(zone, now))
    user_format = with_zone(found, now, zone, nothing_tells)
    pattern = PATTERN if clock == "24" else "%m/%d/%Y %I:%M:%S %p"
    walls = MOMENTS.map(lambda moment: moment.strftime(pattern))
    column = data.draw(st.lists(walls | st.just(""), max_size=6))
    convert = converter(ValueType.TIMESTAMP, user_format)
    values = column_converter(ValueType.TIMESTAMP, user_format)(column)
    assert list(values) == [convert(text) for text in column]


def test_bounds_are_widened_where_a_season_lies_between() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    december = datetime(2026, 12, 1, 12, tzinfo=UTC)
    user_format = told(zone, december, is_named=False)
    july = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def text(operator: Operator, *values: datetime) -> str:
        return condition_text(Comparison("A", operator, values), user_format)

    assert text(Operator.GREATER, july) == "A > '07/01/2026 04:00:00'"
    assert text(Operator.LESS_OR_EQUAL, july) == "A <= '07/01/2026 05:00:00'"
    assert text(Operator.BETWEEN, july, december) == (
        "(A >= '07/01/2026 04:00:00' AND A <= '12/01/2026 04:00:00')"
    )
    assert text(Operator.EQUAL, december) == "A = '12/01/2026 04:00:00'"
    # A time without a zone is what the user's clock shows.
    wall = datetime(2026, 7, 1, 12)
    element = filter_element(Comparison("A", Operator.LESS, (wall,)), user_format)
    assert element.findtext("value") == "07/01/2026 12:00:00"


def test_clock_that_may_show_anything_loses_nothing() -> None:
    now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    zone = UserZone(timedelta(), now, ANY_ZONE)
    assert zone.no_later(now) == datetime(2026, 12, 1)
    assert zone.no_earlier(now) == datetime(2026, 12, 2, 2)
