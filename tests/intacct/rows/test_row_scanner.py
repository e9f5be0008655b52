from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tap_sage_intacct.intacct.errors import InvalidResponse
from tap_sage_intacct.intacct.rows.row import Row
from tap_sage_intacct.intacct.rows.scanner import scan
from tap_sage_intacct.intacct.xml.envelope import (
    Function,
    parse_response,
    parse_rows_response,
    read_rows,
)
from tap_sage_intacct.intacct.xml.functions import read_more
from tests.intacct.xml.test_responses import success

ASKED: Function = read_more("id", "A")

NAMES = st.sampled_from(["RECORDNO", "A", "B.C", "D_1", "a-b"])
PIECES = st.sampled_from(
    [
        *("&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#65;", "&#x1F600;", "&#13;"),
        *("&", "&nbsp;", "&#0;", "&#xFFFE;", "&#99999999999;", "&amp", "&#;"),
        *("]]>", "\r\n", "\r", "\n", "\t", "\x00", "\x0b", "\x1f", "\x7f", "\x85"),
        *("<!-- c -->", "<![CDATA[x]]>", "<b>x</b>", "<b/>", "<?pi x?>", "<", ">"),
        *("</data>", "<data >", "</A>", "<A>", 'x="1"', "\ufffe", "\uffff", "\u2028"),
        *("</a></data><data >", "é", "名", "😀", " ", "null", "0"),
    ]
)
PLAIN = st.text(
    st.characters(codec="utf-8", exclude_characters="<&>\r", exclude_categories=["Cc"]),
    max_size=8,
)


@st.composite
def pages(draw: st.DrawFn) -> str:
    """Rows that are alike, as a rule, with whatever may stand between and within."""
    row_name = draw(NAMES)
    columns = draw(st.lists(NAMES, max_size=4))
    gap = draw(st.sampled_from(["", "", "\n  "]))
    texts = PLAIN | PIECES if draw(st.booleans()) else PLAIN
    parts = []
    for _ in range(draw(st.integers(0, 4))):
        parts.append(f"{gap}<{row_name}>")
        for column in columns:
            text = draw(texts)
            parts.append(
                f"{gap}<{column}>{text}</{column}>" if text else f"<{column}/>"
            )
        parts.append(f"</{row_name}>{gap}")
    if draw(st.booleans()) and parts:
        parts.insert(draw(st.integers(0, len(parts))), draw(PIECES))
    return "".join(parts)


def parsed(body: bytes) -> Sequence[Row] | None:
    """What the parser gives; None of what it refuses."""
    try:
        (result,) = parse_response(body, [ASKED]).results
    except InvalidResponse:
        return None
    return read_rows(result.data).rows if result.data is not None else None


@given(pages())
@example("<A><B>1</B></A>]]>")
@example("<A><B>\ufffe</B></A>")
@example("<A><B>&#xD800;</B></A>")
@example("<A><B>1</B><B>2</B></A>")
@example("<A></A><A>x</A>")
@example("<A/>")
@example("</data><data ><A><B>1</B></A>")
def test_what_is_scanned_is_what_the_parser_reads(rows: str) -> None:
    body = success(f'<data listtype="A" numremaining="0">{rows}</data>')
    scanned = scan(body)
    if scanned is not None:
        assert scanned.rows == parsed(body)


@given(pages(), st.binary(min_size=1, max_size=2), st.data())
def test_broken_bytes_are_left_to_the_parser(
    rows: str, raw: bytes, data: st.DataObject
) -> None:
    whole = success(f'<data listtype="A">{rows}</data>')
    place = data.draw(st.integers(0, len(whole)))
    body = whole[:place] + raw + whole[place:]
    scanned = scan(body)
    try:
        (result,) = parse_rows_response(body, [ASKED]).results
    except Exception as error:  # noqa: BLE001 - whichever, the parser must raise it too
        with pytest.raises(type(error)):
            parse_response(body, [ASKED])
        return
    if scanned is not None and result.data is not None:
        assert result.rows == parsed(body)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("<A><B>1</B><C.D/></A><A><B/><C.D>x</C.D></A>", [("1", ""), ("", "x")]),
        ("\n <A>\n <B>R&amp;D</B>\n <C.D>\n</C.D>\n </A>\n", [("R&D", "\n")]),
    ],
)
def test_plain_rows_need_no_parser(rows: str, found: list[tuple[str, str]]) -> None:
    body = success(f'<data listtype="A" count="{len(found)}">{rows}</data>')
    scanned = scan(body)
    assert scanned is not None
    assert scanned.rows == [dict(zip(("B", "C.D"), row, strict=True)) for row in found]
    (result,) = parse_rows_response(body, [ASKED]).results
    assert result.data is not None
    assert read_rows(result.data, result.rows).rows == scanned.rows


def test_count_is_held_against_the_rows_scanned() -> None:
    body = success('<data listtype="A" count="2"><A><B>1</B></A></data>')
    (result,) = parse_rows_response(body, [ASKED]).results
    assert result.data is not None
    with pytest.raises(InvalidResponse, match="holds 1 rows and counts 2"):
        read_rows(result.data, result.rows)


@pytest.mark.parametrize(
    "rows",
    [
        "<A><B>1</B></A><A><C>1</C></A>",
        "<A><B>1</B></A><Z><B>1</B></Z>",
        '<A><B x="1">1</B></A>',
        '<A key="1"><B>1</B></A>',
        "<A><B><C>1</C></B></A>",
        "<A><B>1</B></A><!-- c -->",
        "<A><B><![CDATA[1]]></B></A>",
        "",
    ],
)
def test_other_rows_are_left_to_the_parser(rows: str) -> None:
    assert scan(success(f'<data listtype="A">{rows}</data>')) is None
