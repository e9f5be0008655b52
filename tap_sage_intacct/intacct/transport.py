"""HTTP to Intacct: one pool of connections, time-outs, gzip.

Knows nothing of XML. What `requests` raises becomes one of ours here, once; the
messages hold neither the request nor the response.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from tap_sage_intacct.intacct.errors import (
    ConfigurationError,
    InvalidResponse,
    RequestTimedOut,
    SessionExpired,
    TransientError,
)

# A name look-up and a handshake; what Intacct needs to answer is `timeout_seconds`.
CONNECT_TIMEOUT_SECONDS = 30

# Not in the standard library: Cloudflare's "a timeout occurred", and the status that
# some clients map to an expired token [C].
STATUS_CDN_TIMED_OUT = 524
STATUS_TOKEN_EXPIRED = 498

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
        retry_after_seconds: from `Retry-After`, where it is a number.
    """

    status: int
    body: bytes
    is_xml: bool
    date: datetime | None
    retry_after_seconds: float | None


class Transport:
    """Posts documents; safe to share between threads."""

    def __init__(self, *, timeout_seconds: float, max_connections: int) -> None:
        self._timeout = (CONNECT_TIMEOUT_SECONDS, timeout_seconds)
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
            RequestTimedOut: no answer within the time-out, ours or the CDN's.
            TransientError: could not connect, cut off, throttled, 5xx, Cloudflare.
            SessionExpired: HTTP 498.
            ConfigurationError: another refusal that is no document, or a redirect.
        """
        host = urlsplit(url).hostname
        try:
            response = self._session.post(
                url,
                data=document,
                timeout=self._timeout,
                # A redirect would hand the credentials to whoever it names.
                allow_redirects=False,
                stream=True,
            )
            # As it comes: `requests` would copy it in steps of 10 kB.
            body = b"".join(response.iter_content(chunk_size=None))
        except requests.exceptions.ReadTimeout:
            raise RequestTimedOut(
                f"{host} did not answer within {self._timeout[1]:g} seconds: lower "
                "page_size, or raise request_timeout_seconds."
            ) from None
        except requests.exceptions.SSLError as error:
            raise ConfigurationError(
                f"The certificate of {host} could not be verified: {_reason(error)}."
            ) from None
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
        ) as error:
            raise TransientError(
                f"Could not reach {host}: check api_url and the network "
                f"({_reason(error)})."
            ) from None
        except (
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ):
            raise InvalidResponse(f"The answer of {host} was cut off.") from None
        except requests.exceptions.RequestException as error:
            raise ConfigurationError(
                f"Could not call {host}: check api_url and HTTPS_PROXY ({_reason(error)})."
            ) from None
        return _answer(response, body)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _answer(response: requests.Response, body: bytes) -> HttpAnswer:
    status = response.status_code
    content_type = response.headers.get("Content-Type", "").lower()
    retry_after = _seconds(response.headers.get("Retry-After"))
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
            f"{urlsplit(response.url).hostname} answered HTTP {status} and no document: "
            "check api_url."
        )
    return HttpAnswer(
        status=status,
        body=body,
        is_xml=is_xml,
        date=_date(response.headers.get("Date")),
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


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(timezone.utc) if text else None
    except (TypeError, ValueError):
        return None
