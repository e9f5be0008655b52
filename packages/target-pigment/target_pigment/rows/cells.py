"""From a record to the cells of a CSV line. Pure.

Numbers come as `int` and `Decimal` (the reader parses no float), so that a cell holds
the very digits of the source.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timezone
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from singer_sdk.singerlib.json import serialize_json

from target_pigment.errors import UnsuitableValue
from target_pigment.rows.csv_file import Key
from target_pigment.settings.settings import Column, ColumnType, CsvFormat

_NEWLINES = re.compile(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_ISO_DAY = "%Y-%m-%d"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")


Write: TypeAlias = Callable[[Any], str]
"""The text of a value that is not null.

Raises:
    ValueError: it does not fit; the message goes on after "holds a X that".
"""


class _Echo:
    """A file for `csv.writer` to write to, whose `writerow` then returns the line."""

    def write(self, line: str) -> str:
        return line


class CellWriter:
    """Writes the lines of one stream's files.

    Attributes:
        names: of the columns.
    """

    def __init__(
        self,
        stream: str,
        columns: tuple[Column, ...],
        chosen: CsvFormat,
        null_values: Mapping[str, str],
    ) -> None:
        self.columns = columns
        self._stream = stream
        self._format = chosen
        self._null_values = null_values
        # All that can be decided before the first row.
        self._writers = {c.name: writer(c.type, chosen) for c in columns}
        self.names = self._writers.keys()
        self._write_row = csv.writer(
            _Echo(),
            delimiter=chosen.delimiter,
            quotechar=chosen.quotechar,
            lineterminator=chosen.line_ending,
        ).writerow

    def header(self) -> bytes:
        """The first line of every file, byte order mark included if asked for."""
        mark = b"\xef\xbb\xbf" if self._format.bom else b""
        return mark + self._line([column.header for column in self.columns])

    def line(self, record: Mapping[str, Any]) -> bytes:
        """One line, its ending included.

        Raises:
            UnsuitableValue: names the column, never the value.
        """
        return self._line([self._text(name, record.get(name)) for name in self.names])

    def key(self, record: Mapping[str, Any], names: Sequence[str]) -> Key:
        """What tells rows apart: to the tap, and to Pigment if it is sent the key.

        Raises:
            UnsuitableValue: all of it is null.
        """
        values = [_canonical(record.get(name)) for name in names]
        if all(value is None for value in values):
            raise UnsuitableValue(
                f"Stream {self._stream}: a record has no value in its key "
                f"({', '.join(names)}); correct the source, or load the stream without "
                "a key."
            )
        exact = json.dumps([_exact(value) for value in values])
        if not self.names >= set(names):
            return Key(exact)
        texts = map(self._text, names, values)
        # Whether Pigment tells white space apart is not known [?].
        cells = json.dumps([" ".join(text.split()) for text in texts])
        return Key(cells, None if exact == cells else exact)

    def _line(self, cells: Sequence[str]) -> bytes:
        with suppress(UnicodeEncodeError):
            return str(self._write_row(cells)).encode(self._format.encoding)
        # Not from the error, which shows the character.
        raise UnsuitableValue(
            f"Stream {self._stream}: a value has a character that "
            f"{self._format.encoding} cannot write; use csv.encoding utf-8."
        )

    def _text(self, name: str, value: Any) -> str:
        if value is None:
            return self._null_values.get(name, self._format.null_value)
        try:
            text = self._writers[name](value)
            # Neither line breaks nor control characters are printable.
            return text if text.isprintable() else self._clean(text)
        except (ValueError, InvalidOperation) as error:
            raise UnsuitableValue(
                f"Stream {self._stream}: column {name} holds a "
                f"{type(value).__name__} that {error}; correct the source, or the column's "
                "type in `columns`."
            ) from error

    def _clean(self, text: str) -> str:
        if self._format.newlines == "fail" and _NEWLINES.search(text):
            raise ValueError("has a line break, which csv.newlines forbids")
        if self._format.newlines == "replace":
            text = _NEWLINES.sub(" ", text)
        return _CONTROL.sub("", text)


def _canonical(value: Any) -> Any:
    """The same for equal values: 1 for 1.0, and instants in UTC."""
    if isinstance(value, Decimal | float):
        text = f"{Decimal(str(value)):f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return Decimal("0" if text == "-0" else text)
    if isinstance(value, datetime):
        return _aware(value).astimezone(timezone.utc)
    return value


def _exact(value: Any) -> Any:
    """A canonical value as JSON, the same for equal values only; 1 and "1" are not."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int | Decimal):
        return {"number": f"{value:f}" if isinstance(value, Decimal) else str(value)}
    if isinstance(value, date | time):
        return {"time": value.isoformat()}
    return {"value": serialize_json(value, sort_keys=True)}


def writer(kind: ColumnType, chosen: CsvFormat) -> Write:
    """How cells of a column are written."""
    is_text = kind == "text"
    separator = "." if is_text else chosen.decimal_separator
    boolean = partial(_boolean, chosen)
    number = partial(_number, kind, separator)
    day = partial(_day, ZoneInfo(chosen.timezone), chosen.date_format)
    instant = datetime.isoformat if is_text or chosen.datetime_as == "text" else day
    # All types but those of JSON's arrays and objects.
    by_type: dict[type, Write] = {
        str: str,
        bool: boolean,
        int: str,
        Decimal: number,
        float: number,
        date: day,
        datetime: instant,
        time: time.isoformat,
    }
    as_set = {"boolean": boolean, "number": number, "integer": number, "date": day}
    return as_set.get(kind) or partial(_as_it_comes, by_type)


def _as_it_comes(writers: Mapping[type, Write], value: Any) -> str:
    write = writers.get(type(value))
    return write(value) if write else serialize_json(value, ensure_ascii=False)


def _boolean(chosen: CsvFormat, value: Any) -> str:
    word = str(value).lower()
    if word not in {"true", "false"}:
        raise ValueError("is neither true nor false")
    return chosen.true_value if word == "true" else chosen.false_value


def _as_decimal(value: Any) -> Decimal:
    try:
        # A float comes only from a map expression; its repr is its shortest digits.
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("is no number") from error


def _number(kind: ColumnType, separator: str, value: Any) -> str:
    number = value if type(value) is Decimal else _as_decimal(value)
    if not number.is_finite():
        raise ValueError("is no finite number")
    if kind == "integer" and number != number.to_integral_value():
        # Pigment would truncate it without a word [D].
        raise ValueError("has a fraction in an integer column")
    text = f"{number:f}"
    if kind == "integer":
        text = text.partition(".")[0]
    if not number:
        text = text.lstrip("-")
    return text.replace(".", separator)


def _day(zone: ZoneInfo, form: str, value: Any) -> str:
    day = _as_day(zone, value)
    # The default form by a quicker way.
    return day.isoformat() if form == _ISO_DAY else day.strftime(form)


def _as_day(zone: ZoneInfo, value: Any) -> date:
    """The day of a date, or of an instant in the zone chosen; naive instants are UTC."""
    if isinstance(value, str):
        value = _parsed_day(value)
    if isinstance(value, datetime):
        return _aware(value).astimezone(zone).date()
    if isinstance(value, date):
        return value
    raise ValueError("is no date")


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)


def _parsed_day(text: str) -> date:
    for parse in (date.fromisoformat, datetime.fromisoformat):
        # Their own error quotes the text.
        with suppress(ValueError):
            return parse(text.replace("Z", "+00:00"))
    raise ValueError("is no ISO 8601 date")
