from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_sage_intacct.intacct.rows.user_format import UnusableUserFormat
from tap_sage_intacct.intacct.rows.values import (
    DEFAULT_USER_FORMAT,
    VALUE_TYPE_BY_DATATYPE,
    InvalidValue,
    JsonValue,
    UserFormat,
    ValueType,
    converter,
    value_type_of,
)

PACIFIC = UserFormat.from_preferences("/mdY", "-08:00", "24")
INDIA = UserFormat.from_preferences("-dmy", "+05:30", "24")
TWELVE_HOURS = UserFormat.from_preferences("/mdY", "+00:00", "12")

user_formats = st.builds(
    UserFormat,
    date_order=st.sampled_from(["mdy", "dmy", "ymd"]),
    separator=st.sampled_from(["/", "-", ".", " "]),
    four_digit_year=st.booleans(),
    gmt_offset=st.integers(-14 * 4, 14 * 4).map(
        lambda quarters: timedelta(minutes=15 * quarters)
    ),
    twenty_four_hour=st.booleans(),
)


def read(
    value_type: ValueType, text: str, user_format: UserFormat = DEFAULT_USER_FORMAT
) -> JsonValue:
    return converter(value_type, user_format)(text)


@pytest.mark.parametrize("value_type", ValueType)
def test_empty_text_is_null(value_type: ValueType) -> None:
    assert read(value_type, "") is None
    assert read(value_type, "", INDIA) is None


@pytest.mark.parametrize(
    ("user_format", "text", "expected"),
    [
        (DEFAULT_USER_FORMAT, "01/31/2026", "2026-01-31"),
        (DEFAULT_USER_FORMAT, "1/5/2026", "2026-01-05"),
        (DEFAULT_USER_FORMAT, "02/29/2024", "2024-02-29"),
        (DEFAULT_USER_FORMAT, "01/31/2026 23:59:59", "2026-01-31"),
        (PACIFIC, "01/31/2026 23:59:59", "2026-01-31"),
        (DEFAULT_USER_FORMAT, "2026-01-31", "2026-01-31"),
        (DEFAULT_USER_FORMAT, "2026-01-31T23:00:00-08:00", "2026-01-31"),
        (DEFAULT_USER_FORMAT, " 01/31/2026 ", "2026-01-31"),
        (INDIA, "31-01-26", "2026-01-31"),
        (INDIA, "31-01-1926", "1926-01-31"),
        (INDIA, "31-01-68", "2068-01-31"),
        (INDIA, "31-01-69", "1969-01-31"),
        (
            UserFormat.from_preferences(".dmY", "+01:00", "24"),
            "05.01.2026",
            "2026-01-05",
        ),
        (
            UserFormat.from_preferences("/Ymd", "+00:00", "24"),
            "2026/01/05",
            "2026-01-05",
        ),
        (
            UserFormat.from_preferences(" dmY", "+00:00", "24"),
            "05 01 2026",
            "2026-01-05",
        ),
    ],
)
def test_dates_become_iso(user_format: UserFormat, text: str, expected: str) -> None:
    assert read(ValueType.DATE, text, user_format) == expected


@pytest.mark.parametrize(
    ("user_format", "text", "expected"),
    [
        (DEFAULT_USER_FORMAT, "01/31/2026 07:12:45", "2026-01-31T07:12:45+00:00"),
        (DEFAULT_USER_FORMAT, "1/5/2026 7:12:45", "2026-01-05T07:12:45+00:00"),
        (DEFAULT_USER_FORMAT, "01/31/2026 07:12", "2026-01-31T07:12:00+00:00"),
        (DEFAULT_USER_FORMAT, "01/31/2026", "2026-01-31T00:00:00+00:00"),
        (PACIFIC, "01/31/2026", "2026-01-31T08:00:00+00:00"),
        (PACIFIC, "12/31/2026 17:12:45", "2027-01-01T01:12:45+00:00"),
        (INDIA, "31-01-26 03:12:45", "2026-01-30T21:42:45+00:00"),
        (INDIA, "31-01-26 03:12", "2026-01-30T21:42:00+00:00"),
        (TWELVE_HOURS, "01/31/2026 07:12:45 PM", "2026-01-31T19:12:45+00:00"),
        (TWELVE_HOURS, "01/31/2026 12:00:01 AM", "2026-01-31T00:00:01+00:00"),
        (TWELVE_HOURS, "01/31/2026 12:00:01 PM", "2026-01-31T12:00:01+00:00"),
        (TWELVE_HOURS, "01/31/2026 7:12pm", "2026-01-31T19:12:00+00:00"),
        (TWELVE_HOURS, "01/31/2026 19:12:45", "2026-01-31T19:12:45+00:00"),
        (DEFAULT_USER_FORMAT, "01/31/2026 07:12:45 pm", "2026-01-31T19:12:45+00:00"),
        (PACIFIC, "2026-01-31T07:12:45Z", "2026-01-31T07:12:45+00:00"),
        (PACIFIC, "2026-01-31T07:12:45", "2026-01-31T15:12:45+00:00"),
        (INDIA, "2026-01-31T07:12:45+05:30", "2026-01-31T01:42:45+00:00"),
        (PACIFIC, "2026-01-31T07:12:45-08:00", "2026-01-31T15:12:45+00:00"),
        (PACIFIC, "2026-01-31 07:12:45.5Z", "2026-01-31T07:12:45.500000+00:00"),
    ],
)
def test_timestamps_become_the_instant_in_utc(
    user_format: UserFormat, text: str, expected: str
) -> None:
    assert read(ValueType.TIMESTAMP, text, user_format) == expected


