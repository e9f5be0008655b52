"""Values of a whole column at once: the same as `values` gives cell by cell, sooner.

Pure functions over text. A call a cell is what a page costs most, so the usual shapes
are told apart and converted by what Python has built in; a column that holds anything
else goes through the converter of cells, which also has the last word on errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial
from typing import TypeVar

from typing_extensions import override

from tap_sage_intacct.intacct.rows.user_format import NOON, UserFormat
from tap_sage_intacct.intacct.rows.values import (
    Converter,
    InvalidValue,
    JsonValue,
    ValueType,
    converter,
)

Column = Sequence[JsonValue]
"""The values of one field, a row each."""

ColumnConverter = Callable[[Sequence[str]], Column]
"""Intacct's texts of one field to their values; raises InvalidValue."""

_PLAIN, _OTHER, _END = b"0?\0"


def _marks(plain: bytes) -> bytes:
    """A table for `translate`: these characters to one, and what ends a cell to itself."""
    marks = dict.fromkeys(plain, _PLAIN) | {_END: _END}
    return bytes(marks.get(character, _OTHER) for character in range(256))


# What the built-in types read as we do, as long as there is nothing else in the text.
_INTEGER_MARKS = _marks(b"0123456789-")
_DECIMAL_MARKS = _marks(b"0123456789.-+")
# Longer ones are left to the converter of cells, which has limits of its own.
_TOO_LONG = bytes([_PLAIN]) * 19

_TO_SHAPE = bytes.maketrans(b"123456789P", b"000000000A")
"""Digits to zero, and PM to AM."""
_SOME_MOMENT = datetime(2000, 1, 1, tzinfo=timezone.utc)
_MOST_REMEMBERED = 4096
"""Eleven years of days; half a megabyte."""

_Value = TypeVar("_Value")
_Hours = dict[str, tuple["_Remembered[str]", str]]
"""Hours on the user's clock, AM or PM included, to days and hours in UTC."""


# All columns of a type share one converter and what it remembers.
@lru_cache(maxsize=64)
def column_converter(value_type: ValueType, user_format: UserFormat) -> ColumnConverter:
    """Give the function that reads columns of a type; see `values.converter`."""
    if value_type is ValueType.TEXT:
        return _read_texts
    convert = converter(value_type, user_format)
    if value_type is ValueType.INTEGER:
        return partial(_read_integers, convert)
    if value_type is ValueType.DECIMAL:
        return partial(_read_decimals, convert)
    if value_type is ValueType.TIMESTAMP:
        return _timestamps(convert, user_format)
    if value_type in (ValueType.DATE, ValueType.BOOLEAN):
        return partial(_read_each, _Remembered(convert).__getitem__)
    return partial(_read_each, convert)


def _read_each(convert: Converter, column: Sequence[str]) -> Column:
    return list(map(convert, column))


def _read_texts(column: Sequence[str]) -> Column:
    return [text or None for text in column] if "" in column else column


def _read_integers(convert: Converter, column: Sequence[str]) -> Column:
    if not _is_plain(column, _INTEGER_MARKS):
        return _read_each(convert, column)
    try:
        if "" in column:
            return [int(text) if text else None for text in column]
        return list(map(int, column))
    except ValueError:
        return _read_each(convert, column)


def _read_decimals(convert: Converter, column: Sequence[str]) -> Column:
    if not _is_plain(column, _DECIMAL_MARKS):
        return _read_each(convert, column)
    try:
        if "" in column:
            return [Decimal(text) if text else None for text in column]
        return list(map(Decimal, column))
    except InvalidOperation:
        return _read_each(convert, column)


def _is_plain(column: Sequence[str], marks: bytes) -> bool:
    """Whether no cell holds other characters, or very many of them."""
    # All cells at once: a call for each would take as long as converting it.
    marked = _joined(column).translate(marks)
    return _OTHER not in marked and _TOO_LONG not in marked


def _joined(column: Sequence[str]) -> bytes:
    """The cells, an end after each; what is not ASCII as a question mark."""
    return "\0".join((*column, "")).encode("ascii", "replace")


class _Remembered(dict[str, _Value]):
    """Texts that recur, to their values: a look-up is half the price of a cache's."""

    def __init__(self, convert: Callable[[str], _Value]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, text: str) -> _Value:
        """Ask the converter, and raise what it raises."""
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[text] = value = self._convert(text)
        return value


def _timestamps(convert: Converter, user_format: UserFormat) -> ColumnConverter:
    if user_format.zone is not None and user_format.zone.by_own_day:
        return _ZonedTimestampColumns(convert, user_format)
    if _has_whole_hours(user_format.gmt_offset):
        return _TimestampColumns(convert, user_format)
    return partial(_read_each, convert)


def _has_whole_hours(offset: timedelta) -> bool:
    """Whether it leaves the minutes alone."""
    return not offset % timedelta(hours=1)


