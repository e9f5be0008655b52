from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_sage_intacct.intacct.columns import column_converter
from tap_sage_intacct.intacct.user_format import DEFAULT_USER_FORMAT, UserFormat
from tap_sage_intacct.intacct.values import (
    InvalidValue,
    JsonValue,
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
    assert outcome(lambda: column_converter(value_type, user_format)(column)) == (
        outcome(lambda: list(map(convert, column)))
    )


def outcome(read: Callable[[], Sequence[JsonValue]]) -> object:
    """The values, exactly, or what is said of the first that is none."""
    try:
        return [(type(value), str(value)) for value in read()]
    except InvalidValue as error:
        return str(error)


def test_last_hours_that_there_are_can_be_read() -> None:
    user_format = replace(DEFAULT_USER_FORMAT, gmt_offset=timedelta(hours=-8))
    read = column_converter(ValueType.TIMESTAMP, user_format)
    assert list(read(["12/31/9999 15:59:59"])) == ["9999-12-31T23:59:59+00:00"]


def test_hours_that_are_remembered_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tap_sage_intacct.intacct.columns._CACHED_HOURS", 3)
    user_format = replace(DEFAULT_USER_FORMAT, gmt_offset=timedelta(hours=-8))
    read = column_converter(ValueType.TIMESTAMP, user_format)
    column = [f"01/31/2025 {hour:02}:30:00" for hour in range(10)] * 2
    convert = converter(ValueType.TIMESTAMP, user_format)
    assert list(read(column)) == [convert(text) for text in column]
