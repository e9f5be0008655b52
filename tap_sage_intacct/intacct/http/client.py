"""HTTP to Intacct: one pool of connections, time-outs, gzip.

What `requests` raises becomes one of our errors here, once; the messages hold neither
the request nor the response.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from time import monotonic

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from tap_sage_intacct.intacct.errors import (
    ConfigurationError,
    HostUnreachable,
    InvalidResponse,
    RequestTimedOut,
    SessionExpired,
    TransientError,
)
from tap_sage_intacct.intacct.http.endpoint import address_of
from tap_sage_intacct.intacct.pending import within

# A name look-up and a handshake; what Intacct needs to answer is `timeout_seconds`.
CONNECT_TIMEOUT_SECONDS = 30
# As long as nobody has answered there: each of its addresses may take so long.
FIRST_CONNECT_TIMEOUT_SECONDS = 4

# The thread that reads an answer shall tell itself that the time is over, if it can.
GRACE_SECONDS = 1.0

PIECE_BYTES = 256 * 1024
MAX_ANSWER_BYTES = 128 * 1024 * 1024
"""64 kB for each of 2,000 rows."""

# Not in the standard library: Cloudflare's "a timeout occurred", and the status that
# some clients map to an expired token [C].
STATUS_CDN_TIMED_OUT = 524
STATUS_TOKEN_EXPIRED = 498

_WEB_PAGE = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    rb"<(?:!doctype\s+html|html)\b",
    re.IGNORECASE | re.DOTALL,
)

# One client waits this long after Cloudflare's error page [C: hotglue].
CLOUDFLARE_PAUSE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer that holds a document.

    Attributes:
        status: 200, or a 4xx whose body tells the error.
        body: decompressed, whole.
        is_xml: false for the bare JSON and CSV of `returnformat`, and for HTML.
        date: the server's clock, aware; None where the header is missing.
        retry_after_seconds: from `Retry-After`; None where it is missing.
    """

    status: int
    body: bytes
    is_xml: bool
    date: datetime | None
    retry_after_seconds: float | None


class Contact:
    """The hosts that have answered; shared between threads, and between transports.

    One that has answered may be away for a while, and is waited for. One that has not
    may be misspelt, and then nobody should have to wait.
    """

    def __init__(self) -> None:
        self._hosts: set[str] = set()

    def note(self, host: str) -> None:
        """It has answered."""
        self._hosts.add(host)

    def knows(self, host: str) -> bool:
        """Whether it has answered before."""
        return host in self._hosts


class HttpClient:
    """Posts documents; safe to share between threads."""

    def __init__(
        self, *, timeout_seconds: float, max_connections: int, contact: Contact
    ) -> None:
        self._timeout = timeout_seconds
        self._contact = contact
        self._session = requests.Session()
        # Proxies come from the environment, but no credentials from a .netrc file:
        # ours stand in the document.
        self._session.auth = _no_credentials
        self._session.headers.update(
            {
                "Content-Type": "application/xml",
                "Accept-Encoding": "gzip, deflate",
                "User-Agent": f"tap-sage-intacct/{version('tap-sage-intacct')}",
            }
        )
        adapter = HTTPAdapter(pool_maxsize=max_connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def post(self, url: str, document: bytes) -> HttpAnswer:
        """Post a document and take the whole answer.

        Raises:
            RequestTimedOut: no whole answer within the time-out, ours or the CDN's.
            HostUnreachable: could not connect to a host that has never answered.
            TransientError: could not connect, cut off, throttled, 5xx, Cloudflare.
            SessionExpired: HTTP 498.
            ConfigurationError: another refusal that is no document, a redirect, a web
                page, or an answer without end.
        """
        host = _host(url)
        deadline = monotonic() + self._timeout
        # In a thread that is left alone if need be: what is read of a socket has no end
        # as long as a byte comes now and then, and a name look-up has no time-out.
        fetch = partial(self._fetch, host, url, document, deadline)
        try:
            response, body = within(self._timeout + GRACE_SECONDS, fetch)
        except TimeoutError:
            raise self._timed_out(host) from None
        if response.status_code != HTTPStatus.OK or not _WEB_PAGE.match(body):
            self._contact.note(host)
        return _answer(response, body, is_known=self._contact.knows(host))

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _fetch(
        self, host: str, url: str, document: bytes, deadline: float
    ) -> tuple[requests.Response, bytes]:
        is_known = self._contact.knows(host)
        connect = CONNECT_TIMEOUT_SECONDS if is_known else FIRST_CONNECT_TIMEOUT_SECONDS
        try:
            response = self._session.post(
                url,
                data=document,
                timeout=(connect, self._timeout),
                # A redirect would hand the credentials to the host that it names.
                allow_redirects=False,
                stream=True,
            )
            with response:
                return response, self._body(response, host, deadline)
        except (requests.exceptions.ReadTimeout, ReadTimeoutError):
            raise self._timed_out(host) from None
        except requests.exceptions.SSLError as error:
            raise ConfigurationError(
                f"The certificate of {host} could not be verified: {_reason(error)}."
            ) from None
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
        ) as error:
            is_new = not is_known and _is_unconnected(error)
            raise (HostUnreachable if is_new else TransientError)(
                f"Could not reach {host}: check api_url and the network "
                f"({_reason(error)})."
            ) from None
        except requests.exceptions.RequestException as error:
            raise ConfigurationError(
                f"Could not call {host}: check api_url and HTTPS_PROXY "
                f"({_reason(error)})."
            ) from None
        except HTTPError:
            raise InvalidResponse(f"The answer of {host} was cut off.") from None

    def _body(self, response: requests.Response, host: str, deadline: float) -> bytes:
        """The whole body, unpacked piece by piece, so that no packing can hide its size."""
        pieces: list[bytes] = []
        size = 0
        while piece := response.raw.read1(PIECE_BYTES, decode_content=True):
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise ConfigurationError(
                    f"The answer of {host} is larger than {MAX_ANSWER_BYTES >> 20} MiB "
                    "when unpacked: check api_url, or lower page_size."
                )
            if monotonic() > deadline:
                raise self._timed_out(host)
            pieces.append(piece)
        return b"".join(pieces)

    def _timed_out(self, host: str) -> RequestTimedOut:
        return RequestTimedOut(
            f"{host} did not answer within {self._timeout:g} seconds: lower "
            "page_size, or raise request_timeout_seconds."
        )


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _host(url: str) -> str:
    address = address_of(url)
    return address.host if address else "the address"