@given(user_formats, st.dates(date(1969, 1, 1), date(2068, 12, 31)))
def test_a_written_date_reads_as_the_same_date(
    user_format: UserFormat, value: date
) -> None:
    text = user_format.format_date(value)
    assert read(ValueType.DATE, text, user_format) == value.isoformat()


@given(
    user_formats,
    st.datetimes(datetime(1969, 1, 3), datetime(2068, 12, 29)).map(
        lambda value: value.replace(tzinfo=timezone.utc, microsecond=0)
    ),
)
def test_a_written_timestamp_reads_as_the_same_instant(
    user_format: UserFormat, value: datetime
) -> None:
    text = user_format.format_timestamp(value)
    assert read(ValueType.TIMESTAMP, text, user_format) == value.isoformat()


@given(
    user_formats,
    st.datetimes(timezones=st.just(timezone.utc)).map(lambda at: at.isoformat()),
)
def test_iso_timestamps_read_the_same_in_any_format(
    user_format: UserFormat, text: str
) -> None:
    assert read(ValueType.TIMESTAMP, text, user_format) == text


@pytest.mark.parametrize(
    ("user_format", "expected"),
    [
        (DEFAULT_USER_FORMAT, "01/05/2026 19:07:09"),
        (PACIFIC, "01/05/2026 11:07:09"),
        (INDIA, "06-01-26 00:37:09"),
        (TWELVE_HOURS, "01/05/2026 07:07:09 PM"),
    ],
)
def test_filters_name_whole_seconds_on_the_users_clock(
    user_format: UserFormat, expected: str
) -> None:
    instant = datetime(2026, 1, 5, 19, 7, 9, 999_999, tzinfo=timezone.utc)
    assert user_format.format_timestamp(instant) == expected


def test_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        PACIFIC.format_timestamp(datetime(2026, 1, 5))


def test_year_that_two_digits_cannot_hold_is_refused() -> None:
    with pytest.raises(UnusableUserFormat, match="four digits"):
        INDIA.format_date(date(1968, 12, 31))


@pytest.mark.parametrize(
    ("dateformat", "gmtoffset", "clock"),
    [
        ("mdY", "+00:00", "24"),
        ("", "+00:00", "24"),
        ("/mYd", "+00:00", "24"),
        ("/mdd", "+00:00", "24"),
        ("/mdYY", "+00:00", "24"),
        ("//mdY", "+00:00", "24"),
        ("/mdY", "", "24"),
        ("/mdY", "GMT", "24"),
        ("/mdY", "+15:00", "24"),
        ("/mdY", "+05:75", "24"),
        ("/mdY", "+00:00", "13"),
    ],
)
def test_unknown_preferences_are_refused(
    dateformat: str, gmtoffset: str, clock: str
) -> None:
    with pytest.raises(ValueError, match="of the API user: expected"):
        UserFormat.from_preferences(dateformat, gmtoffset, clock)


def test_documented_preferences_are_the_default_format() -> None:
    found = UserFormat.from_preferences("/mdY", "+00:00", "24")
    assert found == DEFAULT_USER_FORMAT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1679.93", "1679.93"),
        ("5900", "5900"),
        ("-.5", "-0.5"),
        ("9007199254740993.01", "9007199254740993.01"),
        ("+3.10", "3.10"),
        ("(5)", "-5"),
        ("(1,234.50)", "-1234.50"),
        ("1,234.5", "1234.5"),
        ("1,234,567", "1234567"),
        (f"({'9' * 40}.01)", f"-{'9' * 40}.01"),
        ("6.5E-5", "0.000065"),
        ("1.0E+25", "10000000000000000000000000"),
        ("(1e3)", "-1000"),
        ("0E+3", "0"),
    ],
)
def test_decimals_are_exact(text: str, expected: str) -> None:
    found = read(ValueType.DECIMAL, text)
    assert isinstance(found, Decimal)
    assert found.compare_total(Decimal(expected)) == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_any_decimal_reads_as_itself(value: Decimal) -> None:
    assert read(ValueType.DECIMAL, f"{value:f}") == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        ("-1", -1),
        ("007", 7),
        ("12.00", 12),
        ("-12.", -12),
        ("1,234,567", 1234567),
        ("1E+3", 1000),
        ("9" * 30, int("9" * 30)),
    ],
)
def test_integers_are_ints(text: str, expected: int) -> None:
    found = read(ValueType.INTEGER, text)
    assert type(found) is int
    assert found == expected


