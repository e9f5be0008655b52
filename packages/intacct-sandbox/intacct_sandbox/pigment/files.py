"""The files of a workspace: the bytes of a push to cells, cells to values, and a list back.

Spellings of booleans and the formats of dates are not documented [?]; these are strict.
Sources: the published OpenAPI; community.pigment.com 229 and 1720.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any

from intacct_sandbox.pigment.configuration import (
    Configuration,
    ImportColumn,
    PigmentList,
    PropertyType,
)
from intacct_sandbox.pigment.switches import PigmentSwitches

Cells = dict[str, str]

# A cell may be as long as a file: which length Pigment refuses is unknown [?].
csv.field_size_limit(100_000_000)

_NUMBERS = frozenset({PropertyType.NUMBER, PropertyType.INTEGER})
_ENCODINGS = {"Utf8WithBom": "utf-8-sig", "Utf8WithoutBom": "utf-8"}


class ImportFailed(Exception):
    """The import fails as a whole. The names of such errors are invented [?]."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.description = description
        super().__init__(f"{name}: {description}")


def read_file(
    body: bytes, configuration: Configuration, switches: PigmentSwitches
) -> Iterator[Cells | None]:
    """The rows by header; None for one with too few or too many cells.

    Raises:
        ImportFailed: wrong encoding, no header, or not the configuration's.
    """
    encoding = configuration.encoding
    try:
        text = body.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise ImportFailed("InvalidEncoding", f"not {encoding}") from error
    lines = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=configuration.delimiter,
        quotechar=configuration.quotechar,
    )
    header = next(lines, None)
    if header is None:
        raise ImportFailed("EmptyFile", "there is no header")
    names = _names(header, configuration, switches)
    first = next(lines, None)
    if first is None:
        if switches.header_only == "fail":
            raise ImportFailed("EmptyFile", "there are no rows")
        return iter(())
    return _rows(chain([first], lines), names)


def _rows(lines: Iterator[list[str]], names: list[str]) -> Iterator[Cells | None]:
    for line in lines:
        if line:
            fits = len(line) == len(names)
            yield dict(zip(names, line, strict=True)) if fits else None


def _names(
    header: list[str], configuration: Configuration, switches: PigmentSwitches
) -> list[str]:
    expected = [column.header for column in configuration.columns]
    if switches.headers == "by_position":
        fits, names = len(header) == len(expected), expected
    elif switches.headers == "by_name":
        fits, names = set(expected) <= set(header), header
    else:
        fits, names = header == expected, expected
    if not fits:
        raise ImportFailed(
            "InvalidStructure", f"columns {header}, the configuration has {expected}"
        )
    return names


def read_cell(text: str, kind: PropertyType, configuration: Configuration) -> str:
    """The value of a cell that is not empty, as the workspace writes it.

    Numbers are without exponent and trailing zeros, dates ISO 8601.

    Raises:
        ValueError: it does not fit; Pigment calls that a `ParsingError` [D].
    """
    if kind in _NUMBERS:
        return _number(text, kind, configuration)
    if kind is PropertyType.DATE:
        # A day has no zone.
        found = datetime.strptime(text, configuration.date_format)  # noqa: DTZ007
        return found.date().isoformat()
    if kind is PropertyType.BOOLEAN and text not in {"TRUE", "FALSE"}:
        raise ValueError("no boolean")
    return text


def _number(text: str, kind: PropertyType, configuration: Configuration) -> str:
    if configuration.decimal_separator == ",":
        text = text.replace(",", ".")
    if not set(text) <= set("+-.0123456789"):
        raise ValueError("no number")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if kind is PropertyType.INTEGER:
        return str(int(number))
    written = f"{number:f}"
    return (written.rstrip("0").rstrip(".") if "." in written else written) or "0"


def export_list(
    block: PigmentList,
    rows: Iterable[Mapping[str, str]],
    options: Mapping[str, Any],
    *,
    is_legacy: bool,
) -> bytes:
    """The file.

    Args:
        block: the list.
        rows: its items, property to value.
        options: properties, friendlyHeaders, fieldDelimiter, decimalSeparator,
            encoding.
        is_legacy: dates as the paths without a version write them.

    Raises:
        LookupError: an option that this sandbox does not know.
    """
    wanted = options.get("properties")
    columns = [c for c in block.columns if wanted is None or c.header in wanted]
    is_friendly = options.get("friendlyHeaders", False)
    separator = options.get("decimalSeparator", ".")
    text = io.StringIO()
    lines = csv.writer(text, delimiter=options.get("fieldDelimiter", ";"))
    lines.writerow(
        column.header if is_friendly else technical_name(column.header)
        for column in columns
    )
    for row in rows:
        lines.writerow(
            _cell(row[column.header], column, separator, is_legacy=is_legacy)
            for column in columns
        )
    return text.getvalue().encode(_ENCODINGS[options.get("encoding", "Utf8WithoutBom")])


def technical_name(header: str) -> str:
    """A property's name for machines; how Pigment makes it is not documented [?]."""
    return re.sub(r"\W+", "_", header)


def _cell(value: str, column: ImportColumn, separator: str, *, is_legacy: bool) -> str:
    if column.type in _NUMBERS:
        return value.replace(".", separator)
    if column.type is PropertyType.DATE and value and is_legacy:
        return date.fromisoformat(value).strftime("%m/%d/%Y")
    return value
