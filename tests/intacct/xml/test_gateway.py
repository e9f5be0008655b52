"""Sessions, retries and endpoints, over real HTTP."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from intacct_sandbox import Fault, FaultKind, ManualClock, Sandbox, Switches
from intacct_sandbox.wire.errors import denied
from tap_sage_intacct.catalog.sources import RECORD_NUMBER
from tap_sage_intacct.intacct.errors import (
    ConfigurationError,
    DatabaseRefused,
    IntacctError,
    PermissionDenied,
    RequestTimedOut,
    TransientError,
)
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.http.retrying import RetryPolicy
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pending import Pending
from tap_sage_intacct.intacct.query import Query
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import RowSet
from tap_sage_intacct.intacct.rows.user_format import DEFAULT_USER_FORMAT
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.calls import FunctionCalls
from tap_sage_intacct.intacct.xml.envelope import Function, read_rows
from tap_sage_intacct.intacct.xml.query import query_function
from tests.intacct.asked_ahead import wait_for_answers
from tests.intacct.conftest import MakeCalls, MakeGateway
from tests.loading import SCANNER


def vendors(gateway: Gateway, page_size: int = 2000) -> list[str]:
    """RECORDNO of every vendor."""
    reader = ObjectReader(gateway, "VENDOR", ("RECORDNO",), page_size=page_size)
    pages = KeySetPaging(reader, RECORD_NUMBER).pages()
    return [row["RECORDNO"] for page in pages for row in page.rows]


def expected(sandbox: Sandbox) -> list[str]:
    return [str(row["RECORDNO"]) for row in sandbox.company.truth("VENDOR")]


def asked(sandbox: Sandbox, function: str) -> int:
    return sum(call.function == function for call in sandbox.calls)


def test_signs_in_once(sandbox: Sandbox, gateway: MakeGateway) -> None:
    connected = gateway()
    assert vendors(connected, page_size=10) == expected(sandbox)
    assert vendors(connected) == expected(sandbox)
    assert asked(sandbox, "getAPISession") == 1
    assert asked(sandbox, "readUserFormatting") == 1


def vendor_page(*fields: str) -> Function:
    query = Query("VENDOR", fields or ("RECORDNO",), None, ("RECORDNO",))
    return query_function(query, DEFAULT_USER_FORMAT, page_size=2000)


def ask(connected: FunctionCalls) -> Pending[RowSet]:
    return connected.ask_for_rows(vendor_page(), 2000)


def record_numbers(answer: Pending[RowSet]) -> list[str]:
    return [row["RECORDNO"] for row in answer.result().rows]


def test_answer_is_asked_for_once_and_again_where_it_is_awaited_again(
    sandbox: Sandbox, calls: MakeCalls
) -> None:
    pending = ask(calls())
    for count in (1, 2):
        assert record_numbers(pending) == expected(sandbox)
        assert asked(sandbox, "query") == count


def test_pending_call_that_fails_is_repeated(
    sandbox: Sandbox, calls: MakeCalls, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add(Fault(FaultKind.RATE_LIMIT, function="query"))
    assert record_numbers(ask(calls())) == expected(sandbox)
    assert asked(sandbox, "query") == 2
    assert caplog.text.count("Retry 1") == 1


def test_pending_calls_in_a_session_that_ends_share_a_new_one(
    sandbox: Sandbox, calls: MakeCalls, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    connected = calls()
    connected.server_now()
    sandbox.end_sessions()
    for answer in [ask(connected) for _ in range(3)]:
        assert record_numbers(answer) == expected(sandbox)
    assert asked(sandbox, "getAPISession") == 2
    assert caplog.text.count("signing in again") == 1


def test_signing_in_again_lets_pending_calls_go_first(
    sandbox: Sandbox, calls: MakeCalls, clock: ManualClock
) -> None:
    sandbox.switches = Switches(session_seconds=3600)
    connected = calls(max_connections=1)
    connected.server_now()
    sandbox.faults.add(Fault(FaultKind.SLOW, function="query", seconds=0.3))
    pending = [ask(connected) for _ in range(2)]
    clock.advance(3400)
    # In a thread, so that the test ends also if the two wait for each other.
    renewed = threading.Thread(target=connected.server_now, daemon=True)
    renewed.start()
    renewed.join(timeout=20)
    assert not renewed.is_alive()
    for answer in pending:
        assert record_numbers(answer) == expected(sandbox)


def test_server_clock_is_taken_when_an_answer_comes(
    calls: MakeCalls, clock: ManualClock
) -> None:
    connected = calls()
    pending = ask(connected)
    wait_for_answers()
    before = connected.server_now()
    clock.advance(60)
    pending.result()
    assert connected.server_now() == before + timedelta(minutes=1)


def test_page_asked_for_before_a_lesson_is_asked_for_again(
    sandbox: Sandbox, gateway: MakeGateway
) -> None:
    """Two pages are too large; the second is not waited for, but asked for less."""
    reader = ObjectReader(gateway(), "VENDOR", ("RECORDNO",), page_size=400)
    sandbox.faults.add(Fault(FaultKind.HTTP_524, function="query", times=2))
    pages = [reader.query(None, ("RECORDNO",)) for _ in range(2)]
    wait_for_answers()
    sizes = [page.result().page_size for page in pages]
    assert sizes == [200, 200]
    assert asked(sandbox, "query") == 4


def test_session_that_ends_mid_run_is_renewed(
    sandbox: Sandbox, gateway: MakeGateway
) -> None:
    connected = gateway()
    connected.user_format()
    sandbox.end_sessions()
    assert vendors(connected) == expected(sandbox)
    assert asked(sandbox, "getAPISession") == 2


def test_session_is_renewed_before_it_ends(
    sandbox: Sandbox, gateway: MakeGateway, clock: ManualClock
) -> None:
    sandbox.switches = Switches(session_seconds=3600)
    connected = gateway()
    connected.user_format()
    clock.advance(3000)
    vendors(connected)
    assert asked(sandbox, "getAPISession") == 1  # the call moves the session's end
    clock.advance(3400)
    vendors(connected)
    assert asked(sandbox, "getAPISession") == 2
    assert not [call for call in sandbox.calls if call.function == ""]


def test_short_session_is_not_renewed_at_every_call(
    sandbox: Sandbox, gateway: MakeGateway
) -> None:
    sandbox.switches = Switches(session_seconds=120)
    vendors(gateway(), page_size=10)
    assert asked(sandbox, "getAPISession") == 1


def test_session_without_an_announced_end(
    sandbox: Sandbox, gateway: MakeGateway, clock: ManualClock
) -> None:
    sandbox.switches = Switches(session_timeout_sent=False)
    connected = gateway()
    connected.user_format()
    clock.advance(7 * 3600)
    assert vendors(connected) == expected(sandbox)
    assert asked(sandbox, "getAPISession") == 2


TRANSIENT = [
    FaultKind.RATE_LIMIT,
    FaultKind.RATE_LIMIT_IN_BODY,
    FaultKind.HTTP_500,
    FaultKind.HTTP_502,
    FaultKind.HTTP_503,
    FaultKind.HTTP_504,
    FaultKind.CLOUDFLARE,
    FaultKind.OFFLINE,
    FaultKind.TRY_AGAIN,
    FaultKind.TOO_MANY_OPERATIONS,
    FaultKind.DATABASE_ERROR,
    FaultKind.TRUNCATED,
    FaultKind.DROP_BEFORE_HEADERS,
    FaultKind.DROP_AFTER_HEADERS,
    FaultKind.EXTERNAL_ENTITY,
    FaultKind.ENTITY_BOMB,
    FaultKind.NOT_XML,
]


@pytest.mark.parametrize("kind", TRANSIENT, ids=lambda kind: kind.name.lower())
def test_passing_fault_is_retried_and_logged_once(
    sandbox: Sandbox,
    gateway: MakeGateway,
    caplog: pytest.LogCaptureFixture,
    pauses: list[float],
    kind: FaultKind,
) -> None:
    connected = gateway()
    connected.user_format()
    sandbox.faults.add(Fault(kind, function="query", times=2))
    assert vendors(connected, page_size=20) == expected(sandbox)
    retries = [r for r in caplog.records if r.getMessage().startswith("Retry")]
    assert len(retries) == len(pauses) == 2
    assert all(record.levelno == logging.WARNING for record in retries)


def test_control_characters_do_not_cost_a_retry(
    sandbox: Sandbox, gateway: MakeGateway, pauses: list[float]
) -> None:
    sandbox.faults.add(Fault(FaultKind.CONTROL_CHARACTERS, function="query"))
    assert len(vendors(gateway())) == len(expected(sandbox))
    assert pauses == []


def test_pauses_grow_and_end(
    sandbox: Sandbox, gateway: MakeGateway, pauses: list[float]
) -> None:
    sandbox.faults.add(Fault(FaultKind.HTTP_503, times=None))
    policy = RetryPolicy(max_retries=6, first_pause_seconds=1, longest_pause_seconds=8)
    with pytest.raises(TransientError, match="HTTP 503"):
        gateway(retry=policy).server_now()
    ceilings = [1, 2, 4, 8, 8, 8]
    assert len(pauses) == len(ceilings)
    assert all(0 <= pause <= top for pause, top in zip(pauses, ceilings, strict=True))


def test_cloudflare_page_is_met_with_a_long_pause(
    sandbox: Sandbox, gateway: MakeGateway, pauses: list[float]
) -> None:
    sandbox.faults.add(Fault(FaultKind.CLOUDFLARE))
    gateway().server_now()
    assert pauses == [90.0]


@pytest.mark.parametrize("response_format", ["xml", "json"])
def test_row_that_speaks_of_an_error_page_is_none(
    sandbox: Sandbox, gateway: MakeGateway, pauses: list[float], response_format: str
) -> None:
    memo = "<a id=cf-error-details>"
    sandbox.company.update("VENDOR", 1, {"NAME": memo})
    connected = gateway(config={"response_format": response_format})
    reader = ObjectReader(connected, "VENDOR", ("RECORDNO", "NAME"), page_size=100)
    names = [
        row["NAME"]
        for page in KeySetPaging(reader, RECORD_NUMBER).pages()
        for row in page.rows
    ]
    assert memo in names
    assert pauses == []


def test_database_error_that_stays_is_given_up_soon(
    sandbox: Sandbox, gateway: MakeGateway, pauses: list[float]
) -> None:
    sandbox.faults.add(Fault(FaultKind.DATABASE_ERROR, function="query", times=None))
    with pytest.raises(DatabaseRefused):
        vendors(gateway())
    assert len(pauses) == 2


def test_524_is_never_repeated_but_asked_for_less(
    sandbox: Sandbox, gateway: MakeGateway, pauses: list[float]
) -> None:
    sandbox.faults.add(Fault(FaultKind.HTTP_524, function="query"))
    assert vendors(gateway(), page_size=400) == expected(sandbox)
    sizes = [
        call.body.split(b"<pagesize>")[1].split(b"<")[0]
        for call in sandbox.calls
        if call.function == "query"
    ]
    assert sizes == [b"400", b"200"]
    assert pauses == []


def test_page_size_is_halved_no_further_than_helps(
    sandbox: Sandbox, gateway: MakeGateway
) -> None:
    sandbox.faults.add(Fault(FaultKind.HTTP_524, function="query", times=None))
    with pytest.raises(RequestTimedOut, match="lower page_size"):
        vendors(gateway(), page_size=400)
    assert asked(sandbox, "query") == 3  # 400, 200, 100


def test_slow_answer_is_asked_for_less(sandbox: Sandbox, gateway: MakeGateway) -> None:
    connected = gateway(timeout_seconds=0.3)
    connected.user_format()
    sandbox.faults.add(Fault(FaultKind.SLOW, function="query", seconds=0.6))
    assert vendors(connected, page_size=400) == expected(sandbox)


def test_server_down(gateway: MakeGateway, sandbox: Sandbox) -> None:
    sandbox_url = sandbox.config()["api_url"]
    connected = gateway(retry=RetryPolicy(max_retries=0))
    sandbox.stop()
    with pytest.raises(
        TransientError, match=r"Could not reach 127\.0\.0\.1: check api_url"
    ):
        connected.server_now()
    assert sandbox_url.startswith("http://127.0.0.1")


REFUSALS: list[tuple[dict[str, str], Switches, str]] = [
    ({"user_password": "wrong"}, Switches(), "check company_id, user_id"),
    ({"user_id": "nobody"}, Switches(), "check company_id, user_id"),
    ({"company_id": "nowhere"}, Switches(), "company_id"),
    ({"sender_password": "wrong"}, Switches(), "check sender_id and sender_password"),
    ({"sender_id": "stranger"}, Switches(), "check sender_id and sender_password"),
    ({"company_id": "nowhere"}, Switches(refused_at_gateway=True), "company_id"),
    ({"user_password": "wrong"}, Switches(refused_at_gateway=True), "user_password"),
    ({}, Switches(sender_authorised=False), "Company > Company Info > Security"),
    ({}, Switches(web_services_subscribed=False), "Company > Subscriptions"),
]


@pytest.mark.parametrize(
    ("config", "switches", "remedy"),
    REFUSALS,
    ids=[
        f"{next(iter(c), 'set-up')}-{number}"
        for number, (c, _, _) in enumerate(REFUSALS)
    ],
)
def test_refused_sign_in_says_what_to_do(
    sandbox: Sandbox,
    gateway: MakeGateway,
    pauses: list[float],
    config: dict[str, str],
    switches: Switches,
    remedy: str,
) -> None:
    sandbox.switches = switches
    with pytest.raises(ConfigurationError, match=remedy) as caught:
        gateway(config=config).server_now()
    assert "Intacct's answer" in str(caught.value)
    assert pauses == []


def test_denied_object_names_the_permission(
    sandbox: Sandbox, gateway: MakeGateway
) -> None:
    sandbox.switches = Switches(denied_objects=frozenset({"VENDOR"}))
    with pytest.raises(PermissionDenied, match="Company > Roles") as caught:
        vendors(gateway())
    assert caught.value.errorno == "PL04000005"
    assert caught.value.support_id


def test_each_of_several_functions_fails_on_its_own(calls: MakeCalls) -> None:
    """And is a call of its own, beside the sign-in: so Intacct bills them."""
    asked = calls()
    answers = asked.call_each(
        [
            functions.lookup("VENDOR"),
            functions.lookup("NOSUCH"),
            functions.lookup("ITEM"),
        ]
    )
    assert [isinstance(answer, IntacctError) for answer in answers] == [
        False,
        True,
        False,
    ]
    assert asked.counts.total == 4


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://api.example.com/ia/xml/xmlgw.phtml",
        "https://intacct.example.com/ia/xml/xmlgw.phtml",
        "https://127.0.0.1.example.com/ia/xml/xmlgw.phtml",
    ],
)
def test_endpoint_of_a_stranger_is_not_followed(
    sandbox: Sandbox,
    gateway: MakeGateway,
    caplog: pytest.LogCaptureFixture,
    endpoint: str,
) -> None:
    sandbox.switches = Switches(endpoint=endpoint)
    assert vendors(gateway()) == expected(sandbox)
    assert "which is neither https" in caplog.text


def test_data_is_read_inside_the_retry(
    sandbox: Sandbox, calls: MakeCalls, pauses: list[float]
) -> None:
    sandbox.faults.add(Fault(FaultKind.TRUNCATED, function="lookup"))
    data = calls().ask(functions.lookup("VENDOR"), lambda element: element).result()
    assert data.find("Type") is not None
    assert len(pauses) == 1
    with pytest.raises(IntacctError):
        calls().ask(functions.lookup("NOSUCH"), read_rows).result()


def test_no_secret_is_logged_or_raised(
    sandbox: Sandbox, gateway: MakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    connected = gateway()
    vendors(connected)
    sandbox.end_sessions()
    vendors(connected)
    sandbox.faults.add(Fault(FaultKind.SESSION_EXPIRED, function="query", times=None))
    with pytest.raises(IntacctError) as caught:
        vendors(connected)
    shown = caplog.text + str(caught.value) + repr(caught.value.details)
    config = sandbox.config()
    SCANNER.look_at(shown, "an error, for passwords and sessions")
    assert config["user_password"] not in shown
    assert config["sender_password"] not in shown
    assert "call " in caplog.text


def test_preferences_that_may_not_be_read_are_taken_for_the_usual_ones(
    sandbox: Sandbox, gateway: MakeGateway, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = denied("READ", "userformatting")
    sandbox.faults.add(
        Fault(
            FaultKind.TO_ORDER,
            function="readUserFormatting",
            answer=refusal,
            times=None,
        )
    )
    assert replace(gateway().user_format(), zone=None) == DEFAULT_USER_FORMAT
    assert "assuming MM/DD/YYYY, 24 h and UTC" in caplog.text
