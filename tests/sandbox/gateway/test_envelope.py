"""The shapes of answers, level by level."""

from __future__ import annotations

import subprocess
import sys
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests
from lxml import etree

from intacct_sandbox import Company, Switches
from tests.sandbox.gateway.client import XML_HEADERS, Client, query

if TYPE_CHECKING:
    from tests.sandbox.gateway.conftest import Serve

CONTROL = (
    "<control><status>{status}</status><senderid>{sender}</senderid>"
    "<controlid>c-1</controlid><uniqueid>false</uniqueid>"
    "<dtdversion>3.0</dtdversion></control>"
)
ERROR = (
    "<errormessage><error><errorno>{errorno}</errorno><description>{description}"
    "</description><description2>{text} [Support ID: {support}]</description2>"
    "<correction>{correction}</correction></error></errormessage>"
)
SIGNED_IN = (
    "<authentication><status>success</status><userid>tap_user</userid>"
    "<companyid>sandbox</companyid><locationid></locationid>"
    "<sessiontimestamp>2026-07-01T12:00:00+00:00</sessiontimestamp>"
    "<sessiontimeout>2026-07-01T18:00:00+00:00</sessiontimeout></authentication>"
)


def support(number: int) -> str:
    return f"9PvcxEBXMLGW{number:09d}-AG%7Eaod"


def control(status: str = "success", sender: str = "sandbox_sender") -> str:
    return CONTROL.format(status=status, sender=sender)


def error(
    number: int, errorno: str, text: str, description: str = "", correction: str = ""
) -> str:
    return ERROR.format(
        errorno=errorno,
        text=text,
        support=support(number),
        description=description,
        correction=correction,
    )


def assert_body(response: requests.Response, expected: str) -> None:
    """Compare as canonical XML."""
    wanted = etree.fromstring(f"<response>{expected}</response>")
    found = etree.fromstring(response.content)
    assert etree.tostring(found, method="c14n") == etree.tostring(wanted, method="c14n")


def test_success_carries_control_authentication_and_result(client: Client) -> None:
    asked = query("DEPARTMENT", "RECORDNO", order="RECORDNO", pagesize=1)
    response = client.send(client.document(asked))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == 'text/xml; encoding="UTF-8"'
    total = client.sandbox.company.count("DEPARTMENT")
    assert_body(
        response,
        f"{control()}<operation>{SIGNED_IN}<result><status>success</status>"
        "<function>query</function><controlid>f1</controlid>"
        f'<data listtype="DEPARTMENT" totalcount="{total}" offset="0" count="1" '
        f'numremaining="{total - 1}"><DEPARTMENT><RECORDNO>1</RECORDNO></DEPARTMENT>'
        "</data></result></operation>",
    )


def test_wrong_sender_fails_at_control_level(client: Client) -> None:
    response = client.send(client.document("<getDimensions/>", senderid="nobody"))
    assert response.status_code == 200
    message = error(2, "XL03000006", "Incorrect Intacct XML Partner ID or password.")
    assert_body(response, control("failure", "nobody") + message)


def test_wrong_user_fails_at_authentication_level(client: Client) -> None:
    login = client.login(password="wrong")
    response = client.send(client.document("<getAPISession/>", authentication=login))
    block = (
        "<authentication><status>failure</status><userid>tap_user</userid>"
        "<companyid>sandbox</companyid><locationid></locationid></authentication>"
    )
    message = error(2, "XL03000006", "Sign-in information is incorrect")
    assert_body(response, f"{control()}<operation>{block}{message}</operation>")


def test_unknown_session_fails_at_authentication_level(client: Client) -> None:
    response = client.send(
        client.document("<getDimensions/>", authentication="<sessionid>x</sessionid>")
    )
    block = (
        "<authentication><status>failure</status><userid></userid>"
        "<companyid></companyid><locationid></locationid></authentication>"
    )
    message = error(2, "XL03000006", "Invalid session x....")
    assert_body(response, f"{control()}<operation>{block}{message}</operation>")


def test_denied_object_fails_at_result_level(client: Client) -> None:
    client.sandbox.switches = Switches(denied_objects=frozenset({"ARINVOICE"}))
    response = client.send(client.document(query("ARINVOICE", "RECORDNO")))
    text = (
        "You do not have permission for API operation READ_BY_QUERY on objects of "
        "type arinvoice"
    )
    assert_body(
        response,
        f"{control()}<operation>{SIGNED_IN}<result><status>failure</status>"
        "<function>query</function><controlid>f1</controlid>"
        f"{error(2, 'PL04000005', text)}</result></operation>",
    )