def _is_unconnected(error: Exception) -> bool:
    """Whether not even a connection was had, to the host or to a proxy."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _answer(response: requests.Response, body: bytes, *, is_known: bool) -> HttpAnswer:
    status = response.status_code
    content_type = response.headers.get("Content-Type", "").lower()
    date = _date(response.headers.get("Date"))
    retry_after = _seconds(response.headers.get("Retry-After"), date)
    is_xml = "xml" in content_type
    # Rows may hold any word, so it has to be a page.
    if not is_xml and body.lstrip()[:1] == b"<" and b"cf-error-details" in body:
        raise _cloudflare(status, retry_after)
    if status == STATUS_CDN_TIMED_OUT:
        raise RequestTimedOut(
            "Intacct's network gave up waiting for the answer (HTTP 524): lower page_size."
        )
    if status == STATUS_TOKEN_EXPIRED:
        raise SessionExpired("The session has expired (HTTP 498).")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise TransientError(
            "Intacct throttles this company's calls (HTTP 429).",
            retry_after_seconds=retry_after,
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise TransientError(
            f"Intacct's servers failed (HTTP {status}).",
            retry_after_seconds=retry_after,
        )
    if status != HTTPStatus.OK and not is_xml:
        raise ConfigurationError(
            f"{_host(response.url)} answered HTTP {status} and no document: "
            "check api_url."
        )
    if status == HTTPStatus.OK and _WEB_PAGE.match(body):
        # Of a host that has given documents it may pass, as maintenance does.
        raise (TransientError if is_known else ConfigurationError)(
            f"{_host(response.url)} answered with a web page and no document: check the "
            "path of api_url, and proxies on the way that want a login."
        )
    return HttpAnswer(
        status=status,
        body=body,
        is_xml=is_xml,
        date=date,
        retry_after_seconds=retry_after,
    )


def _cloudflare(status: int, retry_after_seconds: float | None) -> Exception:
    if status == STATUS_CDN_TIMED_OUT:
        return RequestTimedOut(
            "Intacct's network gave up waiting for the answer (HTTP 524): lower page_size."
        )
    return TransientError(
        f"Intacct's network answers with an error page (Cloudflare, HTTP {status}).",
        retry_after_seconds=retry_after_seconds or CLOUDFLARE_PAUSE_SECONDS,
    )


def _reason(error: Exception) -> str:
    """The innermost cause's class: its text may hold the address with parameters."""
    cause: BaseException = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return type(cause).__name__


def _seconds(text: str | None, date: datetime | None) -> float | None:
    """Seconds to wait, which may be told as an instant (RFC 9110, 10.2.3)."""
    if text and text.isascii() and text.isdecimal():
        return float(text)
    until = _date(text)
    if until is None:
        return None
    return max(0.0, (until - (date or datetime.now(timezone.utc))).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(timezone.utc) if text else None
    except (TypeError, ValueError, OverflowError):
        return None
