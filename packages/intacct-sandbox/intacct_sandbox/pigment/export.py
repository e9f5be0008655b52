"""Reading a list back as CSV, as Pigment's export does. Pure.

Sources: the published OpenAPI; community.pigment.com 229 and 1720.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from intacct_sandbox.pigment.configuration import (
    ImportColumn,
    PigmentList,
    PropertyType,
)

_NUMBERS = frozenset({PropertyType.NUMBER, PropertyType.INTEGER})
_ENCODINGS = {"Utf8WithBom": "utf-8-sig", "Utf8WithoutBom": "utf-8"}


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
