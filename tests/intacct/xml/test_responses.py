"""Response documents: what is read, and what each kind of failure becomes."""

import pytest

from tap_sage_intacct.intacct import errors
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.envelope import (
    parse_errors,
    parse_response,
    read_rows,
)

CONTROL = "<control><status>success</status><senderid>s</senderid></control>"
AUTHENTICATION = (
    "<authentication><status>success</status><userid>u</userid>"
    "<companyid>c</companyid><sessiontimestamp>2026-01-31T10:00:00+00:00"
    "</sessiontimestamp><sessiontimeout>2026-01-31T16:00:00+00:00</sessiontimeout>"
    "</authentication>"
)
ASKED = [functions.lookup("APBILL")]


def respond(result: str, authentication: str = AUTHENTICATION) -> bytes:
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><response>{CONTROL}<operation>"
        f"{authentication}{result}</operation></response>"
    ).encode()


def success(data: str) -> bytes:
    return respond(f"<result><status>success</status>{data}</result>")


def error(errorno: str, description2: str = "", description: str = "") -> str:
    return (
        f"<errormessage><error><errorno>{errorno}</errorno><description>{description}"
        f"</description><description2>{description2}</description2><correction/>"
        "</error></errormessage>"
    )


def test_rows_counts_and_result_id_are_read() -> None:
    body = success(
        '<data listtype="apbill" count="2" totalcount="5" numremaining="3" '
        'resultId="r1"><apbill><RECORDNO>1</RECORDNO><A.B>x</A.B><C/></apbill>'
        "<apbill><RECORDNO>2</RECORDNO><A.B></A.B><C>é</C></apbill></data>"
    )
    (result,) = parse_response(body, ASKED).results
    assert result.data is not None
    row_set = read_rows(result.data)
    assert row_set.rows == [
        {"RECORDNO": "1", "A.B": "x", "C": ""},
        {"RECORDNO": "2", "A.B": "", "C": "é"},
    ]
    assert (row_set.total, row_set.remaining, row_set.result_id) == (5, 3, "r1")


def test_empty_page_and_empty_result_id() -> None:
    body = success('<data count="0" totalcount="0" numremaining="0" resultId=""/>')
    (result,) = parse_response(body, ASKED).results
    assert result.data is not None
    row_set = read_rows(result.data)
    assert (row_set.rows, row_set.remaining, row_set.result_id) == ([], 0, None)


def test_page_that_holds_other_rows_than_it_counts_is_invalid() -> None:
    body = success('<data count="2" numremaining="0"><a/></data>')
    (result,) = parse_response(body, ASKED).results
    assert result.data is not None
    with pytest.raises(errors.InvalidResponse, match="1 rows and counts 2"):
        read_rows(result.data)


def test_session_times_are_read_and_may_be_missing() -> None:
    session = parse_response(success("<data/>"), ASKED).session
    assert session.timeout is not None
    assert session.timeout.isoformat() == "2026-01-31T16:00:00+00:00"
    bare = "<authentication><status>success</status></authentication>"
    body = respond("<result><status>success</status><data/></result>", bare)
    assert parse_response(body, ASKED).session.timeout is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<response>",
        b"{}",
        b"<html><body>Bad gateway</body></html>",
        success("<data/>")[:-20],
        b"<!DOCTYPE r [<!ENTITY e 'x'>]><response>&e;</response>",
        "<!DOCTYPE response><response/>".encode("utf-16"),
        success("<data/>") + b"<more/>",
    ],
    ids=["empty", "open", "json", "html", "cut", "entity", "utf-16", "trailing"],
)
def test_what_is_no_whole_response_is_invalid_and_transient(body: bytes) -> None:
    with pytest.raises(errors.InvalidResponse) as caught:
        parse_response(body, ASKED)
    assert isinstance(caught.value, errors.TransientError)


def test_invalid_response_does_not_quote_the_body() -> None:
    with pytest.raises(errors.InvalidResponse) as caught:
        parse_response(b"<response>Jane Doe <b></response>", ASKED)
    assert "Jane" not in str(caught.value)


def test_fewer_results_than_functions_are_invalid() -> None:
    with pytest.raises(errors.InvalidResponse, match="1 results for 2 functions"):
        parse_response(success("<data/>"), ASKED * 2)


def test_control_characters_are_stripped() -> None:
    body = success("<data><a><B>x\x01&#2;&#x1f;y&#10;&#xA;z</B></a></data>")
    (result,) = parse_response(body, ASKED).results
    assert result.data is not None
    assert read_rows(result.data).rows == [{"B": "xy\n\nz"}]


def test_failed_result_keeps_its_errors_and_the_others_their_data() -> None:
    failed = f"<result><status>failure</status>{error('PL04000005', 'no')}</result>"
    worked = "<result><status>success</status><data/></result>"
    results = parse_response(respond(failed + worked), ASKED * 2).results
    assert [result.succeeded for result in results] == [False, True]
    assert results[0].errors[0].errorno == "PL04000005"


def test_control_failure() -> None:
    body = (
        "<response><control><status>failure</status></control>"
        f"{error('XL03000006', 'Incorrect Intacct XML Partner ID or password.')}"
        "</response>"
    ).encode()
    with pytest.raises(errors.ConfigurationError, match="sender_password"):
        parse_response(body, ASKED)


def test_operation_failure() -> None:
    authentication = "<authentication><status>failure</status></authentication>"
    body = respond(
        error("XL03000006", "Sign-in information is incorrect"), authentication
    )
    with pytest.raises(errors.ConfigurationError, match="user_password"):
        parse_response(body, ASKED)


def test_errors_of_an_http_refusal() -> None:
    body = (
        "<response><control><status>failure</status></control>"
        f"{error('GW-0011', '', 'Invalid Request')}</response>"
    ).encode()
    assert [detail.errorno for detail in parse_errors(body)] == ["GW-0011"]
    assert parse_errors(b"<html>") == ()