class _TimestampColumns:
    """Reads stamps by parts: few days and hours, and minutes and seconds as they are.

    Days are remembered rather than hours, so that all of them stay at hand.
    """

    def __init__(self, convert: Converter, user_format: UserFormat) -> None:
        """Tell the parts of stamps apart.

        Args:
            convert: for cells that are not written as usual.
            user_format: whose offset is of whole hours.
        """
        self._convert = convert
        example = user_format.format_timestamp(_SOME_MOMENT)
        self._shape = _joined([example]).translate(_TO_SHAPE)
        self._day_end = len(user_format.format_date(_SOME_MOMENT))
        self._hours = _hours(convert, user_format)

    def __call__(self, column: Sequence[str]) -> Column:
        """The values of a column; raises InvalidValue."""
        stamps = [text for text in column if text] if "" in column else column
        try:
            values = self._read(stamps) if self._are_usual(stamps) else None
        except (KeyError, InvalidValue):
            values = None
        if values is None:
            return _read_each(self._convert, column)
        if len(stamps) == len(column):
            return values
        left = iter(values)
        return [next(left) if text else None for text in column]

    def _are_usual(self, stamps: Sequence[str]) -> bool:
        """Whether all are written as the user's are, with minutes and seconds below 60."""
        joined = _joined(stamps)
        if joined.translate(_TO_SHAPE) != self._shape * len(stamps):
            return False
        minutes, size = self._day_end + len(" hh:"), len(self._shape)
        tens = joined[minutes::size] + joined[minutes + len("mm:") :: size]
        return not tens.translate(None, delete=b"012345")

    def _read(self, stamps: Sequence[str]) -> list[str]:
        hours, day_end = self._hours, self._day_end
        begin, end = day_end + len(" "), day_end + len(" hh")
        half = end + len(":mm:ss")
        return [
            f"{days[text[:day_end]]}{hour}{text[end:half]}+00:00"
            for text in stamps
            for days, hour in (hours[text[begin:end] + text[half:]],)
        ]


class _ZonedTimestampColumns(_TimestampColumns):
    """The same where each day has its own offset."""

    def __init__(self, convert: Converter, user_format: UserFormat) -> None:
        super().__init__(convert, user_format)
        self._user_format = user_format
        self._read_date = converter(ValueType.DATE, user_format)
        self._by_offset: dict[timedelta, _Hours] = {}
        self._by_day = _Remembered(self._hours_of)

    @override
    def _read(self, stamps: Sequence[str]) -> list[str]:
        by_day, day_end = self._by_day, self._day_end
        begin, end = day_end + len(" "), day_end + len(" hh")
        half = end + len(":mm:ss")
        return [
            f"{days[text[:day_end]]}{hour}{text[end:half]}+00:00"
            for text in stamps
            for days, hour in (by_day[text[:day_end]][text[begin:end] + text[half:]],)
        ]

    def _hours_of(self, day: str) -> _Hours:
        """The hours of a day; those are missing that only the converter can read."""
        midnight = datetime.fromisoformat(str(self._read_date(day)))
        first, last = self._offset_in(midnight, 0), self._offset_in(midnight, 23)
        if first is not None and first == last:
            return self._with_offset(first)
        offsets = {hour: self._offset_in(midnight, hour) for hour in range(24)}
        texts = {hour: _clock_text(hour, self._user_format) for hour in offsets}
        return {
            texts[hour]: self._with_offset(offset)[texts[hour]]
            for hour, offset in offsets.items()
            if offset is not None
        }

    def _offset_in(self, midnight: datetime, hour: int) -> timedelta | None:
        """Of the hour; None where it is not of whole hours from begin to end."""
        begin = midnight + timedelta(hours=hour)
        end = begin + timedelta(minutes=59, seconds=59)
        offset = self._user_format.offset_of(begin)
        is_plain = _has_whole_hours(offset) and offset == self._user_format.offset_of(
            end
        )
        return offset if is_plain else None

    def _with_offset(self, offset: timedelta) -> _Hours:
        if offset not in self._by_offset:
            constant = replace(self._user_format, gmt_offset=offset, zone=None)
            convert = converter(ValueType.TIMESTAMP, constant)
            self._by_offset[offset] = _hours(convert, constant)
        return self._by_offset[offset]


def _hours(convert: Converter, user_format: UserFormat) -> _Hours:
    """For one offset of whole hours."""
    shift = -user_format.gmt_offset // timedelta(hours=1)
    days: dict[int, _Remembered[str]] = {}
    hours = {}
    for hour in range(24):
        days_later, utc_hour = divmod(hour + shift, 24)
        days.setdefault(days_later, _Remembered(partial(_utc_day, convert, hour)))
        hours[_clock_text(hour, user_format)] = days[days_later], f"T{utc_hour:02}"
    return hours


def _utc_day(convert: Converter, hour: int, day: str) -> str:
    """In UTC, at this hour of the user's day; raises InvalidValue."""
    return str(convert(f"{day} {hour:02}:00:00"))[: len("yyyy-mm-dd")]


def _clock_text(hour: int, user_format: UserFormat) -> str:
    if user_format.twenty_four_hour:
        return f"{hour:02}"
    return f"{hour % NOON or NOON:02} {'PM' if hour >= NOON else 'AM'}"