@given(st.decimals(allow_nan=False, allow_infinity=False), st.booleans())
def test_exponent_says_the_same_number(value: Decimal, is_upper: bool) -> None:
    text = f"{value:E}" if is_upper else f"{value:e}"
    try:
        found = read(ValueType.DECIMAL, text)
    except InvalidValue:
        assert len(text) > 100 or abs(value.adjusted()) > 100
    else:
        assert found == value
        assert "E" not in f"{found:f}"


@pytest.mark.parametrize("text", ["true", "TRUE", "T", "t", "Y", "1", " true "])
def test_true(text: str) -> None:
    assert read(ValueType.BOOLEAN, text) is True


@pytest.mark.parametrize("text", ["false", "False", "F", "f", "n", "0"])
def test_false(text: str) -> None:
    assert read(ValueType.BOOLEAN, text) is False


@given(st.text(min_size=1))
def test_text_is_unchanged(text: str) -> None:
    assert read(ValueType.TEXT, text) == text


def test_list_of_picks_stays_text() -> None:
    assert read(ValueType.TEXT, "Print#~#E-Mail") == "Print#~#E-Mail"


@pytest.mark.parametrize(
    ("value_type", "text"),
    [
        (ValueType.DATE, "31/01/2026"),
        (ValueType.DATE, "02/29/2026"),
        (ValueType.DATE, "01/31/26"),
        (ValueType.DATE, "01/31/2026 25:00:00"),
        (ValueType.DATE, "yesterday"),
        (ValueType.DATE, "\u0661/31/2026"),
        (ValueType.TIMESTAMP, "01/31/2026 24:00:00"),
        (ValueType.TIMESTAMP, "01/31/2026 07:60:00"),
        (ValueType.TIMESTAMP, "01/31/2026 13:00:00 PM"),
        (ValueType.TIMESTAMP, "01/31/2026 00:10:00 AM"),
        (ValueType.TIMESTAMP, "13/31/2026 07:12:45"),
        (ValueType.TIMESTAMP, "01/31/2026 07:12:45 XM"),
        (ValueType.TIMESTAMP, "2026-01-31T07:12:45+05"),
        (ValueType.DECIMAL, "1,234"),
        (ValueType.DECIMAL, "12,34.5"),
        (ValueType.DECIMAL, "NaN"),
        (ValueType.DECIMAL, "1E"),
        (ValueType.DECIMAL, "E5"),
        (ValueType.DECIMAL, "1E999999999"),
        (ValueType.DECIMAL, "1E-999999999"),
        (ValueType.DECIMAL, "12.5%"),
        (ValueType.DECIMAL, "$12.00"),
        (ValueType.DECIMAL, "N/A"),
        (ValueType.INTEGER, "12.50"),
        (ValueType.INTEGER, "6.5E-5"),
        (ValueType.DECIMAL, "1_000"),
        (ValueType.DECIMAL, "(-5)"),
        (ValueType.DECIMAL, "-"),
        (ValueType.DECIMAL, "9" * 101),
        (ValueType.INTEGER, "\u0663"),
        (ValueType.INTEGER, "12a"),
        (ValueType.BOOLEAN, "maybe"),
    ],
)
def test_what_is_of_another_type_is_refused(value_type: ValueType, text: str) -> None:
    with pytest.raises(InvalidValue, match=f"expected {value_type.value}, got"):
        read(value_type, text)


def test_instant_before_the_calendar_is_refused() -> None:
    east = UserFormat.from_preferences("/mdY", "+01:00", "24")
    with pytest.raises(InvalidValue):
        read(ValueType.TIMESTAMP, "01/01/0001 00:30:00", east)


def test_refusal_shows_only_the_shape() -> None:
    with pytest.raises(InvalidValue) as refusal:
        read(ValueType.DATE, "Müller 4711 €")
    assert str(refusal.value) == (
        "expected DATE, got 13 characters like 'AAAAAA 9999 ?'"
    )


@given(st.text(st.characters(categories=["L", "N"]), min_size=1))
def test_refusal_repeats_no_letter_or_digit(text: str) -> None:
    message = str(InvalidValue("DATE", text))
    shape = message.partition("like ")[2]
    assert set(shape) <= set("A9?.'")


def test_long_text_is_cut_in_refusals() -> None:
    assert len(str(InvalidValue("DATE", "x" * 10_000))) < 120


@given(user_formats, st.text(max_size=30))
def test_any_text_is_read_or_refused(user_format: UserFormat, text: str) -> None:
    for value_type in ValueType:
        try:
            read(value_type, text, user_format)
        except InvalidValue:
            continue


def test_every_datatype_word_has_a_type() -> None:
    for word, value_type in VALUE_TYPE_BY_DATATYPE.items():
        assert value_type_of(word.lower()) is value_type
    assert value_type_of("SEQUENCE") is ValueType.TEXT
    assert value_type_of("CURRENCY") is ValueType.DECIMAL
    assert value_type_of("GEOGRAPHY") is ValueType.TEXT
