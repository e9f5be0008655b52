r"""Rows of a JSON answer, which has neither envelope nor counts.

Pure: bytes in, rows out, the same to the byte as the XML answer to the same query would
give. The body is an array of flat objects whose values are texts, empty for null [C];
Intacct does not strictly strip control characters [C], and what an XML parser makes of
line ends is made of them here: `\r\n` and `\r` become `\n` [I: Intacct writes them raw].
"""

from __future__ import annotations

import re

import msgspec

from tap_sage_intacct.intacct.envelope import ILLEGAL_BYTES, Row, RowSet
from tap_sage_intacct.intacct.errors import InvalidResponse

_ROWS = msgspec.json.Decoder(list[dict[str, str]])
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


def _repaired_rows(body: bytes) -> list[Row]:
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


def _rows(body: bytes) -> list[Row]:
    """Decode.

    Raises:
        ValueError: no JSON, or not of this shape.
    """
    if not body.strip():
        return []
    body = _without_controls(body)
    try:
        return _ROWS.decode(body)
    except msgspec.ValidationError:
        raw_rows = _RAW_ROWS.decode(body)
    return [{name: _text(bytes(raw)) for name, raw in row.items()} for row in raw_rows]


def _without_controls(body: bytes) -> bytes:
    """Leave out what XML cannot hold, then fold line ends as its parsers do."""
    if _MAYBE_CONTROL.search(body) is None:
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
