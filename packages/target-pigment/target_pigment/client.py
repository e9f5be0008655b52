"""Pigment's APIs: push a file, wait for its import, fetch its report; list metadata.

Knows nothing of Singer. One push is one whole import, and 200 means only that it was
accepted [D]. Sources: the published OpenAPI and kb.pigment.com.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import backoff
import requests
import urllib3.exceptions as transport

from target_pigment.csv_file import CsvFile
from target_pigment.errors import LoadFailed, RequestFailed
from target_pigment.load_modes import LoadMode
from target_pigment.secret import Secret
from target_pigment.settings.settings import PollPolicy, RetryPolicy, Settings

_PUSHES_PER_HOUR = 299  # documented: 300 per configuration, then 429
_REQUESTS_PER_WINDOW = 495  # documented: 500 per address in 5 minutes, polls included
_HOUR = 3600.0
_WINDOW = 300.0
_HOURLY_LIMIT = "per configuration per hour"
_LONGEST_PAUSE = 60
_LONGEST_QUOTE = 200
_DONE = frozenset({"Completed", "Failed"})
_RUNNING = "InProgress"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, for tests to replace; seconds that never go back."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class SkippedData:
    """What one block did not take as it was sent; aggregated by Pigment [D]."""

    reason: str
    count: int
    column: str = ""
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DetailedReport:
    """What an import did; whether counts are rows or cells is not documented [?]."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    skipped: int = 0
    created_items: int = 0
    skipped_data: tuple[SkippedData, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportResult:
    """A finished import.

    Attributes:
        status: `Completed` or `Failed`. There is no "partial" [D].
        errors: "name: description" of each error that Pigment told.
        report: None where Pigment gave none.
    """

    import_id: str
    status: str
    errors: tuple[str, ...] = ()
    report: DetailedReport | None = None


class _Rate:
    """Keeps calls under so many in so many seconds, by waiting."""

    def __init__(self, limit: int, seconds: float, clock: Clock) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._times: deque[float] = deque()

    def wait(self) -> None:
        """Until one more call is allowed."""
        if len(self._times) >= self._limit:
            pause = self._times.popleft() + self._seconds - self._clock.now()
            self._clock.sleep(max(pause, 0))
        self._times.append(self._clock.now())


class _Bearer(requests.auth.AuthBase):
    """Set as auth, so that no .netrc can take the place of the key."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        return request


class _Unled(requests.Session):
    """Follows no redirect, and does not even read its address, which may be none."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: the key is for the host in the settings only."""


@dataclass(slots=True)
class _Patience:
    """How much longer one call may be tried again."""

    attempts_left: int
    waits: dict[float, float] = field(
        default_factory=lambda: {_HOUR: _HOUR, _WINDOW: 2 * _WINDOW}
    )
    pauses: Iterator[float] | None = None

    def next_pause(self) -> float:
        if self.pauses is None:
            # `backoff` counts seconds up by powers of two after one empty value.
            self.pauses = backoff.expo(max_value=_LONGEST_PAUSE)
            next(self.pauses)
        return float(next(self.pauses))


class PigmentClient:
    """Calls one workspace, one call after the other, so that limits are counted once."""

    def __init__(
        self,
        settings: Settings,
        logger: logging.Logger,
        clock: Clock | None = None,
    ) -> None:
        self._secrets = (settings.api_key, settings.metadata_api_key)
        self._url = settings.base_url + settings.api_prefix
        # Only pushes and statuses have a legacy path [D].
        self._metadata_url = f"{settings.base_url}/api/v1"
        self._retry: RetryPolicy = settings.retry
        self._poll: PollPolicy = settings.poll
        self._timeout = settings.request_timeout
        self._logger = logger
        self._clock = clock or Clock()
        self._requests = _Rate(_REQUESTS_PER_WINDOW, _WINDOW, self._clock)
        self._pushes: dict[str, _Rate] = {}
        self._session = _Unled()
        self._session.auth = _Bearer(settings.api_key)
        self._metadata_auth = _Bearer(settings.metadata_api_key)
        self._session.headers["Accept"] = "application/json"

    def close(self) -> None:
        """Close connections."""
        self._session.close()

    def check_key(self) -> None:
        """See that the Import key is accepted, before a tap has worked for hours.

        There is no call for that; the status of an import that there is not answers 401
        to a wrong key, and something else to a right one.

        Raises:
            RequestFailed: it is not accepted, or Pigment cannot be reached.
        """
        url = f"{self._url}/import/{_NO_IMPORT}/status"
        answer = self._get(url, {}, _TRIES_PASSING)
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise RequestFailed(f"{self._refusal(answer)} Nothing was pushed.")

    def push(self, configuration_id: str, file: CsvFile, mode: LoadMode) -> str:
        """Send a file.

        Returns:
            The id of the import that it started.

        Raises:
            RequestFailed: refused, or not known to be accepted.
        """
        rate = self._pushes.setdefault(
            configuration_id, _Rate(_PUSHES_PER_HOUR, _HOUR, self._clock)
        )
        patience = _Patience(self._retry.max_attempts - 1)
        while True:
            rate.wait()
            try:
                answer = self._send(configuration_id, file)
            except requests.RequestException as error:
                self._lost_push(error, mode, patience)
                continue
            if answer.status_code == HTTPStatus.OK:
                return _import_id(self._json_object(answer).get("importId"))
            if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                self._wait_for_limit(answer, patience)
            elif answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                self._ambiguous(f"HTTP {answer.status_code}", mode, patience)
            else:
                raise RequestFailed(self._refusal(answer, file))

    def wait(self, import_id: str) -> ImportResult:
        """Ask until an import is done, then once for its detailed report.

        Raises:
            LoadFailed: it was not done within `poll.timeout`.
            RequestFailed: its status cannot be had.
        """
        deadline = self._clock.now() + self._poll.timeout
        interval = self._poll.interval
        odd: set[str] = set()
        while True:
            found = self._status(import_id, with_report=False)
            status = str(found.get("importStatus"))
            if status in _DONE:
                return self._result(import_id, status, found)
            if status != _RUNNING and status not in odd:
                odd.add(status)
                self._logger.warning("Import %s: unknown status %s.", import_id, status)
            left = deadline - self._clock.now()
            if left <= 0:
                raise LoadFailed(
                    f"import {import_id} is still {status} after {self._poll.timeout:g} "
                    "s; it may still finish: look at it in Pigment before running again, "
                    "or raise poll.timeout."
                )
            self._clock.sleep(min(interval, left))
            interval = min(interval * 1.5, self._poll.max_interval)

    def metadata(self, path: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        """One listing of the Metadata API.

        Raises:
            RequestFailed: with advice for the metadata key.
        """
        answer = self._get(
            f"{self._metadata_url}/{path}", asked, _TRIES_PASSING, self._metadata_auth
        )
        found = self._json(answer) if answer.status_code == HTTPStatus.OK else None
        if isinstance(found, list) and all(isinstance(row, dict) for row in found):
            return found
        raise RequestFailed(self._refusal(answer, hints=_METADATA_HINTS))

    def _send(self, configuration_id: str, file: CsvFile) -> requests.Response:
        self._requests.wait()
        with file.path.open("rb") as body:
            return self._session.post(
                f"{self._url}/import/push/csv",
                params={"configurationId": configuration_id},
                data=body,
                headers={"Content-Type": "text/csv"},
                timeout=self._timeout,
            )

    def _lost_push(
        self, error: requests.RequestException, mode: LoadMode, patience: _Patience
    ) -> None:
        if isinstance(error, requests.exceptions.SSLError):
            raise RequestFailed(
                f"no trusted connection to {_host(self._url)}; check base_url and the "
                "certificates of this machine."
            ) from error
        if _was_never_sent(error):
            self._again(self._unreachable(), patience)
        else:
            self._ambiguous(
                f"the answer was lost ({type(error).__name__})", mode, patience
            )

    def _unreachable(self) -> str:
        return f"{_host(self._url)} cannot be reached"

    def _ambiguous(self, what: str, mode: LoadMode, patience: _Patience) -> None:
        if self._retry.repeats_ambiguous(mode):
            self._again(what, patience)
            return
        raise RequestFailed(
            f"{what} after the file was sent, so it may have been accepted; not sent "
            "again, since that could double rows. Look in Pigment whether it was loaded "
            "before running again."
        )

    def _again(self, what: str, patience: _Patience) -> None:
        if not patience.attempts_left:
            raise RequestFailed(
                f"{what}; gave up after {self._retry.max_attempts} attempts."
            )
        patience.attempts_left -= 1
        pause = patience.next_pause()
        self._logger.warning("Pigment: %s; trying again in %g s.", what, pause)
        self._clock.sleep(pause)

    def _wait_for_limit(self, answer: requests.Response, patience: _Patience) -> None:
        """Wait as told, or as the limit that was hit wants. A 429 was not accepted."""
        window = _HOUR if _HOURLY_LIMIT in answer.text.lower() else _WINDOW
        pause = _retry_after(answer) or (_WINDOW if window == _HOUR else _WINDOW / 5)
        if patience.waits[window] < pause:
            raise RequestFailed(_over_limit(answer, window))
        patience.waits[window] -= pause
        self._logger.warning("Pigment's rate limit: waiting %g s.", pause)
        self._clock.sleep(pause)

    def _status(self, import_id: str, *, with_report: bool) -> Mapping[str, Any]:
        # Spelled so in the OpenAPI.
        asked = {"includedDetailedReport": "true"} if with_report else {}
        url = f"{self._url}/import/{import_id}/status"
        # 404 just after a push is not ruled out by the documentation [?].
        answer = self._get(url, asked, _TRIES_PASSING | {HTTPStatus.NOT_FOUND})
        if answer.status_code == HTTPStatus.OK:
            return self._json_object(answer)
        raise RequestFailed(
            f"import {import_id}: {self._refusal(answer)} The import itself may still "
            "finish."
        )

    def _get(
        self,
        url: str,
        asked: Mapping[str, str],
        passing: frozenset[int],
        auth: _Bearer | None = None,
    ) -> requests.Response:
        """Ask until there is an answer that another try would not change.

        Args:
            url: without a query.
            asked: the query.
            passing: statuses that may be others soon.
            auth: for another key than the Import one.
        """
        patience = _Patience(self._retry.max_attempts - 1)
        what = urlsplit(url).path.rpartition("/")[2]
        while True:
            self._requests.wait()
            try:
                answer = self._session.get(
                    url,
                    params=asked,
                    auth=auth,
                    timeout=self._timeout,
                )
            except requests.RequestException as error:
                unreachable = _was_never_sent(error)
                reason = f"no {what} ({type(error).__name__})"
                self._again(self._unreachable() if unreachable else reason, patience)
                continue
            if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                self._wait_for_limit(answer, patience)
            elif answer.status_code in passing:
                self._again(f"no {what} yet (HTTP {answer.status_code})", patience)
            else:
                return answer

    def _result(
        self, import_id: str, status: str, found: Mapping[str, Any]
    ) -> ImportResult:
        try:
            detailed = self._status(import_id, with_report=True)
        except RequestFailed as error:
            self._logger.warning("Import %s: no detailed report: %s", import_id, error)
            detailed = {}
        errors = detailed.get("errorsDetails") or found.get("errorsDetails") or ()
        texts = tuple(f"{e.get('name')}: {e.get('description')}" for e in errors)
        report = detailed.get("detailedReport")
        return ImportResult(import_id, status, texts, _report(report))

    def _refusal(
        self,
        answer: requests.Response,
        file: CsvFile | None = None,
        hints: Mapping[int, str] | None = None,
    ) -> str:
        status = answer.status_code
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            host = _host(answer.headers.get("Location", ""))
            return self._masked(
                f"HTTP {status}: a redirect to {host}, not followed; set base_url."
            )
        quote = self._quoted(answer)
        known = _HINTS if hints is None else hints
        hint = known.get(status, known[_ANY_STATUS])
        if status == HTTPStatus.BAD_REQUEST and file:
            hint = f"{file.rows} rows, {file.size} bytes: {hint}"
        return f"HTTP {status}{quote}: {hint}"

    def _quoted(self, answer: requests.Response) -> str:
        """The start of an error's body, which has no schema [D]."""
        kind = answer.headers.get("Content-Type", "")
        if "html" in kind:
            return ""
        text = " ".join(self._masked(answer.text).split())
        return f" '{text[:_LONGEST_QUOTE]}'" if text else ""

    def _json(self, answer: requests.Response) -> object:
        """JSON whatever the content type says: text/plain is declared as well [D].

        Masked before anything is made of it, since anybody may log a part of it.
        """
        try:
            found: object = json.loads(self._masked(answer.content.decode()))
        except ValueError:
            return None
        return found

    def _json_object(self, answer: requests.Response) -> Mapping[str, Any]:
        found = self._json(answer)
        return found if isinstance(found, dict) else {}

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = secret.masked(text)
        return text


_ANY_STATUS = 0

_NO_IMPORT = "00000000-0000-0000-0000-000000000000"

_TRIES_PASSING = frozenset(range(500, 600))

_METADATA_HINTS = {
    401: "metadata_api_key is not accepted; it must be of type Modeling Metadata, not "
    "expired (the expiry day itself is no longer valid), and allowed from this IP "
    "address.",
    _ANY_STATUS: "Pigment did not tell what metadata_api_key asked; check application_id.",
}


_HINTS = {
    _ANY_STATUS: "Pigment refused the request.",
    400: "either over Pigment's size limit (lower max_bytes_per_push; unpublished) or "
    "not what the configuration expects (same header, delimiter and quotes as its "
    "sample file).",
    401: "the key is not accepted; it must be of type Import, not expired (the expiry day "
    "itself is no longer valid), allowed from this IP address, and not of the old format "
    "with dashes.",
    404: "no such import configuration, or the key's owner cannot see it; copy the ID "
    "again from Block settings > Import configurations.",
}


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "no host"
    except ValueError:
        return "no address"


def _over_limit(answer: requests.Response, window: float) -> str:
    hourly = (
        "over 300 pushes of this configuration within an hour; raise max_rows_per_push "
        "or run less often"
    )
    by_address = (
        "over 500 requests in 5 minutes from this address; raise poll.interval, or see "
        "what else calls Pigment from here"
    )
    if window == _HOUR:
        return f"HTTP 429: {hourly}."
    if answer.text.strip():
        return f"HTTP 429: {by_address}."
    return f"HTTP 429, for no reason given: either {by_address}, or {hourly}."


def _was_never_sent(error: requests.RequestException) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, transport.NewConnectionError | transport.ProxyError)


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds; None where the header is absent, unreadable or not in the future."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text) or None
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError):
        return None
    return seconds if seconds > 0 else None


def _import_id(found: object) -> str:
    if not isinstance(found, str) or not found:
        raise RequestFailed(
            "Pigment accepted the file but named no import, so nobody can tell whether "
            "it was loaded; look in Pigment before running again."
        )
    return found


def _report(found: Mapping[str, Any] | None) -> DetailedReport | None:
    if not found:
        return None
    summary = found.get("summary") or {}
    created = found.get("autoCreatedDimensionModalities") or ()
    return DetailedReport(
        inserted=int(summary.get("insertedCount") or 0),
        updated=int(summary.get("updatedCount") or 0),
        deleted=int(summary.get("deletedCount") or 0),
        skipped=int(summary.get("skippedCount") or 0),
        created_items=sum(int(entry.get("count") or 0) for entry in created),
        skipped_data=tuple(
            _skipped(entry)
            for block in found.get("impactedBlocks") or ()
            for entry in block.get("skippedData") or ()
        ),
    )


def _skipped(entry: Mapping[str, Any]) -> SkippedData:
    return SkippedData(
        str(entry.get("reason")),
        int(entry.get("count") or 0),
        entry.get("sourceColumnName") or "",
        tuple(str(sample) for sample in entry.get("samples") or ()),
    )
