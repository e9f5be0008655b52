"""Which characters a document can hold: the parser has the last word."""

from __future__ import annotations

import pytest
from lxml import etree

from tap_sage_intacct.intacct.rows.characters import is_legal

EDGES = (0x9, 0xA, 0xD, 0x20, 0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x10FFFF)


@pytest.mark.parametrize(
    "code", sorted({code + step for code in EDGES for step in (-1, 0, 1)} - {0x110000})
)
def test_legal_is_what_the_parser_takes(code: int) -> None:
    try:
        etree.fromstring(f"<a>&#{code};</a>")
    except etree.XMLSyntaxError:
        is_taken = False
    else:
        is_taken = True
    assert is_legal(chr(code)) is is_taken
