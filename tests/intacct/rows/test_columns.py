from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_sage_intacct.intacct.rows.columns import ColumnConverter, column_converter
from tap_sage_intacct.intacct.rows.user_format import DEFAULT_USER_FORMAT, UserFormat
from tap_sage_intacct.intacct.rows.values import (
    Converter,
    InvalidValue,
    ValueType,
    converter,
)

FORMATS = [
    DEFAULT_USER_FORMAT,
    UserFormat.from_preferences("/dmY", "-08:00", "12"),
    UserFormat.from_preferences("-Ymd", "+05:30", "24"),
    UserFormat.from_preferences(".dmy", "+13:00", "12"),
]
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str),
    st.text("0123456789.-+, ()eE_٣", max_size=6),
    st.sampled_from(["9" * 100, "9" * 101, "1" * 5000, ".5", "5.", "-", "NaN", "1_0"]),
)
ODD = st.one_of(
    st.text(max_size=4),
    st.sampled_from(
        [" ", "T", "false", "no", "2025-01-31", "2025-01-31T10:00:00-08:00"]
    ),
)


def texts(value_type: ValueType, user_format: UserFormat) -> st.SearchStrategy[str]:
    """What a column of a type holds, and what it should not."""
    usual = NUMBERS
    # Years that two digits can tell.
    moments = st.datetimes(datetime(1971, 1, 1), datetime(2068, 1, 1))
    if value_type is ValueType.DATE:
        usual = moments.map(lambda moment: user_format.format_date(moment.date()))
    if value_type is ValueType.TIMESTAMP:
        clock = "%H:%M:%S" if user_format.twenty_four_hour else "%I:%M:%S %p"
        usual = moments.map(
            lambda moment: (
                f"{user_format.format_date(moment.date())} {moment.strftime(clock)}"
            )
        )
    if value_type is ValueType.BOOLEAN:
        usual = st.sampled_from(["true", "false", "T", "f", "1", "0"])
    return st.one_of(st.just(""), usual, usual, usual)


@pytest.mark.parametrize("user_format", FORMATS, ids=repr)
@pytest.mark.parametrize("value_type", ValueType)
@given(data=st.data())
def test_column_has_the_values_of_its_cells(
    value_type: ValueType, user_format: UserFormat, data: st.DataObject
) -> None:
    cell = texts(value_type, user_format)
    if data.draw(st.booleans()):
        cell |= ODD
    column = data.draw(st.lists(cell, max_size=6))
    convert = converter(value_type, user_format)
    read = column_converter(value_type, user_format)
    assert outcome(read, column) == outcome(cell_by_cell(convert), column)


def cell_by_cell(convert: Converter) -> ColumnConverter:
    return lambda column: list(map(convert, column))


def outcome(read: ColumnConverter, column: Sequence[str]) -> object:
    """The values, exactly, or what is said of the first that is none."""
    try:
        return [(type(value), str(value)) for value in read(column)]
    except InvalidValue as error:
        return str(error)


def test_last_hours_that_there_are_can_be_read() -> None:
    user_format = replace(DEFAULT_USER_FORMAT, gmt_offset=timedelta(hours=-8))
    read = column_converter(ValueType.TIMESTAMP, user_format)
    assert list(read(["12/31/9999 15:59:59"])) == ["9999-12-31T23:59:59+00:00"]


def test_days_that_are_remembered_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_sage_intacct.intacct.rows.columns._MOST_REMEMBERED", 3)
    user_format = replace(DEFAULT_USER_FORMAT, gmt_offset=timedelta(hours=-8))
    read = column_converter(ValueType.TIMESTAMP, user_format)
    column = [f"01/{day:02}/2025 20:30:00" for day in range(1, 11)] * 2
    convert = converter(ValueType.TIMESTAMP, user_format)
    assert list(read(column)) == [convert(text) for text in column]


@pytest.mark.parametrize(
    "text",
    [
        "31/01/2025 24:00:00",
        "31/01/2025 10:60:00",
        "31/01/2025 10:00:60",
        "30/02/2025 10:00:00",
        "31/01/2025 13:00:00 PM",
        "31/01/2025 00:30:00 AM",
        "31/01/2025 12:30:00 AM",
        "31/01/2025 12:30:00 PM",
        "31/01/2025 10:00:00 AA",
        "31/01/2025 10:00:00PM",
        "2025/01/31 10:00:00",
    ],
)
@pytest.mark.parametrize("clock", ["12", "24"])
def test_stamp_that_looks_like_one_is_read_as_a_cell(text: str, clock: str) -> None:
    user_format = UserFormat.from_preferences("/dmY", "-08:00", clock)
    usual = user_format.format_timestamp(datetime(2025, 1, 30, tzinfo=timezone.utc))
    convert = converter(ValueType.TIMESTAMP, user_format)
    read = column_converter(ValueType.TIMESTAMP, user_format)
    for column in ([text], [usual, text, ""], [text, usual]):
        assert outcome(read, column) == outcome(cell_by_cell(convert), column)
