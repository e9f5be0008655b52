"""Values: Intacct's text to Python values that JSON can hold, exactly.

Functions over the text of one cell. `columns` reads what is written as usual, and
sooner; every other way of writing a value is read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache, partial

from tap_sage_intacct.intacct.rows.user_format import (
    DEFAULT_USER_FORMAT,
    NOON,
    UserFormat,
    full_year,
    read_offset,
)

__all__ = [
    "DEFAULT_USER_FORMAT",
    "VALUE_TYPE_BY_DATATYPE",
    "Converter",
    "InvalidValue",
    "JsonValue",
    "UserFormat",
    "ValueType",
    "converter",
    "value_type_of",
]

JsonValue = str | int | Decimal | bool | None
"""What a cell becomes: dates and timestamps are ISO text, decimals stay exact."""

Converter = Callable[[str], JsonValue]
"""Intacct's text of one cell to its value; "" gives None; raises InvalidValue."""


class InvalidValue(ValueError):
    """A text is not of its column's type; the message shows only the text's shape."""

    def __init__(self, expected: str, text: str) -> None:
        """Describe the misfit without a letter or digit of the text."""
        super().__init__(
            f"expected {expected}, got {len(text)} characters like {_masked(text)!r}"
        )


class ValueType(Enum):
    """The types that Intacct's DATATYPE words come down to."""

    TEXT = "TEXT"
    INTEGER = "INTEGER"
    DECIMAL = "DECIMAL"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    TIMESTAMP = "TIMESTAMP"


VALUE_TYPE_BY_DATATYPE: Mapping[str, ValueType] = {
    "TEXT": ValueType.TEXT,
    "ENUM": ValueType.TEXT,
    "SEQUENCE": ValueType.TEXT,
    "INTEGER": ValueType.INTEGER,
    "DECIMAL": ValueType.DECIMAL,
    "CURRENCY": ValueType.DECIMAL,
    "PERCENT": ValueType.DECIMAL,
    "BOOLEAN": ValueType.BOOLEAN,
    "DATE": ValueType.DATE,
    "TIMESTAMP": ValueType.TIMESTAMP,
}
"""Every DATATYPE seen in 260 lookups, and SEQUENCE of custom fields [C]."""


def value_type_of(datatype: str) -> ValueType:
    """Type of a DATATYPE word of `lookup`; a word not known is read as text."""
    return VALUE_TYPE_BY_DATATYPE.get(datatype.strip().upper(), ValueType.TEXT)


def converter(value_type: ValueType, user_format: UserFormat) -> Converter:
    """Give the function that reads cells of a type.

    Dates become `YYYY-MM-DD`; timestamps the instant in UTC,
    `YYYY-MM-DDTHH:MM:SS+00:00`. ISO texts are read whatever the user's format is, and
    AM or PM is read whatever the user's clock is. A TIMESTAMP that holds only a date
    [C] is midnight of the user's zone; a DATE that holds a timestamp keeps its date.
    A number with an exponent is the number it stands for. Not read, since it may mean
    more than one thing: an INTEGER with a fraction [C] (the schema promises whole
    numbers), a percent or currency sign, the hour 24, and any word for "no value". In
    the hour that the user's clock repeats in autumn, a stamp is taken for the first of
    the two.
    """
    if value_type is ValueType.DATE:
        return partial(_read_date, user_format)
    if value_type is ValueType.TIMESTAMP:
        return partial(_read_timestamp, user_format)
    return _PLAIN_CONVERTERS[value_type]


def _read_text(text: str) -> str | None:
    return text or None


_BOOLEANS: Mapping[str, bool | None] = {
    "": None,
    **dict.fromkeys(("true", "t", "y", "1"), True),
    **dict.fromkeys(("false", "f", "n", "0"), False),
}


def _read_boolean(text: str) -> bool | None:
    try:
        return _BOOLEANS[text.strip().lower()]
    except KeyError:
        raise InvalidValue("BOOLEAN", text) from None


_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?P<exponent>[eE][+-]?\d{1,4})?", re.ASCII
)
# A single comma without a point is a thousand to some and a fraction to others.
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:(?:,\d{3})+\.\d*|(?:,\d{3}){2,})", re.ASCII)
_LONGEST_NUMBER = 100
_DIGITS_OF_A_SHORT_INTEGER = 18


def _read_decimal(text: str) -> Decimal | None:
    number = _plain_number(text)
    return _read_reported_number(text, "DECIMAL") if number is None else number


def _plain_number(text: str) -> Decimal | None:
    """The number without an exponent; None of anything else, and of very many digits."""
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if match is None:
        return None
    number = Decimal(text)
    if match["exponent"] is None:
        return number
    if abs(number.adjusted()) > _LONGEST_NUMBER:
        return None
    return Decimal(f"{number:f}")


