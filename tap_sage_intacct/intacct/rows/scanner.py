"""The rows of an answer, found by a pattern where they are plain.

A parser makes an object of every cell, which costs more than all else that is done
with one. The rows of a page are alike to the byte but for their texts, so a pattern
made of the first finds the cells of all. `scan` promises the rows that the parser would
give, or none: whatever is not of this pattern (an attribute, a comment, another column,
a character that XML forbids) leaves the answer to the parser. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from tap_sage_intacct.intacct.rows.characters import is_legal
from tap_sage_intacct.intacct.rows.row import RowTable

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
# Line ends are the parser's to fold, and it forbids the rest.
_TEXT = r"([^<\x00-\x08\x0b-\x1f]*)"
_ROW_BEGIN = re.compile(rf"(\s*)<({_NAME})>")
_CELL = re.compile(rf"(\s*)<({_NAME})(?:>[^<]*</\2>|/>)")
_FORBIDDEN = ("\ufffe", "\uffff")

_REFERENCE = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]+)|#x([0-9A-Fa-f]+));|&")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


@dataclass(frozen=True, slots=True)
class ScannedAnswer:
    """An answer taken apart.

    Attributes:
        envelope: the document without its rows.
        rows: as the parser would give them.
    """

    envelope: bytes
    rows: RowTable


class _NotPlain(Exception):
    """The parser must read this."""


def scan(body: bytes) -> ScannedAnswer | None:
    """Take the rows out of the only `<data>` of a document.

    Returns:
        None where the parser must tell: then nothing is known of the document.
    """
    begin = body.find(b">", body.find(b"<data ")) + 1
    end = body.rfind(b"</data>")
    if not 0 < begin < end:
        return None
    envelope = body[:begin] + body[end:]
    # Within a comment, a CDATA section or an instruction nothing is what it seems.
    if b"<!" in envelope or envelope.count(b"<?") > 1:
        return None
    try:
        return ScannedAnswer(envelope, _rows(body[begin:end].decode()))
    except (UnicodeDecodeError, _NotPlain):
        return None


def _rows(text: str) -> RowTable:
    # A single character is found ten times as fast.
    if "]" in text and "]]>" in text:
        raise _NotPlain
    if any(forbidden in text for forbidden in _FORBIDDEN):
        raise _NotPlain
    shape = _shape_of_first_row(text)
    found = _pattern(shape).findall(text)
    # The last match is what is left from the first character on that is of no row.
    if found[-1][-1]:
        raise _NotPlain
    if "&" in text:
        found = [_with_resolved(cells) for cells in found]
    return RowTable(shape.columns, found)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What rows of a page share.

    Attributes:
        has_gaps: white space stands between the elements.
    """

    name: str
    columns: tuple[str, ...]
    has_gaps: bool


def _shape_of_first_row(text: str) -> _Shape:
    row = _ROW_BEGIN.match(text)
    if row is None:
        raise _NotPlain
    gap, name = row.groups()
    columns = []
    end = row.end()
    while (cell := _CELL.match(text, end)) is not None:
        gap += cell[1]
        columns.append(cell[2])
        end = cell.end()
    if not columns or len(set(columns)) < len(columns):
        raise _NotPlain
    return _Shape(name, tuple(columns), has_gaps=bool(gap))


# A stream asks for the same columns on all its pages.
@lru_cache(maxsize=64)
def _pattern(shape: _Shape) -> re.Pattern[str]:
    gap = r"\s*" if shape.has_gaps else ""
    row = re.escape(shape.name)
    cells = (
        f"{gap}<{name}(?:>{_TEXT}</{name}>|/>)"
        for name in map(re.escape, shape.columns)
    )
    whole = f"{gap}<{row}>{''.join(cells)}{gap}</{row}>{gap}"
    return re.compile(f"{whole}|(.+)", re.DOTALL)


def _with_resolved(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Most rows hold no reference; to look at a whole row is faster than at each cell."""
    return tuple(map(_resolved, cells)) if "&" in "".join(cells) else cells


def _resolved(text: str) -> str:
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(reference: re.Match[str]) -> str:
    entity, decimal, hexadecimal = reference.groups()
    if entity:
        return _ENTITIES[entity]
    if decimal is None and hexadecimal is None:
        raise _NotPlain
    try:
        character = chr(int(decimal) if decimal else int(hexadecimal, 16))
    except (ValueError, OverflowError):
        raise _NotPlain from None
    if not is_legal(character):
        raise _NotPlain
    return character
