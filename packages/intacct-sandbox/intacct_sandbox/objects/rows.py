"""Rows as they are sent: XML elements, JSON objects, CSV lines.

Each column gets its converter once and each object its template once, since a page has
two thousand rows.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from intacct_sandbox.switches import Switches
from intacct_sandbox.wire.envelope import RawBody
from intacct_sandbox.wire.formatting import UserFormatting

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """A name and the type that decides how its values are written."""

    name: str
    datatype: str


def page_attributes(**attributes: str | int) -> str:
    """Attributes of `<data>`, each with a blank before it."""
    return "".join(
        f' {name}="{escape(str(value), {chr(34): "&quot;"})}"'
        for name, value in attributes.items()
    )


def render_xml(
    element_name: str,
    columns: Sequence[OutputColumn],
    rows: Sequence[Row],
    formatting: UserFormatting,
    *,
    nested: Sequence[str] = (),
) -> str:
    """Each row an element; null is an empty one [D].

    Args:
        element_name: of every row.
        columns: one per value of a row.
        rows: values as stored.
        formatting: of the user who asks.
        nested: XML to append inside each row, if given.
    """
    fields = "".join(f"<{c.name}>%s</{c.name}>" for c in columns)
    template = f"<{element_name}>{fields}%s</{element_name}>"
    inner = nested or [""] * len(rows)
    texts = _texts(columns, rows, formatting, escape)
    return "".join(
        template % (*row, more) for row, more in zip(texts, inner, strict=True)
    )


def render_raw(
    return_format: str,
    columns: Sequence[OutputColumn],
    rows: Sequence[Row],
    switches: Switches,
) -> RawBody:
    """JSON or CSV: all values are text [C]; CSV writes a null as an empty one.

    An empty JSON answer is `[]` [I], an empty CSV answer an empty body [C].
    """
    names = [column.name for column in columns]
    texts = _texts(columns, rows, switches.formatting, str)
    if return_format == "json":
        objects = [
            _members(names, row, cells, switches)
            for row, cells in zip(rows, texts, strict=True)
        ]
        body = json.dumps(objects, ensure_ascii=False, separators=(",", ":"))
        return RawBody("application/json", body.encode())
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if rows:
        writer.writerow(names)
        writer.writerows(texts)
    return RawBody("text/csv", buffer.getvalue().encode())


def _members(
    names: Sequence[str], row: Row, texts: Sequence[str], switches: Switches
) -> dict[str, str | None]:
    """One row as JSON has it."""
    if switches.json_null == "empty":
        return dict(zip(names, texts, strict=True))
    return {
        name: None if value is None else text
        for name, value, text in zip(names, row, texts, strict=True)
        if value is not None or switches.json_null == "null"
    }


def _texts(
    columns: Sequence[OutputColumn],
    rows: Sequence[Row],
    formatting: UserFormatting,
    escape_text: Callable[[str], str],
) -> Iterator[tuple[str, ...]]:
    converters = [_converter(c.datatype, formatting, escape_text) for c in columns]
    by_column = [
        map(convert, values)
        # Without rows there are no columns to transpose, hence not strict.
        for convert, values in zip(converters, zip(*rows, strict=True), strict=False)
    ]
    return zip(*by_column, strict=True)


def _converter(
    datatype: str, formatting: UserFormatting, escape_text: Callable[[str], str]
) -> Callable[[Any], str]:
    if datatype == "DATE":
        return lambda value: "" if value is None else formatting.render_date(value)
    if datatype == "TIMESTAMP":
        return lambda value: "" if value is None else formatting.render_timestamp(value)
    if datatype == "BOOLEAN":
        return lambda value: "" if value is None else ("true" if value else "false")
    if datatype in {"TEXT", "ENUM"}:
        return lambda value: "" if value is None else escape_text(str(value))
    return lambda value: "" if value is None else str(value)


def false_for_null(
    columns: Sequence[OutputColumn], rows: Iterable[Row], is_custom: Mapping[str, bool]
) -> list[Row]:
    """Unset custom booleans read as false in `read` [D]."""
    blanks = [c.datatype == "BOOLEAN" and is_custom.get(c.name, False) for c in columns]
    return [
        tuple(
            0 if blank and value is None else value
            for blank, value in zip(blanks, row, strict=True)
        )
        for row in rows
    ]