def _read_reported_number(text: str, expected: str) -> Decimal | None:
    """Read what reports show: thousands separators, parentheses for negatives [D]."""
    number = text.strip()
    if not number:
        return None
    in_parentheses = number.startswith("(") and number.endswith(")")
    if in_parentheses:
        number = number[1:-1]
    if _GROUPED.fullmatch(number):
        number = number.replace(",", "")
    signed_twice = in_parentheses and number[:1] in ("+", "-")
    value = None if signed_twice else _plain_number(number)
    if value is None:
        raise InvalidValue(expected, text)
    # copy_negate, since the minus sign would round to the context's 28 digits.
    return value.copy_negate() if in_parentheses else value


def _read_integer(text: str) -> int | None:
    is_short = len(text) <= _DIGITS_OF_A_SHORT_INTEGER
    if is_short and text.isdigit() and text.isascii():
        return int(text)
    number = _read_reported_number(text, "INTEGER")
    if number is None:
        return None
    # to_integral_value is exact, whatever the precision of the context is.
    if number != number.to_integral_value():
        raise InvalidValue("INTEGER", text)
    return int(number)


_PLAIN_CONVERTERS: Mapping[ValueType, Converter] = {
    ValueType.TEXT: _read_text,
    ValueType.INTEGER: _read_integer,
    ValueType.DECIMAL: _read_decimal,
    ValueType.BOOLEAN: _read_boolean,
}

_DATE_PARTS = {"m": r"(?P<month>\d{1,2})", "d": r"(?P<day>\d{1,2})"}
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?"
    r"(?: ?(?P<half>[AaPp])[Mm])?"
)
_ISO_MOMENT = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    rf"(?:[T ]{_TIME}(?P<zone>[Zz]|[+-]\d\d:[0-5]\d)?)?",
    re.ASCII,
)


_SHORT_OR_LONG_YEAR = r"(?P<year>\d{4}|\d\d)"


@lru_cache(maxsize=64)
def _user_moment(user_format: UserFormat) -> re.Pattern[str]:
    """Give the pattern of a date, or a date and a time, in the user's order."""
    year = r"(?P<year>\d{4})" if user_format.four_digit_year else _SHORT_OR_LONG_YEAR
    parts = [_DATE_PARTS.get(part, year) for part in user_format.date_order]
    day = re.escape(user_format.separator).join(parts)
    return re.compile(f"{day}(?: {_TIME})?", re.ASCII)


def _match_moment(text: str, user_format: UserFormat) -> dict[str, str] | None:
    match = _user_moment(user_format).fullmatch(text) or _ISO_MOMENT.fullmatch(text)
    return match.groupdict(default="") if match else None


def _moment_parts(
    text: str, user_format: UserFormat, expected: str
) -> dict[str, str] | None:
    """The parts of a cell's date or time; None of an empty cell."""
    stripped = text.strip()
    if not stripped:
        return None
    parts = _match_moment(stripped, user_format)
    if parts is None:
        raise InvalidValue(expected, text)
    return parts


def _wall_clock(parts: Mapping[str, str]) -> datetime:
    """Join matched parts; raise ValueError when no calendar or clock has them."""
    hour = int(parts["hour"] or 0)
    if parts["half"]:
        if not 1 <= hour <= NOON:
            raise ValueError("hours run from 1 to 12 on this clock")
        hour = hour % NOON + (NOON if parts["half"] in "Pp" else 0)
    return datetime(  # noqa: DTZ001 - the zone is the caller's to apply
        full_year(parts["year"]),
        int(parts["month"]),
        int(parts["day"]),
        hour,
        int(parts["minute"] or 0),
        int(parts["second"] or 0),
        int(parts["fraction"].ljust(6, "0")),
    )


def _read_date(user_format: UserFormat, text: str) -> str | None:
    parts = _moment_parts(text, user_format, "DATE")
    if parts is None:
        return None
    try:
        return _wall_clock(parts).date().isoformat()
    except ValueError:
        raise InvalidValue("DATE", text) from None


def _read_timestamp(user_format: UserFormat, text: str) -> str | None:
    parts = _moment_parts(text, user_format, "TIMESTAMP")
    if parts is None:
        return None
    try:
        zone, wall = parts.get("zone") or "", _wall_clock(parts)
        offset = _zone_offset(zone) if zone else user_format.offset_of(wall)
        return f"{(wall - offset).isoformat()}+00:00"
    except (ValueError, OverflowError):
        raise InvalidValue("TIMESTAMP", text) from None


def _zone_offset(zone: str) -> timedelta:
    return timedelta() if zone in "Zz" else read_offset(zone)


_LONGEST_SHAPE = 40


def _masked(text: str) -> str:
    """Keep what the text looks like: A for letters, 9 for digits, ? for the unusual."""
    shown = "".join(map(_masked_character, text[:_LONGEST_SHAPE]))
    return shown if len(text) <= _LONGEST_SHAPE else f"{shown}..."


def _masked_character(character: str) -> str:
    if character.isalpha():
        return "A"
    if character.isdigit():
        return "9"
    return character if character.isascii() else "?"
