"""What a filter compares with: the values, by the type of their field.

Uses texts and types, but no SQL. A value that is refused is an `InvalidFilter`, whose
message continues "The filter of <stream>".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, date, datetime, time
from decimal import Decimal

from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.query import Value
from tap_sage_intacct.intacct.rows.characters import is_legal
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.settings.suggestions import did_you_mean, shortened

Given = str | bool
"""A value as it was written: the text of a string or number, or a bare true or false."""


@dataclass(frozen=True, slots=True)
class FilterField:
    """What a filter needs of a field.

    Attributes:
        value_type: of its values.
        labels: of an enumeration; empty if any value is allowed.
        codes: label to stored code, as far as codes are known.
    """

    value_type: ValueType
    labels: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)


class InvalidFilter(InvalidSettings):
    """A filter that cannot be used; the message says whose, why, and what to do."""


_BOOLEANS = {
    **dict.fromkeys(("TRUE", "T", "1"), True),
    **dict.fromkeys(("FALSE", "F", "0"), False),
}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_LONGEST_NUMBER = 100
_INTACCT_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
# Fractions of a second are refused: Intacct's clock has none, and without them `<` and
# `>` would select other rows.
_ISO_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:\.0+)?"
    r"(?P<zone>[Zz]|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_EXAMPLES = {
    ValueType.TEXT: "'T', a text without control characters",
    ValueType.INTEGER: "42",
    ValueType.DECIMAL: "1679.93",
    ValueType.BOOLEAN: "true",
    ValueType.DATE: "'2026-01-31'",
    ValueType.TIMESTAMP: "'2026-01-31T07:12:45'",
}


def typed_value(name: str, value_type: ValueType, given: Given) -> Value:
    """The value, in its field's type.

    Raises:
        InvalidFilter: it is not of that type.
    """
    try:
        return _typed(name, value_type, given)
    except (KeyError, ValueError):
        raise InvalidFilter(
            f"compares {name} with '{shortened(str(given))}': write a value such as "
            f"{_EXAMPLES[value_type]}."
        ) from None


def _typed(name: str, value_type: ValueType, given: Given) -> Value:
    text = str(given)
    if value_type is ValueType.TEXT:
        if isinstance(given, bool) or not all(map(is_legal, text)):
            raise ValueError(text)
        if not text:
            raise InvalidFilter(
                f"compares {name} with an empty text, which Intacct holds as null: use "
                "IS NULL or IS NOT NULL."
            )
        return text
    if value_type is ValueType.BOOLEAN:
        return _BOOLEANS[text.strip().upper()]
    if value_type is ValueType.DATE:
        return _day(text)
    if value_type is ValueType.TIMESTAMP:
        return _moment(text)
    number = _number(text)
    if value_type is ValueType.DECIMAL:
        return number
    if number != number.to_integral_value():
        raise ValueError(text)
    return int(number)


def _number(text: str) -> Decimal:
    stripped = text.strip()
    if len(stripped) > _LONGEST_NUMBER or not _NUMBER.fullmatch(stripped):
        raise ValueError(text)
    return Decimal(stripped)


def _day(text: str) -> date:
    moment = _instant(text)
    if moment.time() != time.min:
        raise ValueError(text)
    return moment.date()


def _moment(text: str) -> datetime:
    moment = _instant(text)
    # In the first and last year, some time zones cannot hold the moment.
    if not MINYEAR < moment.year < MAXYEAR:
        raise ValueError(text)
    return moment


def _instant(text: str) -> datetime:
    """ISO 8601, or Intacct's own formats; a date alone is its midnight.

    Python 3.10 reads only one spelling of ISO 8601, so the text is rewritten to that.
    """
    iso = _INTACCT_DAY.sub(
        lambda day: f"{day[3]}-{day[1]:0>2}-{day[2]:0>2}", text.strip(), count=1
    )
    match = _ISO_MOMENT.fullmatch(iso)
    if match is None:
        raise ValueError(text)
    zone = (match["zone"] or "").upper().replace("Z", "+00:00")
    zone = f"{zone[:3]}:{zone[-2:]}" if zone else ""
    return datetime.fromisoformat(f"{match['day']}T{match['time'] or '00:00'}{zone}")


def label_of(
    name: str, known: Sequence[str], codes: Mapping[str, str], text: str
) -> str:
    """An enum's label in its own spelling; its stored code is accepted too.

    Raises:
        InvalidFilter: there is no such label; names the nearest.
    """
    labels = {code.upper(): label for label, code in codes.items()}
    labels |= {label.upper(): label for label in known}
    if text.upper() not in labels:
        raise InvalidFilter(
            f"compares {name} with '{shortened(text)}'{nearest(text, known)}"
        )
    return labels[text.upper()]


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the nearest known ones."""
    return f", which does not exist{did_you_mean(name, known)}"
