"""Calls of functions: signs in, posts, repeats, renews the session.

One `FunctionCalls` serves a whole run, in all of its threads. It signs in at its first
call, once, and again only when the session ends.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import TypeVar

from lxml import etree

from tap_sage_intacct.intacct.errors import (
    IntacctError,
    InvalidResponse,
    Level,
    SessionExpired,
    TransientError,
    classify,
)
from tap_sage_intacct.intacct.gateway import GatewaySettings
from tap_sage_intacct.intacct.http.call_counts import CallCounts
from tap_sage_intacct.intacct.http.client import HttpAnswer, HttpClient
from tap_sage_intacct.intacct.http.clock import ServerClock
from tap_sage_intacct.intacct.http.endpoint import trusted_endpoint
from tap_sage_intacct.intacct.http.retrying import patiently
from tap_sage_intacct.intacct.pending import Pending, ask_ahead
from tap_sage_intacct.intacct.rows.row import RowSet
from tap_sage_intacct.intacct.secrets.credentials import Secret
from tap_sage_intacct.intacct.secrets.masking import Mask
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.envelope import (
    Authentication,
    Function,
    Response,
    Result,
    is_json,
    json_response,
    parse_errors,
    parse_response,
    parse_rows_response,
    read_rows,
    request_document,
)
from tap_sage_intacct.intacct.xml.json_rows import read_json_rows
from tap_sage_intacct.intacct.xml.session import CurrentSession, OpenSession

T = TypeVar("T")

_Parse = Callable[[bytes, Sequence[Function], str], Response]

MAX_FUNCTIONS = 50
"""Functions of one request; how many Intacct takes is unknown [?]."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer, and the control id of the request it came to."""

    control_id: str
    http: HttpAnswer


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request in a session, and what waits for its answer."""

    session: OpenSession
    answer: Callable[[], _Answer]

    @property
    def session_id(self) -> Secret:
        """Of the session."""
        return self.session.session_id


class FunctionCalls:
    """Calls functions of the Intacct XML API; see `Gateway` for what is raised."""

    def __init__(self, settings: GatewaySettings, now: Callable[[], datetime]) -> None:
        """Prepare to call.

        Args:
            settings: where to call, as whom, and how hard.
            now: this machine's clock, aware.
        """
        self._settings = settings
        self._mask = Mask(settings.sender.password, settings.login.password)
        self._clock = ServerClock(now)
        self._session = CurrentSession(self._sign_in, self._clock)
        self._http = HttpClient(
            timeout_seconds=settings.timeout_seconds,
            max_connections=settings.max_connections,
            contact=settings.contact,
        )
        self._connections = threading.BoundedSemaphore(settings.max_connections)
        # Tells our calls apart in Intacct's logs; functions are not checked against
        # it, since the document says `uniqueid` false.
        self._run_id = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self.counts = CallCounts()

    def ask(
        self, function: Function, read: Callable[[etree._Element], T]
    ) -> Pending[T]:
        """Have a call on its way.

        Only its answer is fetched ahead. It is read in the thread that awaits it:
        rows that are made on one processor and used on another cost more. There too it
        is repeated if it failed.

        Args:
            function: the call.
            read: turns the `<data>` element into what is wanted. It runs inside the
                retry: a document that it finds broken (`InvalidResponse`) is asked for
                again.

        Raises:
            IntacctError: no session could be had. What is wrong with the call itself
                is raised where it is awaited.
        """
        return self._ask(function, lambda found: read(_data(function, found)))

    def ask_for_rows(self, function: Function, page_size: int) -> Pending[RowSet]:
        """As `ask`, of a function that gives rows, as XML or, if it asks for it, as JSON."""

        def read(found: Result) -> RowSet:
            rows = (
                read_rows(_data(function, found), found.rows)
                if found.json is None
                else read_json_rows(found.json)
            )
            return replace(rows, page_size=page_size)

        return self._ask(function, read, parse_rows_response)

    def call_each(
        self, calls: Sequence[Function]
    ) -> list[etree._Element | IntacctError]:
        """Call several functions, many in one request; each fails on its own.

        Transient errors are retried for the whole request, which reads only.
        """
        return [
            answer
            for start in range(0, len(calls), MAX_FUNCTIONS)
            for answer in self._call_together(calls[start : start + MAX_FUNCTIONS])
        ]

    def server_now(self) -> datetime:
        """See `Gateway.server_now`."""
        self._patiently(self._session.get)
        return self._clock.now().replace(microsecond=0)

    def close(self) -> None:
        """Close the connections. The session is left to time out: Intacct has no sign-out."""
        self._http.close()

    def _ask(
        self,
        function: Function,
        read: Callable[[Result], T],
        parse: _Parse = parse_response,
    ) -> Pending[T]:
        session = self._patiently(self._session.get)
        posting = self._posting([function], session)
        first = [_Sent(session, ask_ahead(posting))]

        def once() -> T:
            sent = first.pop() if first else None
            (result,) = self._execute([function], parse, sent)
            return read(result)

        return Pending(partial(patiently, self._settings.retry, once))

    def _call_together(
        self, calls: Sequence[Function]
    ) -> list[etree._Element | IntacctError]:
        def once() -> list[etree._Element | IntacctError]:
            results = self._execute(calls)
            return [_outcome(*pair) for pair in zip(calls, results, strict=True)]

        return self._patiently(once)

    def _patiently(self, once: Callable[[], T]) -> T:
        return patiently(self._settings.retry, once)

    def _execute(
        self,
        calls: Sequence[Function],
        parse: _Parse = parse_response,
        sent: _Sent | None = None,
    ) -> tuple[Result, ...]:
        """Call in the current session, or go on with what was sent.

        In a new session if that one has expired.
        """
        sent = sent or self._sent(calls)
        try:
            return self._response(sent.answer(), calls, sent.session_id, parse).results
        except SessionExpired:
            self._session.forget(sent.session)
        sent = self._sent(calls)
        return self._response(sent.answer(), calls, sent.session_id, parse).results

    def _sent(self, calls: Sequence[Function]) -> _Sent:
        session = self._session.get()
        return _Sent(session, self._posting(calls, session))

    def _posting(
        self, calls: Sequence[Function], session: OpenSession
    ) -> Callable[[], _Answer]:
        return partial(self._post, calls, session.session_id, session.endpoint)

    def _sign_in(self) -> OpenSession:
        function = functions.get_api_session()
        url = self._settings.api_url
        login = self._settings.login
        answer = self._post([function], login, url)
        response = self._response(answer, [function], login)
        data = _data(function, response.results[0])
        session_id = Secret(data.findtext(".//sessionid") or "")
        if not session_id:
            raise InvalidResponse("The answer to the sign-in holds no session id.")
        self._mask.add(session_id)
        endpoint = trusted_endpoint(data.findtext(".//endpoint"), url)
        logger.info("Signed in to company %s.", self._settings.login.company_id)
        return OpenSession(session_id, endpoint)

    def _post(
        self, calls: Sequence[Function], authentication: Authentication, url: str
    ) -> _Answer:
        control_id = f"{self._run_id}-{next(self._numbers)}"
        document = request_document(
            self._settings.sender, authentication, calls, control_id=control_id
        )
        with self._connection(calls, control_id):
            answer = self._http.post(url, document)
        # Now: it may be read much later.
        self._clock.note(answer.date)
        return _Answer(control_id, answer)

    def _response(
        self,
        answered: _Answer,
        calls: Sequence[Function],
        authentication: Authentication,
        parse: _Parse = parse_response,
    ) -> Response:
        answer = answered.http
        if answer.status != HTTPStatus.OK:
            raise classify(
                Level.CONTROL,
                parse_errors(answer.body),
                http_status=answer.status,
                retry_after_seconds=answer.retry_after_seconds,
            )
        if is_json(answer.body, calls, is_xml=answer.is_xml):
            # The session's end stays where the last envelope put it: too early if this
            # call moved it, which costs a sign-in once in the session's life.
            return json_response(answer.body)
        response = parse(answer.body, calls, answered.control_id)
        self._session.note(response.session, authentication)
        self._clock.compare(answer.date, response.session.timestamp)
        return response

    @contextmanager
    def _connection(self, calls: Sequence[Function], control_id: str) -> Iterator[None]:
        """One of the allowed connections, its calls counted and logged."""
        with self._connections:
            self.counts.count(len(calls))
            started = monotonic()
            try:
                yield
            finally:
                logger.debug(
                    "call %s: %s, %d ms",
                    control_id,
                    ", ".join(str(function.call) for function in calls),
                    (monotonic() - started) * 1000,
                )


def _data(function: Function, result: Result) -> etree._Element:
    outcome = _outcome(function, result)
    if isinstance(outcome, IntacctError):
        raise outcome
    return outcome


def _outcome(function: Function, result: Result) -> etree._Element | IntacctError:
    """A result's data, or its error; raises what the whole request must retry."""
    if not result.succeeded:
        error = classify(Level.RESULT, result.errors, call=function.call)
        if isinstance(error, TransientError | SessionExpired):
            raise error
        return error
    if result.data is None:
        raise InvalidResponse(f"The answer to {function.call} holds no data.")
    return result.data
