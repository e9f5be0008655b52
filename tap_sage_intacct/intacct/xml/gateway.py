"""The gateway: signs in, calls functions, renews the session.

Knows nothing of objects or pages. One `Gateway` serves a whole run and may be shared
between threads; it signs in at its first call, once, and again only when the session
ends.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

from tap_sage_intacct.intacct.errors import (
    ConfigurationError,
    IntacctError,
    InvalidResponse,
    Level,
    PermissionDenied,
    RequestRefused,
    SessionExpired,
    TransientError,
    classify,
)
from tap_sage_intacct.intacct.http.call_counts import CallCounts
from tap_sage_intacct.intacct.http.clock import ServerClock, utc_now
from tap_sage_intacct.intacct.http.credentials import Secret
from tap_sage_intacct.intacct.http.endpoint import trusted_endpoint
from tap_sage_intacct.intacct.http.masking import Mask
from tap_sage_intacct.intacct.http.retrying import RetryPolicy, patiently
from tap_sage_intacct.intacct.http.transport import Contact, Transport
from tap_sage_intacct.intacct.pending import ask_ahead
from tap_sage_intacct.intacct.rows.user_format import UserFormat
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.envelope import (
    Function,
    Response,
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
from tap_sage_intacct.intacct.xml.stamp_evidence import stamp_evidence
from tap_sage_intacct.intacct.xml.user_preferences import unknown_user_format, with_zone

if TYPE_CHECKING:
    from lxml import etree

    from tap_sage_intacct.intacct.http.credentials import Login, Sender
    from tap_sage_intacct.intacct.http.transport import HttpAnswer
    from tap_sage_intacct.intacct.rows.row import RowSet
    from tap_sage_intacct.intacct.xml.envelope import Authentication, Result

T = TypeVar("T")

_Parse = Callable[[bytes, Sequence[Function], str], Response]

DEFAULT_API_URL = "https://api.intacct.com/ia/xml/xmlgw.phtml"

MAX_FUNCTIONS = 50
"""Functions of one request; how many Intacct takes is unknown [?]."""

logger = logging.getLogger(__name__)


class ResponseFormat(Enum):
    """What rows are asked for in, where both are served."""

    AUTO = "auto"
    XML = "xml"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where to call, as whom, and how hard.

    Attributes:
        contact: the hosts that have answered to whoever has these settings, or a copy
            that differs in other parts.
    """

    sender: Sender
    login: Login
    api_url: str = DEFAULT_API_URL
    timeout_seconds: float = 300.0
    max_connections: int = 2
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    response_format: ResponseFormat = ResponseFormat.AUTO
    user_timezone: ZoneInfo | None = None
    """Of the API user; None where it is not known."""
    contact: Contact = field(default_factory=Contact, compare=False, repr=False)


class BegunCall:
    """A call that is under way, for whoever makes the same call later.

    Only its answer is fetched ahead. It is read by who makes the call, in his thread:
    rows that are made on one processor and used on another cost more. There too it is
    repeated if it failed.
    """

    def __init__(
        self, function: Function, session: OpenSession, fetch: Callable[[], _Answer]
    ) -> None:
        self._function = function
        self._session = session
        self._fetched: Callable[[], _Answer] | None = ask_ahead(fetch)

    def take(self, function: Function) -> _Sent | None:
        """Give the answer up, once; none to another call than was begun."""
        fetched, self._fetched = self._fetched, None
        if fetched is None or not self._function.is_same(function):
            return None
        return _Sent(self._session, fetched)


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


