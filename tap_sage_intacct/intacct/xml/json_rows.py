r"""Rows of a JSON answer, which has neither envelope nor counts.

Pure: bytes in, rows out, the same to the byte as the XML answer to the same query would
give. The body is an array of flat objects whose values are texts, empty for null [C];
Intacct does not strictly strip control characters [C], and what an XML parser makes of
line ends is made of them here: `\r\n` and `\r` become `\n` [I: Intacct writes them raw].
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import msgspec

from tap_sage_intacct.intacct.errors import InvalidResponse
from tap_sage_intacct.intacct.rows.row import Row, RowSet, RowTable
from tap_sage_intacct.intacct.xml.envelope import ILLEGAL_BYTES

_FIRST_ROW = msgspec.json.Decoder(dict[str, str])
# Values as they are written, where they are not all texts.
_RAW_ROWS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_TEXT = msgspec.json.Decoder(str)

# All begin with a plain character, by which they are found a hundred times as fast. The
# first may find what is none of these; the others match `\\` too, so that its second half
# is not taken for the beginning of an escape.
_MAYBE_CONTROL = re.compile(rb"\\(?:[bfr]|u00[01])")
_CONTROL = re.compile(rb"\\(?:(\\)|[bf]|u00(?:0[0-8bBcCeEfF]|1[0-9a-fA-F]))")
_LINE_END = re.compile(rb"\\(?:(\\)|(?:r|u000[dD])(?:\\(?:n|u000[aA]))?)")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def read_json_rows(body: bytes) -> RowSet:
    """The rows, without any count; none of an empty body, as CSV's is [C].

    A null in a cell becomes an empty text, a number the digits it is written with.

    Raises:
        InvalidResponse: no JSON, cut off, or no array of flat objects.
    """
    try:
        rows = _rows(body)
    except ValueError:
        rows = _repaired_rows(body)
    return RowSet(rows, None, None, None)


def _repaired_rows(body: bytes) -> Sequence[Row]:
    """Rows of a body that may hold what JSON forbids: raw control characters."""
    stripped = ILLEGAL_BYTES.sub(b"", body)
    escaped = _STRING.sub(_with_escapes, stripped)
    try:
        return _rows(escaped)
    except ValueError:
        # The reason may quote the body, which holds a customer's rows.
        raise InvalidResponse(
            f"The answer is no whole JSON array of rows ({len(body)} bytes)."
        ) from None


def _with_escapes(string: re.Match[bytes]) -> bytes:
    text = string[0].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.replace(b"\n", rb"\n").replace(b"\t", rb"\t")


def _rows(body: bytes) -> Sequence[Row]:
    """Decode.

    Raises:
        ValueError: no JSON, or not of this shape.
    """
    if not body.strip():
        return []
    body = _without_controls(body)
    try:
        return _table(body)
    except (msgspec.ValidationError, _NoTable):
        raw_rows = _RAW_ROWS.decode(body)
    return [{name: _text(bytes(raw)) for name, raw in row.items()} for row in raw_rows]


class _NoTable(Exception):
    """The rows are no table of texts, as far as the first one tells."""


def _table(body: bytes) -> RowTable:
    """The rows as a table, made of records of one type: half the work of dicts.

    Raises:
        msgspec.DecodeError: no JSON, or (ValidationError) a row is unlike the first.
        _NoTable: the first row has no texts.
    """
    columns = _columns_of_first_row(body)
    records = _decoder(columns).decode(body)
    return RowTable(columns, list(map(msgspec.structs.astuple, records)))


def _columns_of_first_row(body: bytes) -> tuple[str, ...]:
    begin = end = body.find(b"{")
    while (end := body.find(b"}", end + 1)) > 0:
        # A brace may stand in a text; the first that ends the row ends an object.
        try:
            first = _FIRST_ROW.decode(memoryview(body)[begin : end + 1])
        except msgspec.ValidationError:
            break
        except msgspec.DecodeError:
            continue
        if first:
            return tuple(first)
        break
    raise _NoTable


# A stream asks for the same columns on all its pages.
@lru_cache(maxsize=64)
def _decoder(columns: tuple[str, ...]) -> msgspec.json.Decoder[list[msgspec.Struct]]:
    fields = {f"f{number}": name for number, name in enumerate(columns)}
    try:
        row = msgspec.defstruct(
            "Row",
            [(field, str) for field in fields],
            rename=fields,
            forbid_unknown_fields=True,
            gc=False,
        )
    except ValueError:
        # A name that would have to be escaped.
        raise _NoTable from None
    return msgspec.json.Decoder(list[row])  # type: ignore[valid-type]


def _without_controls(body: bytes) -> bytes:
    """Leave out what XML cannot hold, then fold line ends as its parsers do."""
    if b"\\" not in body or _MAYBE_CONTROL.search(body) is None:
        return body
    body = _CONTROL.sub(_nothing, body)
    return _LINE_END.sub(_line_end, body)


def _nothing(found: re.Match[bytes]) -> bytes:
    return found[0] if found[1] else b""


def _line_end(found: re.Match[bytes]) -> bytes:
    return found[0] if found[1] else rb"\n"


def _text(raw: bytes) -> str:
    if raw == b"null":
        return ""
    if raw.startswith(b'"'):
        return _TEXT.decode(raw)
    if raw.startswith((b"[", b"{")):
        raise ValueError("A cell holds more than one value.")
    return raw.decode("ascii")
