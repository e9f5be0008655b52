"""Rows of JSON: read as those of XML are, and what is broken is noticed."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intacct_sandbox import Sandbox
from tap_sage_intacct.intacct.errors import Call, InvalidResponse
from tap_sage_intacct.intacct.gateway import GatewaySettings
from tap_sage_intacct.intacct.query import Query
from tap_sage_intacct.intacct.rows.row import Row
from tap_sage_intacct.intacct.xml.envelope import (
    Function,
    is_json,
    parse_response,
    read_rows,
)
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.intacct.xml.json_rows import read_json_rows
from tap_sage_intacct.settings.settings import Settings
from tests.intacct.xml.test_responses import ASKED, success

FIELDS = ("RECORDNO", "VENDORID", "NAME", "COMMENTS")
# What XML 1.0 cannot hold at all; the sandbox, unlike Intacct, would send it raw.
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\ufffe\uffff")
) | st.text("ab \\\"'/<&>\b\f\n\r\t\x0b\x1f\x7f\x85\u2028é😀u0", max_size=12)


@pytest.fixture
def gateway(sandbox: Sandbox) -> XmlGateway:
    found = Settings.from_config(sandbox.config()).gateway
    assert isinstance(found, GatewaySettings)
    return XmlGateway(found)


def ask(gateway: XmlGateway, *, as_json: bool) -> Sequence[Row]:
    query = Query("VENDOR", FIELDS, None, ("RECORDNO",))
    return gateway.query(query, page_size=2000, as_json=as_json).result().rows


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
def test_any_table_reads_the_same_by_both_roads(
    sandbox: Sandbox, gateway: XmlGateway, table: list[tuple[str, str]]
) -> None:
    company = sandbox.company
    numbers = [int(str(row["RECORDNO"])) for row in company.truth("VENDOR")]
    for number, (name, comments) in zip(numbers, table, strict=False):
        company.update("VENDOR", number, {"NAME": name, "COMMENTS": comments})
    from_xml, from_json = ask(gateway, as_json=False), ask(gateway, as_json=True)
    assert from_json == from_xml
    assert [list(row) for row in from_json] == [list(row) for row in from_xml]


def test_columns_keep_the_order_of_the_selection(gateway: XmlGateway) -> None:
    assert list(ask(gateway, as_json=True)[0]) == list(FIELDS)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (b"null", ""),
        (b"0", "0"),
        (b"12345678901234567890.10", "12345678901234567890.10"),
        (b"1e400", "1e400"),
        (b"-0.0", "-0.0"),
        (b"true", "true"),
        (b'"\\u00e9\\ud83d\\ude00"', "é😀"),
        (b'"1\\/31\\/2026"', "1/31/2026"),
    ],
    ids=str,
)
def test_cell_that_is_no_plain_text_is_read_as_it_is_written(
    cell: bytes, text: str
) -> None:
    body = b'[{"A": "1", "B": %b}, {"A": "2"}]' % cell
    found = read_json_rows(body)
    assert found.rows == [{"A": "1", "B": text}, {"A": "2"}]
    assert (found.total, found.remaining, found.result_id) == (None, None, None)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"x\x0by", "xy"),
        (b"x\\u000By\\u001f\\b\\f", "xy"),
        (b"x\r\ny\rz\tw\n", "x\ny\nz\tw\n"),
        (b"x\\r\\ny\\rz\\u000d\\u000A", "x\ny\nz\n"),
        (b"x\\r\\u000b\\ny", "x\ny"),
        (b"\\\\b\\\\r\\\\u0007\\\\\\b", "\\b\\r\\u0007\\"),
        (b'\\"\x0b\\\\', '"\\'),
    ],
    ids=str,
)
def test_control_characters_and_line_ends_as_by_xml(raw: bytes, text: str) -> None:
    assert read_json_rows(b'[{"A":"%b","B":"1"}]' % raw).rows == [{"A": text, "B": "1"}]
    assert read_json_rows(b'\x0b[{"A":"%b","B":1}]\n' % raw).rows[0]["A"] == text
    if b"\\" not in raw:
        (result,) = parse_response(
            success(f"<data><a><A>{raw.decode()}</A></a></data>"), ASKED
        ).results
        assert result.data is not None
        assert read_rows(result.data).rows == [{"A": text}]


@pytest.mark.parametrize("body", [b"[]", b"", b" \n", b" [ ] "])
def test_no_rows(body: bytes) -> None:
    assert read_json_rows(body).rows == []


BROKEN = [
    b'[{"A":"Jane"},{"A":"Do',
    b'[{"A":"Jane"}',
    b'[{"A":"Jane"}] more',
    b'{"A":"Jane"}',
    b'["Jane"]',
    b'[{"A":{"B":"Jane"}}]',
    b'[{"A":["Jane"]}]',
    b'[{"A":"Jane\xff"}]',
    b'[{"A":1,"B":"Jane\xff"}]',
    b'[{"A":"Jane\\ud800"}]',
    b"Jane",
]


@pytest.mark.parametrize("body", BROKEN, ids=str)
def test_broken_body_is_invalid_and_never_quoted(body: bytes) -> None:
    with pytest.raises(InvalidResponse, match=f"{len(body)} bytes") as caught:
        read_json_rows(body)
    assert "Jane" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_every_cut_of_a_body_is_noticed() -> None:
    body = json.dumps([{"A": "é\n", "B": ""}] * 3).encode()
    for length in range(1, len(body)):
        with pytest.raises(InvalidResponse):
            read_json_rows(body[:length])


PLAIN, JSON = (
    Function(ASKED[0].element, Call("query"), asks_json=asks) for asks in (False, True)
)


@pytest.mark.parametrize(
    ("body", "is_xml", "expected"),
    [
        (b"[]", False, True),
        (b"", False, True),
        (b"[]", True, True),
        (b"", True, False),
        (b" <response/>", False, False),
        (b"<response/>", True, False),
        (b"upstream error", True, False),
        (b"upstream error", False, True),
    ],
)
def test_which_bodies_are_json(body: bytes, *, is_xml: bool, expected: bool) -> None:
    assert is_json(body, [JSON], is_xml=is_xml) is expected
    assert not is_json(body, [PLAIN], is_xml=is_xml)