def test_sender_that_is_not_authorised_is_told_whom_to_ask(client: Client) -> None:
    client.sandbox.switches = Switches(sender_authorised=False)
    answer = client.post("<getAPISession/>", authentication=client.login())
    entry = answer.find("operation/errormessage/error")
    assert entry is not None
    assert entry.findtext("description") == "Invalid Web Services Authorization"
    assert "'sandbox_sender' is not authorized" in (
        entry.findtext("description2") or ""
    )
    assert (entry.findtext("correction") or "").startswith("Contact the company")


@pytest.mark.parametrize(
    ("switches", "status", "errorno"),
    [
        (Switches(web_services_subscribed=False), 200, "XL03000006"),
        (Switches(refused_at_gateway=True), 401, "XMLGW_JPP0002"),
    ],
)
def test_other_ways_of_not_getting_in(
    client: Client, switches: Switches, status: int, errorno: str
) -> None:
    client.sandbox.switches = switches
    password = "wrong" if switches.refused_at_gateway else "user-pa55&<w0rd>"
    login = client.login(password=password)
    response = client.send(client.document("<getAPISession/>", authentication=login))
    assert response.status_code == status
    answer = etree.fromstring(response.content)
    assert answer.findtext(".//errorno") == errorno


def test_unknown_company_at_the_http_gateway_is_a_brief_error(client: Client) -> None:
    client.sandbox.switches = Switches(refused_at_gateway=True)
    login = client.login(companyid="other")
    response = client.send(client.document("<getAPISession/>", authentication=login))
    assert response.status_code == 400
    text = "Invalid Request [Request ID: 0A0B0C0D:0002_63EBC07F.59]"
    assert_body(
        response,
        "<control><status>failure</status></control><errormessage><error>"
        f"<errorno>GW-0011</errorno><description>{text}</description>"
        "</error></errormessage>",
    )


def test_transport_policies_are_unknown(client: Client) -> None:
    document = client.document("<getDimensions/>").replace(
        b"<includewhitespace>", b"<policyid>p</policyid><includewhitespace>"
    )
    answer = etree.fromstring(client.send(document).content)
    text = answer.findtext(".//description2") or ""
    assert text.startswith("p is not a valid transport policy.")


MALFORMED = [
    ("<getDimensions>", "Fatal Error 76: Opening and ending tag mismatch"),
    ("<nothing/>", "Element 'nothing': This element is not expected."),
    ("<query><object>X</object></query>", "Missing child element(s)"),
    (
        query("X", "A", pagesize=2001),
        "maximum value allowed ('2000')",
    ),
    (
        query("X", "A", where="<isnull><field>A</field></isnull>" * 2),
        "Element 'isnull': This element is not expected.",
    ),
    (
        query("X", "A", where="<and><isnull><field>A</field></isnull></and>"),
        "Element 'and': Missing child element(s)",
    ),
    (
        query("X", "A", where="<equalto><field>A</field></equalto>"),
        "Expected is ( value )",
    ),
    (
        query("X", "A", where="<not><isnull><field>A</field></isnull></not>"),
        "Element 'not': This element is not expected. Expected is one of ( and, or,",
    ),
    (query("X", "A", options="<returnFormat>json</returnFormat>"), "returnformat"),
    (
        "<readByQuery><object>X</object><query/><orderby/></readByQuery>",
        "Element 'orderby': This element is not expected.",
    ),
    ("<readMore/>", "Element 'readMore': Missing child element(s)"),
]


@pytest.mark.parametrize(("function", "text"), MALFORMED)
def test_schema_is_checked_before_anything_else(
    reader: Client, function: str, text: str
) -> None:
    response = reader.send(reader.document(function, password="wrong"))
    answer = etree.fromstring(response.content)
    assert answer.findtext("control/status") == "failure"
    assert answer.findtext("control/senderid") == "sandbox_sender"
    assert answer.findtext("errormessage/error/errorno") == "XL03000003"
    message = answer.findtext("errormessage/error/description2") or ""
    assert message.startswith("XML Parse schema error: ")
    assert text in message


def test_order_of_control_elements_is_mandatory(reader: Client) -> None:
    document = reader.document("<getDimensions/>").replace(
        b"<controlid>c-1</controlid><uniqueid>false</uniqueid>",
        b"<uniqueid>false</uniqueid><controlid>c-1</controlid>",
    )
    answer = etree.fromstring(reader.send(document).content)
    assert answer.findtext(".//errorno") == "XL03000003"


def test_answers_are_indented_unless_asked_not_to_be(reader: Client) -> None:
    plain = reader.send(reader.document("<getDimensions/>")).text
    spaced = reader.send(
        reader.document("<getDimensions/>", includewhitespace="true")
    ).text
    assert "> <" not in plain
    assert "\n  <control>\n    <status>success</status>" in spaced


def test_additional_error_info_comes_only_on_request(reader: Client) -> None:
    function = "<lookup><object>NOTHING</object></lookup>"
    assert reader.post(function).find(".//additionalinfo") is None
    answer = reader.post(function, showadditionalerrorinfo="true")
    assert answer.findtext(".//additionalinfo/errorid") == "Query Failed"


