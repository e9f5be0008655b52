"""Every fault, as a client meets it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests
from lxml import etree

from intacct_sandbox import Call, Fault, FaultKind, Faults, Switches
from intacct_sandbox.wire.errors import (
    AuthenticationRefusal,
    ControlRefusal,
    ErrorEntry,
    FunctionRefusal,
    Refusal,
)
from intacct_sandbox.wire.replies import HTML_TYPE, Reply
from tests.sandbox.gateway.client import Client, query

if TYPE_CHECKING:
    from tests.sandbox.gateway.conftest import Serve

ASKED = query("DEPARTMENT", "RECORDNO")


def struck(serve: Serve, kind: FaultKind) -> tuple[Client, bytes]:
    """A signed-in client whose next query meets the fault, and the query."""
    client = serve(faults=Faults(Fault(kind, function="query")))
    client.sign_in()
    return client, client.document(ASKED)


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        (FaultKind.RATE_LIMIT, 429, "GW-0010"),
        (FaultKind.RATE_LIMIT_IN_BODY, 200, "API rate limit exceeded"),
        (FaultKind.HTTP_500, 500, "500"),
        (FaultKind.HTTP_502, 502, "502"),
        (FaultKind.HTTP_503, 503, "503"),
        (FaultKind.HTTP_504, 504, "504"),
        (FaultKind.HTTP_524, 524, "524"),
        (FaultKind.CLOUDFLARE, 200, "cf-error-details"),
        (FaultKind.OFFLINE, 200, "The Service is Temporarily Off-line"),
        (FaultKind.TRY_AGAIN, 200, "<correction>Please Try Again Later"),
        (FaultKind.TOO_MANY_OPERATIONS, 200, "too many operations"),
        (FaultKind.DATABASE_ERROR, 200, "DL02000001"),
        (FaultKind.SESSION_EXPIRED, 200, "Invalid session"),
        (FaultKind.EXTERNAL_ENTITY, 200, "<!DOCTYPE"),
        (FaultKind.ENTITY_BOMB, 200, "<!ENTITY e8"),
        (FaultKind.NOT_XML, 200, "upstream connect error"),
        (FaultKind.CONTROL_CHARACTERS, 200, "\x0b"),
    ],
)
def test_fault_strikes_once_and_then_all_is_well(
    serve: Serve, kind: FaultKind, status: int, text: str
) -> None:
    client, document = struck(serve, kind)
    response = client.send(document)
    assert response.status_code == status
    assert text in response.text
    client.sign_in()
    assert client.data(ASKED).get("count") != "0"


@pytest.mark.parametrize(
    "refusal", [ControlRefusal, AuthenticationRefusal, FunctionRefusal]
)
def test_refusal_comes_to_order_at_its_level(
    serve: Serve, refusal: type[Refusal]
) -> None:
    answer = refusal(ErrorEntry("BL01", "Odd."))
    order = Fault(FaultKind.TO_ORDER, function="query", answer=answer)
    client = serve(faults=Faults(order))
    client.sign_in()
    response = etree.fromstring(client.send(client.document(ASKED)).content)
    failed = next(e.tag for e in response.iter() if e.findtext("status") == "failure")
    levels = {
        ControlRefusal: "control",
        AuthenticationRefusal: "authentication",
        FunctionRefusal: "result",
    }
    assert failed == levels[refusal]
    assert response.findtext(".//errorno") == "BL01"


def test_reply_comes_to_order(serve: Serve) -> None:
    reply = Reply(418, HTML_TYPE, b"I am a teapot")
    client = serve(faults=Faults(Fault(FaultKind.TO_ORDER, answer=reply)))
    response = client.send(client.document(ASKED))
    assert (response.status_code, response.content) == (418, b"I am a teapot")


def test_every_kind_of_fault_has_a_test_here() -> None:
    listed = {mark.args[1][i][0] for mark in _marks() for i in range(17)}
    others = {
        FaultKind.TRUNCATED,
        FaultKind.DROP_BEFORE_HEADERS,
        FaultKind.DROP_AFTER_HEADERS,
        FaultKind.SLOW,
        FaultKind.ROWS_REVERSED,
        FaultKind.ROWS_LOST,
        FaultKind.RESULT_ID_LOST,
        FaultKind.TO_ORDER,
        FaultKind.OTHERS_ANSWER,
        FaultKind.STALE_ANSWER,
        FaultKind.SWAPPED,
        FaultKind.REWRITTEN,
    }
    assert listed | others == set(FaultKind)


def _marks() -> list[pytest.Mark]:
    marks: list[pytest.Mark] = test_fault_strikes_once_and_then_all_is_well.pytestmark  # type: ignore[attr-defined]
    return marks


def test_truncated_body_is_not_xml(serve: Serve) -> None:
    client, document = struck(serve, FaultKind.TRUNCATED)
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(client.send(document).content)


@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.DROP_BEFORE_HEADERS, 0), (FaultKind.DROP_AFTER_HEADERS, 200)],
)
def test_connection_breaks_after_the_work_is_done(
    serve: Serve, kind: FaultKind, status: int
) -> None:
    client, document = struck(serve, kind)
    with pytest.raises(
        (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
    ):
        client.send(document)
    call = client.sandbox.calls[-1]
    assert call.rows == client.sandbox.company.count("DEPARTMENT")
    assert call.http_status == status


def test_rows_come_in_the_opposite_order(serve: Serve) -> None:
    client, _ = struck(serve, FaultKind.ROWS_REVERSED)
    ordered = query("DEPARTMENT", "RECORDNO", order="RECORDNO")
    reversed_, again = client.data(ordered), client.data(ordered)
    assert [row.findtext("RECORDNO") for row in reversed_] == [
        row.findtext("RECORDNO") for row in reversed(again)
    ]


def test_rows_are_missing_and_said_to_remain(serve: Serve) -> None:
    client, _ = struck(serve, FaultKind.ROWS_LOST)
    data = client.data(ASKED)
    assert len(data) == 0
    assert data.get("count") == "0"
    assert int(data.get("numremaining", "")) == int(data.get("totalcount", "")) > 0


def test_page_does_not_say_how_to_go_on(serve: Serve) -> None:
    fault = Fault(FaultKind.RESULT_ID_LOST, function="readByQuery")
    client = serve(faults=Faults(fault))
    client.sign_in()
    asked = (
        "<readByQuery><object>REVRECSCHEDULEENTRY</object><fields>RECORDNO</fields>"
        "<query></query><pagesize>10</pagesize></readByQuery>"
    )
    assert client.data(asked).get("resultId") is None
    assert client.data(asked).get("resultId")


def test_timed_out_request_counts_as_done(serve: Serve) -> None:
    client, document = struck(serve, FaultKind.HTTP_524)
    client.send(document)
    assert client.sandbox.calls[-1].rows == client.sandbox.company.count("DEPARTMENT")


def test_slow_answer_outlasts_a_short_patience(serve: Serve) -> None:
    client = serve(faults=Faults(Fault(FaultKind.SLOW, seconds=0.2)))
    document = client.document("<getAPISession/>", authentication=client.login())
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            client.sandbox.url,
            data=document,
            headers={"Content-Type": "application/xml"},
            timeout=0.05,
        )
    client.sign_in()


def test_faults_choose_by_number_function_and_object() -> None:
    call = Call(3, "query", "VENDOR", "f1", b"")
    fitting = [
        Fault(FaultKind.HTTP_500, calls=frozenset({3})),
        Fault(FaultKind.HTTP_500, function="query"),
        Fault(FaultKind.HTTP_500, object_name="vendor"),
        Fault(FaultKind.HTTP_500),
    ]
    others = [
        Fault(FaultKind.HTTP_500, calls=frozenset({2})),
        Fault(FaultKind.HTTP_500, function="lookup"),
        Fault(FaultKind.HTTP_500, object_name="APBILL"),
    ]
    assert all(fault.fits(call) for fault in fitting)
    assert not any(fault.fits(call) for fault in others)


def test_random_faults_repeat_with_their_seed() -> None:
    def draw(seed: int) -> list[bool]:
        faults = Faults(
            Fault(FaultKind.HTTP_500, times=None, probability=0.5), seed=seed
        )
        call = Call(1, "query", "VENDOR", "f1", b"")
        return [bool(faults.strike(call)) for _ in range(50)]

    assert draw(1) == draw(1) != draw(2)
    assert 10 < sum(draw(1)) < 40


def test_too_many_connections_at_once_are_throttled(serve: Serve) -> None:
    nested: list[int] = []
    faults = Faults()
    client = serve(Switches(max_connections=1), faults)
    client.sign_in()

    def ask_meanwhile(call: Call) -> None:
        faults.between_calls = None
        other = Client(client.sandbox, session_id=client.session_id)
        nested.append(other.send(other.document(ASKED)).status_code)
        other.close()
        assert call.function == "query"

    faults.between_calls = ask_meanwhile
    assert client.send(client.document(ASKED)).status_code == 200
    assert nested == [429]
    assert client.sandbox.most_in_flight == 2


def test_calls_are_recorded_without_credentials(serve: Serve) -> None:
    client = serve()
    client.sign_in()
    client.data(ASKED)
    first, second = client.sandbox.calls
    assert (first.number, first.function) == (1, "getAPISession")
    assert (second.function, second.object_name) == ("query", "DEPARTMENT")
    assert second.http_status == 200
    assert second.control_id == "f1"
    assert b"<select>" in second.body
    assert b"pa55" not in first.body + second.body
    client.sandbox.forget_calls()
    assert client.sandbox.calls == []


@pytest.mark.parametrize(
    ("kind", "listtype"),
    [(FaultKind.OTHERS_ANSWER, "VENDOR"), (FaultKind.STALE_ANSWER, "DEPARTMENT")],
)
def test_answer_comes_again(serve: Serve, kind: FaultKind, listtype: str) -> None:
    faults = Faults()
    client = serve(faults=faults)
    client.sign_in()
    client.send(client.document(ASKED, controlid="first"))
    client.send(client.document(query("VENDOR", "RECORDNO"), controlid="other"))
    faults.add(Fault(kind, function="query"))
    answer = client.post(ASKED, controlid="second")
    assert answer.findtext("control/controlid") in {"first", "other"}
    (data,) = answer.iter("data")
    assert data.get("listtype") == listtype


def test_answers_of_two_connections_are_exchanged(serve: Serve) -> None:
    client = serve(faults=Faults(Fault(FaultKind.SWAPPED, function="query", times=2)))
    client.sign_in()

    def ask(control_id: str) -> str | None:
        other = Client(client.sandbox, session_id=client.session_id)
        answer = other.post(ASKED, controlid=control_id)
        other.close()
        return answer.findtext("control/controlid")

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, ["one", "two"])) == ["two", "one"]


def test_call_without_a_partner_gets_its_own_answer(serve: Serve) -> None:
    client, document = struck(serve, FaultKind.SWAPPED)
    assert b'listtype="DEPARTMENT"' in client.send(document).content


def test_reply_is_rewritten(serve: Serve) -> None:
    def shout(reply: Reply) -> Reply:
        return replace(reply, body=reply.body.upper())

    fault = Fault(FaultKind.REWRITTEN, function="query", rewrite=shout)
    client = serve(faults=Faults(fault))
    client.sign_in()
    assert b"<RESPONSE>" in client.send(client.document(ASKED)).content