class Gateway:
    """Calls functions of the Intacct XML API.

    Raises, from every method that calls: the classes of `errors`, after the retries
    that the settings allow. Credentials and session ids are in none of them.
    """

    def __init__(
        self, settings: GatewaySettings, *, now: Callable[[], datetime] | None = None
    ) -> None:
        self._settings = settings
        self._mask = Mask(settings.sender.password, settings.login.password)
        self._clock = ServerClock(now or utc_now)
        self._session = CurrentSession(self._sign_in, self._clock)
        self._transport = Transport(
            timeout_seconds=settings.timeout_seconds,
            max_connections=settings.max_connections,
            contact=settings.contact,
        )
        self.max_connections = settings.max_connections
        """Calls that may be in flight at once; one more waits."""
        self._connections = threading.BoundedSemaphore(settings.max_connections)
        self._lock = threading.Lock()
        self._user_format_begun: BegunCall | None = None
        self._user_format: UserFormat | None = None
        # Tells our calls apart in Intacct's logs; functions are not checked against
        # it, since the document says `uniqueid` false.
        self._run_id = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self.asks_json = settings.response_format is not ResponseFormat.XML
        """Whether rows may be asked for as JSON; once given up, it stays so."""
        self._counts = CallCounts()

    @property
    def calls(self) -> int:
        """Calls made so far, retries and sign-ins included."""
        return self._counts.total

    def calls_for(self, name: str) -> int:
        """Those of them that were `counted_for` a name."""
        return self._counts.of(name)

    def call(
        self,
        function: Function,
        read: Callable[[etree._Element], T],
        begun: BegunCall | None = None,
    ) -> T:
        """Call one function and read its `<data>` element.

        Args:
            function: the call.
            read: turns the element into what is wanted. It runs inside the retry: a
                document that it finds broken (`InvalidResponse`) is asked for again.
            begun: its answer is used, if it is this call's and was not used before.
        """

        def once() -> T:
            sent = begun.take(function) if begun is not None else None
            (result,) = self._execute([function], sent)
            return read(_data(function, result))

        return self._patiently(once)

    def begin(self, function: Function) -> BegunCall:
        """Have a call on its way while something else is done.

        Raises:
            IntacctError: no session could be had. What is wrong with the call itself
                is told to who makes it.
        """
        session = self._patiently(self._session.get)
        return BegunCall(function, session, self._posting([function], session))

    def call_for_rows(
        self, function: Function, begun: BegunCall | None = None
    ) -> RowSet:
        """Call a function that gives rows, as XML or, if it asks for it, as JSON.

        An answer that is found broken is asked for again.

        Args:
            function: the call.
            begun: its answer is used, if it is this call's and was not used before.
        """

        def once() -> RowSet:
            sent = begun.take(function) if begun is not None else None
            (result,) = self._execute([function], sent, gives_rows=True)
            if result.json is not None:
                return read_json_rows(result.json)
            return read_rows(_data(function, result), result.rows)

        return self._patiently(once)

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

    def _call_together(
        self, calls: Sequence[Function]
    ) -> list[etree._Element | IntacctError]:
        def once() -> list[etree._Element | IntacctError]:
            results = self._execute(calls)
            return [_outcome(*pair) for pair in zip(calls, results, strict=True)]

        return self._patiently(once)

    def give_up_json(self, reason: str, error: IntacctError | None = None) -> None:
        """Ask for XML from now on.

        Args:
            reason: what Intacct does with JSON, for the log.
            error: how it refused; None where it only ignored it.

        Raises:
            ConfigurationError: it refused, and the settings insist.
        """
        if error is not None and self._settings.response_format is ResponseFormat.JSON:
            raise ConfigurationError(
                f"Intacct {reason}: set response_format to auto or xml.",
                details=error.details,
                call=error.call,
            ) from error
        with self._lock:
            was_asking, self.asks_json = self.asks_json, False
        if was_asking:
            logger.info("Intacct %s; asking for XML from now on.", reason)

    def server_now(self) -> datetime:
        """Intacct's clock, aware, whole seconds: ours corrected by its last answer.

        Bounds of incremental reads come from it, so that a wrong clock on this
        machine cannot lose rows. Signs in if no answer has come yet.
        """
        self._patiently(self._session.get)
        return self._clock.now().replace(microsecond=0)

    def begin_user_format(self) -> None:
        """Have the question for the `user_format` on its way, unless it was asked.

        Raises:
            IntacctError: no session could be had.
        """
        with self._lock:
            if self._user_format is None and self._user_format_begun is None:
                self._user_format_begun = self.begin(self._asking_user_format())

    def user_format(self) -> UserFormat:
        """How the API user's preferences write dates and times; asked for once.

        Values and filters are in this format (Sage's page on users [D]; the zone
        [C]). Where the preferences may not be read, Intacct's own defaults are
        assumed, with a warning.
        """
        with self._lock:
            if self._user_format is None:
                self._user_format = self._read_user_format()
            return self._user_format

    def close(self) -> None:
        """Close the connections. The session is left to time out: Intacct has no sign-out."""
        self._transport.close()

    def _read_user_format(self) -> UserFormat:
        asking, begun = self._asking_user_format(), self._user_format_begun
        named_zone = self._settings.user_timezone
        try:
            texts = self.call(asking, _user_formatting, begun)
        except (RequestRefused, PermissionDenied) as error:
            return unknown_user_format(error, self.server_now(), named_zone)
        try:
            found = UserFormat.from_preferences(
                texts["dateformat"], texts["gmtoffset"], texts["clock"]
            )
        except (KeyError, ValueError) as error:
            raise ConfigurationError(
                "The date and time preferences of the API user cannot be read "
                f"({error}): in Sage Intacct set them to MM/DD/YYYY, 24 h and GMT."
            ) from None
        look = partial(stamp_evidence, self)
        return with_zone(found, self.server_now(), named_zone, look)

    def _asking_user_format(self) -> Function:
        return functions.read_user_formatting(self._settings.login.user_id)

    def _patiently(self, once: Callable[[], T]) -> T:
        return patiently(self._settings.retry, once)

    def _execute(
        self,
        calls: Sequence[Function],
        sent: _Sent | None = None,
        *,
        gives_rows: bool = False,
    ) -> tuple[Result, ...]:
        """Call in the current session, or go on with what was sent.

        In a new session if that one has expired.
        """
        parse = _parse_rows if gives_rows else parse_response
        sent = sent or self._sent(calls)
        try:
            return self._read_sent(sent, calls, parse)
        except SessionExpired:
            self._session.forget(sent.session)
        return self._read_sent(self._sent(calls), calls, parse)

    def _sent(self, calls: Sequence[Function]) -> _Sent:
        session = self._session.get()
        return _Sent(session, self._posting(calls, session))

    def _posting(
        self, calls: Sequence[Function], session: OpenSession
    ) -> Callable[[], _Answer]:
        return partial(self._post, calls, session.session_id, session.endpoint)

    def _read_sent(
        self, sent: _Sent, calls: Sequence[Function], parse: _Parse
    ) -> tuple[Result, ...]:
        session_id = sent.session.session_id
        return self._response(sent.answer(), calls, session_id, parse).results

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
            answer = self._transport.post(url, document)
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
            self._counts.count(len(calls))
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


def _parse_rows(body: bytes, calls: Sequence[Function], control_id: str) -> Response:
    (function,) = calls
    return parse_rows_response(body, function, control_id)


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


def _user_formatting(data: etree._Element) -> dict[str, str]:
    formatting = data.find("userformatting")
    if formatting is None:
        raise InvalidResponse("The answer to readUserFormatting holds no formatting.")
    return {child.tag: child.text or "" for child in formatting}
