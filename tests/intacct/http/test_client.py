"""HTTP at its worst: slow, packed, misdirected, or nobody there."""

from __future__ import annotations

import gzip
import itertools
import resource
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from intacct_sandbox import Fault, FaultKind, Sandbox
from intacct_sandbox.wire.errors import ControlRefusal, ErrorEntry
from intacct_sandbox.wire.replies import HTML_TYPE, XML_TYPE, Reply
from tap_sage_intacct.intacct.errors import (
    ConfigurationError,
    HostUnreachable,
    RequestRefused,
    RequestTimedOut,
    SessionExpired,
    TransientError,
)
from tap_sage_intacct.intacct.http import client
from tap_sage_intacct.intacct.http.retrying import RetryPolicy
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.tap import TapSageIntacct
from tests.hostile import (
    Behaviour,
    closed_port,
    drips,
    full_server,
    hostile_server,
    pours,
    sends,
)
from tests.intacct.conftest import MakeCalls, MakeGateway
from tests.intacct.xml.test_gateway import asked, expected, vendor_page, vendors

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
SLOW: dict[str, Behaviour] = {
    "status": drips(b"HTTP/1.1 200 O"),
    "headers": drips(OK + b"X: "),
    "header-lines": drips(OK, b"X: y\r\n"),
    "body": drips(OK + b"Content-Length: 100000\r\n\r\n<response>"),
    "body-without-length": drips(OK + b"\r\n<response>"),
    "chunks": drips(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "one-chunk": drips(OK + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n"),
    "packed": drips(
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10],
        b"\0\0\0\xff\xff",
    ),
}


@pytest.mark.parametrize("behave", SLOW.values(), ids=SLOW)
def test_whole_answer_comes_within_the_time_out(
    gateway: MakeGateway, behave: Behaviour
) -> None:
    with hostile_server(behave) as url:
        connected = gateway(api_url=url, timeout_seconds=0.3)
        began = time.monotonic()
        with pytest.raises(RequestTimedOut, match=r"within 0\.3 seconds: lower"):
            connected.server_now()
        assert time.monotonic() - began < 0.3 + client.GRACE_SECONDS + 1


def zeros() -> Iterator[bytes]:
    """Packed, and without end: a stream of gzip holds any number of them."""
    return itertools.repeat(gzip.compress(bytes(16 << 20), compresslevel=1))


def in_layers() -> Iterator[bytes]:
    """Packed twice: each kilobyte unfolds to a gigabyte."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    for piece in zeros():
        yield packer.compress(piece)


@pytest.mark.parametrize(
    ("encoding", "pieces"),
    [(b"gzip", zeros), (b"gzip, gzip", in_layers)],
    ids=["once", "twice"],
)
def test_bomb_is_not_unpacked(
    gateway: MakeGateway, encoding: bytes, pieces: Callable[[], Iterator[bytes]]
) -> None:
    head = OK + b"Content-Encoding: " + encoding + b"\r\n\r\n"
    most_kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (
        hostile_server(pours(head, pieces())) as url,
        pytest.raises(ConfigurationError, match="larger than 128 MiB when unpacked"),
    ):
        gateway(api_url=url).server_now()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most_kilobytes
    assert grown < 300 * 1024


NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("asked_for", "least", "most"),
    [
        ("40", 40, 40),
        ("864000", 300, 300),
        ("9" * 400, 300, 300),
        (http_date(NOW + timedelta(seconds=40)), 40, 40),
        (http_date(NOW + timedelta(days=10)), 300, 300),
        (http_date(NOW - timedelta(days=10)), 0, 2),
        ("-5", 0, 2),
        ("\xb2", 0, 2),
        ("soon", 0, 2),
        ("Mon, 99 Foo 99999 25:61:61 GMT", 0, 2),
        ("", 0, 2),
    ],
)
def test_pause_that_intacct_asks_for_has_an_end(
    gateway: MakeGateway, pauses: list[float], asked_for: str, least: int, most: int
) -> None:
    head = (
        "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n"
        f"Date: {http_date(NOW)}\r\nRetry-After: {asked_for}\r\n\r\n"
    )
    with (
        hostile_server(sends(head.encode("latin-1"))) as url,
        pytest.raises(TransientError, match="HTTP 503"),
    ):
        gateway(api_url=url, retry=RetryPolicy(max_retries=1)).server_now()
    (pause,) = pauses
    assert least <= pause <= most


def assert_fails_fast(connected: XmlGateway, pauses: list[float]) -> None:
    began = time.monotonic()
    with pytest.raises(HostUnreachable, match="Could not reach"):
        connected.server_now()
    assert time.monotonic() - began + sum(pauses) < 15


@pytest.mark.parametrize(
    "url",
    [closed_port(), "https://no-such-host.invalid/x", "http://[::1]:9/x"],
    ids=["closed-port", "unknown-host", "closed-ipv6-port"],
)
def test_host_that_never_answered_is_given_up_soon(
    gateway: MakeGateway, pauses: list[float], url: str
) -> None:
    assert_fails_fast(gateway(api_url=url), pauses)
    assert len(pauses) == 2


def test_host_that_swallows_connections_is_given_up_soon(
    gateway: MakeGateway, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FIRST_CONNECT_TIMEOUT_SECONDS", 0.3)
    with full_server() as url:
        assert_fails_fast(gateway(api_url=url), pauses)


def test_discovery_of_a_host_that_never_answered_ends_soon(
    sandbox: Sandbox, pauses: list[float]
) -> None:
    with pytest.raises(HostUnreachable):
        TapSageIntacct(config={**sandbox.config(), "api_url": closed_port()})
    assert sum(pauses) < 15


def test_host_that_has_answered_is_waited_for(
    sandbox: Sandbox, gateway: MakeGateway, pauses: list[float]
) -> None:
    connected = gateway()
    connected.server_now()
    sandbox.stop()
    with pytest.raises(TransientError, match="Could not reach") as caught:
        connected.user_format()
    assert not isinstance(caught.value, HostUnreachable)
    assert len(pauses) == 8


def test_busy_server_is_waited_for_at_the_first_call(
    sandbox: Sandbox, pauses: list[float]
) -> None:
    sandbox.faults.add(Fault(FaultKind.HTTP_503, times=5))
    assert len(TapSageIntacct(config=sandbox.config()).catalog_dict["streams"]) == 22
    assert len(pauses) == 5


PASSING = {
    "empty": Reply(200, XML_TYPE, b"<response/>"),
    "failure-without-words": Reply(
        200,
        XML_TYPE,
        b"<response><control><status>failure</status></control></response>",
    ),
    "unknown-number": ControlRefusal(ErrorEntry("XX99", "Internal error 17.")),
    "no-number": ControlRefusal(ErrorEntry("", "Internal error 17.")),
}


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("function", ["getAPISession", "query"])
def test_refusal_of_a_whole_request_that_nobody_knows_may_pass(
    sandbox: Sandbox,
    gateway: MakeGateway,
    pauses: list[float],
    answer: Reply | ControlRefusal,
    function: str,
) -> None:
    sandbox.faults.add(
        Fault(FaultKind.TO_ORDER, answer=answer, function=function, times=3)
    )
    assert vendors(gateway()) == expected(sandbox)
    assert len(pauses) == 3


def test_refusal_without_words_shows_its_status(
    sandbox: Sandbox, gateway: MakeGateway, pauses: list[float]
) -> None:
    refusal = Reply(403, XML_TYPE, b"<response/>")
    sandbox.faults.add(Fault(FaultKind.TO_ORDER, answer=refusal, times=None))
    with pytest.raises(RequestRefused, match=r"without saying why \(HTTP 403\)"):
        gateway().server_now()
    assert pauses == []


PAGES = {
    "html": "<!DOCTYPE html><html><title>Log in</title></html>",
    "html4": '\n<!doctype HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">\n<html></html>',
    "xhtml": '<?xml version="1.0"?>\n<!DOCTYPE html>\n<html xmlns="x"></html>',
    "bare": "\ufeff  <HTML lang=en><body>Log in</body></HTML>",
    "comment": "<!-- proxy 7 -->\n<!-- x --><html></html>",
}


@pytest.mark.parametrize("content_type", [HTML_TYPE, XML_TYPE, "text/plain"])
@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_web_page_is_called_so_at_once(
    gateway: MakeGateway, pauses: list[float], page: str, content_type: str
) -> None:
    body = page.encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with (
        hostile_server(sends(head.encode(), body)) as url,
        pytest.raises(ConfigurationError, match=r"127\.0\.0\.1 .*a web page") as caught,
    ):
        gateway(api_url=url).server_now()
    assert "api_url" in str(caught.value)
    assert "proxies" in str(caught.value)
    assert pauses == []


@pytest.mark.parametrize("response_format", ["xml", "json"])
def test_web_page_amid_documents_may_pass(
    sandbox: Sandbox, gateway: MakeGateway, pauses: list[float], response_format: str
) -> None:
    page = Reply(200, HTML_TYPE, PAGES["html"].encode())
    connected = gateway(config={"response_format": response_format})
    connected.user_format()
    sandbox.faults.add(
        Fault(FaultKind.TO_ORDER, answer=page, function="query", times=2)
    )
    assert vendors(connected, page_size=10) == expected(sandbox)
    assert len(pauses) == 2


def test_session_that_ends_again_and_again_is_renewed_as_long_as_rows_come(
    sandbox: Sandbox, gateway: MakeGateway
) -> None:
    most_calls = frozenset(number for number in range(500) if number % 3)
    sandbox.faults.add(
        Fault(FaultKind.SESSION_EXPIRED, most_calls, function="query", times=None)
    )
    connected = gateway()
    # Asked beside a query, it would shift the numbers of the calls at random.
    connected.user_format()
    assert vendors(connected, page_size=2) == expected(sandbox)
    assert sandbox.faults.struck[FaultKind.SESSION_EXPIRED] > 10


@pytest.mark.parametrize("times", [2, 3, 5])
def test_several_ends_of_a_session_in_a_row_end_no_run(
    sandbox: Sandbox, gateway: MakeGateway, times: int
) -> None:
    fault = Fault(FaultKind.SESSION_EXPIRED, function="query", times=times)
    sandbox.faults.add(fault)
    assert vendors(gateway()) == expected(sandbox)


def test_session_that_is_never_any_good_ends_the_run(
    sandbox: Sandbox, gateway: MakeGateway
) -> None:
    connected = gateway()
    connected.user_format()
    sandbox.faults.add(Fault(FaultKind.SESSION_EXPIRED, function="query", times=None))
    with pytest.raises(SessionExpired):
        vendors(connected)
    assert asked(sandbox, "getAPISession") <= 7


def test_page_asked_ahead_may_outlive_two_sessions(
    sandbox: Sandbox, calls: MakeCalls
) -> None:
    connected = calls()
    connected.server_now()
    sandbox.end_sessions()
    asked_ahead = connected.ask_for_rows(vendor_page(), 2000)
    connected.ask(functions.lookup("VENDOR"), lambda data: data).result()
    fault = Fault(FaultKind.SESSION_EXPIRED, function="query", times=2)
    sandbox.faults.add(fault)
    rows = asked_ahead.result().rows
    assert [row["RECORDNO"] for row in rows] == expected(sandbox)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\xff\r\n\r\n",
        b"HTTP/9.9 x\r\n\r\n",
        OK + b"Content-Length: x\r\n\r\n",
        OK + b"Content-Length: 9\r\n\r\nx",
        OK + b"Content-Encoding: gzip\r\n\r\nx",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_bytes_that_make_no_sense_are_one_of_our_errors(
    gateway: MakeGateway, answer: bytes
) -> None:
    with hostile_server(sends(answer)) as url, pytest.raises(TransientError):
        gateway(api_url=url, retry=RetryPolicy(max_retries=0)).server_now()