def test_error_texts_can_be_escaped_twice(client: Client) -> None:
    client.sandbox.switches = Switches(
        double_escaped_errors=True, sender_authorised=False
    )
    answer = client.post("<getDimensions/>")
    text = answer.findtext(".//description2") or ""
    assert "&#039;sandbox_sender&#039;" in text


def test_functions_answer_one_by_one_in_order(reader: Client) -> None:
    answer = reader.post(
        query("VENDOR", "RECORDNO", pagesize=1),
        "<lookup><object>NOTHING</object></lookup>",
        "<getDimensions/>",
    )
    results = answer.findall("operation/result")
    assert [r.findtext("controlid") for r in results] == ["f1", "f2", "f3"]
    assert [r.findtext("status") for r in results] == ["success", "failure", "success"]


def test_failing_function_of_a_transaction_aborts_the_others(reader: Client) -> None:
    answer = reader.post(
        "<getDimensions/>",
        "<lookup><object>NOTHING</object></lookup>",
        "<getDimensions/>",
        transaction="true",
    )
    results = answer.findall("operation/result")
    assert [r.findtext("status") for r in results] == ["aborted", "failure", "aborted"]
    for result in results:
        assert result.findall("errormessage/error/errorno")[-1].text == "XL03000009"
        assert result.find("data") is None


def test_session_must_be_asked_for_alone(reader: Client) -> None:
    answer = reader.post("<getAPISession/>", "<getDimensions/>")
    assert answer.findtext("operation/result/status") == "failure"


def test_number_of_functions_is_limited(client: Client) -> None:
    client.sandbox.switches = Switches(max_functions=2)
    answer = client.post(*["<getDimensions/>"] * 3)
    assert answer.findtext("control/status") == "failure"


def test_unique_ids_refuse_a_repeated_function(client: Client) -> None:
    first = client.post("<getDimensions/>", uniqueid="true")
    again = client.post("<getDimensions/>", uniqueid="true")
    careless = client.post("<getDimensions/>")
    statuses = [a.findtext("operation/result/status") for a in (first, again, careless)]
    assert statuses == ["success", "failure", "success"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/xml; charset=UTF-8",
        "text/xml",
        "x-intacct-xml-request",
        "application/x-intacct-xml-request",
    ],
)
def test_content_types_of_old_clients_are_accepted(
    reader: Client, content_type: str
) -> None:
    document = reader.document("<getDimensions/>")
    response = reader.send(document, **{"Content-Type": content_type})
    assert b"<status>success</status>" in response.content


def test_form_posts_are_accepted(reader: Client) -> None:
    body = b"xmlrequest=" + quote(reader.document("<getDimensions/>")).encode()
    response = reader.send(
        body, **{"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert b"<status>success</status>" in response.content


def test_json_and_get_and_other_paths_are_refused(reader: Client) -> None:
    url = reader.sandbox.url
    json = reader.send(b"{}", **{"Content-Type": "application/json"})
    assert json.status_code == 415
    assert reader.http.get(url, timeout=5).status_code == 405
    elsewhere = reader.http.post(url + "x", data=b"", headers=XML_HEADERS, timeout=5)
    assert elsewhere.status_code == 404


def test_gzip_is_used_when_accepted(reader: Client) -> None:
    document = reader.document("<lookup><object>VENDOR</object></lookup>")
    packed = reader.send(document, **{"Accept-Encoding": "gzip, deflate"})
    plain = reader.send(document, **{"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    wanted = etree.fromstring(plain.content).findtext(".//Field/ID")
    assert etree.fromstring(packed.content).findtext(".//Field/ID") == wanted


def test_connection_is_kept_and_dated_by_the_companys_clock(client: Client) -> None:
    response = client.send(client.document("<getDimensions/>"))
    again = client.send(client.document("<getDimensions/>"))
    assert "Connection" not in again.headers
    now = client.sandbox.company.clock.now()
    assert parsedate_to_datetime(response.headers["Date"]) == now


def test_published_passwords_need_escaping(serve: Serve) -> None:
    settings = serve().sandbox.config()
    assert set("&<>") <= set(settings["user_password"])
    assert set('&"') <= set(settings["sender_password"])


def test_sandbox_that_nobody_stops_lets_its_process_end(company: Company) -> None:
    """A client in the same process may still hold its connection open."""
    program = (
        "from pathlib import Path; import sys, requests\n"
        "from intacct_sandbox import Company, Sandbox, SystemClock\n"
        "company = Company.open(Path(sys.argv[1]), clock=SystemClock())\n"
        "sandbox = Sandbox(company); sandbox.start()\n"
        "http = requests.Session(); http.get(sandbox.url)\n"
    )
    command = [sys.executable, "-c", program, str(company.path)]
    subprocess.run(command, check=True, timeout=20)
