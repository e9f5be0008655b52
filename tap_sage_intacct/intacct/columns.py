"""Values of a whole column at once: the same as `values` gives cell by cell, sooner.

Pure functions over text. A call a cell is what a page costs most, so the usual shapes
are told apart and converted by what Python has built in; a column that holds anything
else goes through the converter of cells, which also has the last word on errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache, partial

from tap_sage_intacct.intacct.user_format import UserFormat
from tap_sage_intacct.intacct.values import (
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

# What the built-in types read as we do, as long as there is nothing else in the text.
_INTEGER_CHARACTERS = b"0123456789-"
_DECIMAL_CHARACTERS = b"0123456789.-+"
# Longer ones are left to the converter of cells, which has limits of its own.
_LONGEST_NUMBER = 18

_SIXTY = tuple(f":{number:02}" for number in range(60))
_SECONDS = {
    f"{minutes}{seconds}": f"{minutes}{seconds}+00:00"
    for minutes in _SIXTY
    for seconds in _SIXTY
}
_CACHED_HOURS = 50_000
"""Nearly six years of hours; some megabytes."""
_DAY_AND_HOUR = len("yyyy-mm-ddThh")


# All columns of a type share one converter and its cache.
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
    has_whole_hours = not user_format.gmt_offset % timedelta(hours=1)
    if value_type is ValueType.TIMESTAMP and has_whole_hours:
        return partial(_read_timestamps, convert, _Hours(convert, user_format))
    return partial(_read_each, convert)


def _read_each(convert: Converter, column: Sequence[str]) -> Column:
    return list(map(convert, column))


def _read_texts(column: Sequence[str]) -> Column:
    return [text or None for text in column] if "" in column else column


def _read_integers(convert: Converter, column: Sequence[str]) -> Column:
    if not _is_plain(column, _INTEGER_CHARACTERS):
        return _read_each(convert, column)
    try:
        if "" in column:
            return [int(text) if text else None for text in column]
        return list(map(int, column))
    except ValueError:
        return _read_each(convert, column)


def _read_decimals(convert: Converter, column: Sequence[str]) -> Column:
    if not _is_plain(column, _DECIMAL_CHARACTERS):
        return _read_each(convert, column)
    try:
        if "" in column:
            return [Decimal(text) if text else None for text in column]
        return list(map(Decimal, column))
    except InvalidOperation:
        return _read_each(convert, column)


def _is_plain(column: Sequence[str], characters: bytes) -> bool:
    """Whether no cell holds other characters, or very many of them."""
    if max(map(len, column), default=0) > _LONGEST_NUMBER:
        return False
    # `translate` of bytes is ten times as fast as `strip` of text.
    joined = "".join(column).encode("ascii", "replace")
    return not joined.translate(None, delete=characters)


class _Hours(dict[str, str]):
    """Day and hour as the user's format has them, to `yyyy-mm-ddThh` in UTC."""

    def __init__(self, convert: Converter, user_format: UserFormat) -> None:
        super().__init__()
        self._convert = convert
        day = user_format.format_date(date(2000, 1, 1))
        self.length = len(f"{day} hh")
        """Of day and hour; minutes and seconds follow, then AM or PM if at all."""
        self.has_suffix = not user_format.twenty_four_hour
        """Whether it is AM or PM."""

    def __missing__(self, key: str) -> str:
        """Ask the converter of cells, once a day where no suffix tells the halves apart.

        Raises:
            InvalidValue: no such hour.
        """
        if len(self) >= _CACHED_HOURS:
            self.clear()
        hour = f"{key[: self.length]}:00:00{key[self.length :]}"
        self[key] = str(self._convert(hour))[:_DAY_AND_HOUR]
        if not self.has_suffix:
            self._fill_day(key[: -len("hh")])
        return self[key]

    def _fill_day(self, day: str) -> None:
        midnight = datetime.fromisoformat(str(self._convert(f"{day}00:00:00")))
        for hour in range(24):
            value = (midnight + timedelta(hours=hour)).isoformat()
            self[f"{day}{hour:02}"] = value[:_DAY_AND_HOUR]


def _read_timestamps(
    convert: Converter, hours: _Hours, column: Sequence[str]
) -> Column:
    """By the hour, which repeats, with minutes and seconds as they are."""
    begin, end = hours.length, hours.length + len(":mm:ss")
    try:
        if not hours.has_suffix:
            return [
                hours[text[:begin]] + _SECONDS[text[begin:]] if text else None
                for text in column
            ]
        return [
            hours[text[:begin] + text[end:]] + _SECONDS[text[begin:end]]
            if text
            else None
            for text in column
        ]
    except (KeyError, InvalidValue, OverflowError):
        return _read_each(convert, column)
