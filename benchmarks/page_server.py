"""Stands for Intacct where only the reader shall be measured: pages cost next to nothing.

    python -m benchmarks.page_server [--pool ROWS]

Serves GLENTRY with record numbers 1 to N. Understands what the tap and the plain tap
send (getAPISession, readUserFormatting, and query by key or offset, as XML or JSON) and
refuses all else, so that nothing is measured by mistake. Prints its address, then tells
what it heard at GET /heard; PUT /answers sets how many rows there are, and the latency.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lxml import etree

from benchmarks.rows import FIELDS, OBJECT, RECORD_NUMBER, RowPool, make_pool

PATH = "/ia/xml/xmlgw.phtml"
PAGE = 2000
DEFAULT_POOL = 20 * PAGE
XML, JSON = 'text/xml; encoding="UTF-8"', "application/json"

_RESPONSE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<response><control><status>success</status>'
    "<senderid>sender</senderid><controlid>{ids.request}</controlid><uniqueid>false</uniqueid>"
    "<dtdversion>3.0</dtdversion></control><operation><authentication>"
    "<status>success</status><userid>user</userid><companyid>company</companyid>"
    "<locationid></locationid><sessiontimestamp>{now}</sessiontimestamp>"
    "<sessiontimeout>{end}</sessiontimeout></authentication><result><status>success"
    "</status><function>{function}</function><controlid>{ids.function}</controlid>{data}"
    "</result></operation></response>\n"
)
_ROWS_MARK = "<!rows>"
_FORMATTING = (
    '<data listtype="userformatting" count="1"><userformatting><locale>en_US</locale>'
    "<dateformat>/mdY</dateformat><gmtoffset>+00:00</gmtoffset><clock>24</clock>"
    "</userformatting></data>"
)
_SESSION = (
    '<data listtype="api" count="1"><api><sessionid>bench</sessionid>'
    "<endpoint>{url}</endpoint></api></data>"
)


class NotUnderstood(ValueError):
    """A request that nobody told this server of."""


@dataclass(frozen=True)
class ControlIds:
    """What an answer repeats of its request."""

    request: str
    function: str

    @classmethod
    def of(cls, request: etree._Element) -> ControlIds:
        """Of a request with one function."""
        function = request.find("operation/content/function")
        return cls(
            request.findtext("control/controlid", ""),
            "" if function is None else str(function.get("controlid")),
        )


@dataclass(frozen=True)
class Asked:
    """One `query`: record numbers from first to last, after so many, at most so many."""

    first: int
    last: int
    offset: int
    size: int
    fields: tuple[str, ...]
    is_json: bool

    @property
    def numbers(self) -> range:
        """Of the rows of the page."""
        start = self.first + self.offset
        return range(start, min(self.last, start + self.size - 1) + 1)

    @property
    def total(self) -> int:
        """Rows that match, on whatever page."""
        return max(self.last - self.first + 1, 0)

    @property
    def remaining(self) -> int:
        """Rows after the page."""
        return max(self.total - self.offset - len(self.numbers), 0)


@dataclass
class Heard:
    """What was asked since the answers were last set.

    Attributes:
        first: by the monotonic clock, which all processes of a machine share.
        most_at_once: the largest number of requests in flight.
    """

    calls: Counter[str] = field(default_factory=Counter)
    first: float | None = None
    most_at_once: int = 0
    refused: list[str] = field(default_factory=list)


def asked(query: etree._Element, rows: int) -> Asked:
    """Read a `query` element.

    Raises:
        NotUnderstood: another object, field, operator, order or option.
    """
    fields = tuple(_text(field) for field in query.iterfind("select/field"))
    orders = [_text(name) for name in query.iterfind("orderby/order/field")]
    if _text(query.find("object")) != OBJECT or orders not in ([], [RECORD_NUMBER]):
        raise NotUnderstood("Only GLENTRY by RECORDNO is served.")
    if query.find("orderby/order/descending") is not None:
        raise NotUnderstood("Rows are served in ascending order only.")
    is_plain = len(fields) == len(query.findall("select/*"))
    if not is_plain or set(fields) not in ({RECORD_NUMBER}, set(FIELDS)):
        raise NotUnderstood(f"Other fields than RECORDNO or all: {fields}.")
    first, last = _span(query.find("filter"), rows)
    return Asked(
        first,
        last,
        offset=int(query.findtext("offset") or 0),
        size=int(query.findtext("pagesize") or 100),
        fields=fields,
        is_json=query.findtext("options/returnformat") == "json",
    )


def _span(conditions: etree._Element | None, rows: int) -> tuple[int, int]:
    """The record numbers for which all of the conditions hold."""
    first, last = 1, rows
    if conditions is None:
        return first, last
    for condition in conditions:
        low, high = (
            _span(condition, rows)
            if condition.tag == "and"
            else _bounds(condition, rows)
        )
        first, last = max(first, low), min(last, high)
    return first, last


def _bounds(condition: etree._Element, rows: int) -> tuple[int, int]:
    values = [int(_text(value)) for value in condition.iterfind("value")]
    if _text(condition.find("field")) != RECORD_NUMBER or not values:
        raise NotUnderstood(f"Another condition: {etree.tostring(condition)!r}.")
    bounds = {
        "greaterthan": (values[0] + 1, rows),
        "greaterthanorequalto": (values[0], rows),
        "lessthan": (1, values[0] - 1),
        "lessthanorequalto": (1, values[0]),
        "equalto": (values[0], values[0]),
        "between": (values[0], values[-1]),
    }
    if condition.tag not in bounds:
        raise NotUnderstood(f"Another operator: {condition.tag}.")
    return bounds[condition.tag]


def _text(element: etree._Element | None) -> str:
    return "" if element is None else element.text or ""


class PageServer(ThreadingHTTPServer):
    """Serves a pool of rows; a thread per connection."""

    daemon_threads = True

    def __init__(self, pool: RowPool, port: int = 0) -> None:
        """Bind to the loopback interface; port 0 takes a free one."""
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}{PATH}"
        self.rows = 0
        self.latency_seconds = 0.0
        self.heard = Heard()
        self._pool = pool
        self._lock = threading.Lock()
        self._at_once = 0

    def set_answers(self, *, rows: int, latency_seconds: float) -> None:
        """How many rows there are from now on, and how long each call takes."""
        self.rows, self.latency_seconds = rows, latency_seconds
        self.heard = Heard()

    def answer(self, document: bytes) -> tuple[str, bytes]:
        """The content type and the body, after the latency."""
        with self._lock:
            self.heard.first = self.heard.first or time.monotonic()
            self._at_once += 1
            self.heard.most_at_once = max(self.heard.most_at_once, self._at_once)
        try:
            time.sleep(self.latency_seconds)
            return self._answer(etree.fromstring(document))
        except (NotUnderstood, etree.XMLSyntaxError) as error:
            self.heard.refused.append(str(error))
            raise
        finally:
            with self._lock:
                self._at_once -= 1

    def _answer(self, request: etree._Element) -> tuple[str, bytes]:
        ids = ControlIds.of(request)
        called = request.find("operation/content/function/*")
        name = "nothing" if called is None else str(called.tag)
        with self._lock:
            self.heard.calls[name] += 1
        if called is None or name not in {
            "getAPISession",
            "readUserFormatting",
            "query",
        }:
            raise NotUnderstood(f"Another function: {name}.")
        if name == "query":
            return self._page(asked(called, self.rows), ids)
        data = _SESSION if name == "getAPISession" else _FORMATTING
        return XML, _document(name, data.format(url=self.url), ids)

    def _page(self, page: Asked, ids: ControlIds) -> tuple[str, bytes]:
        is_whole = len(page.fields) > 1
        if page.is_json:
            rows = self._pool.json_rows(page.numbers) if is_whole else _json_keys(page)
            return JSON, rows
        data = (
            f'<data listtype="{OBJECT}" totalcount="{page.total}" '
            f'offset="{page.offset}" count="{len(page.numbers)}" '
            f'numremaining="{page.remaining}">{_ROWS_MARK}</data>'
        )
        head, _, tail = _document("query", data, ids).partition(_ROWS_MARK.encode())
        rows = self._pool.xml_rows(page.numbers) if is_whole else _xml_keys(page)
        return XML, b"".join((head, rows, tail))


def _xml_keys(page: Asked) -> bytes:
    return b"".join(
        b"<GLENTRY><RECORDNO>%d</RECORDNO></GLENTRY>" % number
        for number in page.numbers
    )


def _json_keys(page: Asked) -> bytes:
    return b"[%b]" % b",".join(b'{"RECORDNO":"%d"}' % n for n in page.numbers)


def _document(function: str, data: str, ids: ControlIds) -> bytes:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    end = now + timedelta(hours=6)
    return _RESPONSE.format(
        now=now.isoformat(),
        end=end.isoformat(),
        function=function,
        data=data,
        ids=ids,
    ).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Headers and a small body leave in one packet.
    wbufsize = 1 << 16
    server: PageServer

    def do_POST(self) -> None:
        """One request document."""
        try:
            content_type, body = self.server.answer(self._body())
        except (NotUnderstood, etree.XMLSyntaxError) as error:
            self._send("text/plain", str(error).encode(), HTTPStatus.BAD_REQUEST)
            return
        self._send(content_type, body)

    def do_GET(self) -> None:
        """What was heard."""
        self._send(JSON, json.dumps(vars(self.server.heard)).encode())

    def do_PUT(self) -> None:
        """Set the answers."""
        self.server.set_answers(**json.loads(self._body()))
        self._send(JSON, b"{}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _send(
        self, content_type: str, body: bytes, status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=int, default=DEFAULT_POOL)
    server = PageServer(make_pool(parser.parse_args().pool))
    print(server.url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
