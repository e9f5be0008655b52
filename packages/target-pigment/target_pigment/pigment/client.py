"""Pigment's APIs: push a file, wait for its import, fetch its report; list metadata.

One push is one whole import, and 200 means only that it was accepted [D]. Sources: the
published OpenAPI and kb.pigment.com.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions as transport
from typing_extensions import override

from target_pigment.errors import LoadFailed, RequestFailed
from target_pigment.load_modes import LoadMode
from target_pigment.pigment.answers import (
    METADATA_HINTS,
    Answers,
    ImportResult,
    host_of,
    report_of,
)
from target_pigment.pigment.limits import (
    HOUR,
    PUSHES_PER_HOUR,
    REQUESTS_PER_WINDOW,
    WINDOW,
    Attempts,
    Clock,
    Rate,
)
from target_pigment.rows.csv_file import CsvFile
from target_pigment.secret import Secret
from target_pigment.settings.settings import Settings

_DONE = frozenset({"Completed", "Failed"})
_RUNNING = "InProgress"
_NO_IMPORT = "00000000-0000-0000-0000-000000000000"
_PASSING = frozenset(range(500, 600))


@dataclass(frozen=True, slots=True)
class _Bearer(requests.auth.AuthBase):
    """Set as auth, so that no .netrc can take the place of the key."""

    key: Secret

    @override
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the request."""
        request.headers["Authorization"] = f"Bearer {self.key.reveal()}"
        return request


class _Unredirected(requests.Session):
    """Follows no redirect, and does not read its address, which may be invalid."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: the key is for the host in the settings only."""


class PigmentClient:
    """Calls one workspace, one call after the other, so that limits are counted once."""

    def __init__(
        self, settings: Settings, logger: logging.Logger, clock: Clock
    ) -> None:
        self._answers = Answers((settings.api_key, settings.metadata_api_key))
        self._url = settings.base_url + settings.api_prefix
        self._settings = settings
        self._logger = logger
        self._clock = clock
        self._requests = Rate(REQUESTS_PER_WINDOW, WINDOW, clock)
        self._pushes: dict[str, Rate] = {}
        self._session = _Unredirected()
        self._session.auth = _Bearer(settings.api_key)
        self._session.headers["Accept"] = "application/json"

    def close(self) -> None:
        """Close connections."""
        self._session.close()

    def check_key(self) -> None:
        """Check that the Import key is accepted, before a tap works for hours.

        Pigment has no call for that. The status of an import that does not exist
        answers 401 to a wrong key, and something else to a right one.

        Raises:
            RequestFailed: it is not accepted, or Pigment cannot be reached.
        """
        url = f"{self._url}/import/{_NO_IMPORT}/status"
        answer = self._get(url, {})
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise RequestFailed(f"{self._answers.refusal(answer)} Nothing was pushed.")

    def push(self, configuration_id: str, file: CsvFile, mode: LoadMode) -> str:
        """Send a file.

        Returns:
            The id of the import that it started.

        Raises:
            RequestFailed: refused, or not known to be accepted.
        """
        rate = self._pushes.setdefault(
            configuration_id, Rate(PUSHES_PER_HOUR, HOUR, self._clock)
        )
        send = partial(self._push_once, rate, configuration_id, file)
        repeats = self._settings.retry.repeats_ambiguous(mode)
        answer = self._answered(
            send, "the answer was lost ({})", "HTTP {}", repeats=repeats
        )
        if answer.status_code != HTTPStatus.OK:
            raise RequestFailed(self._answers.refusal(answer, file))
        import_id = self._answers.json_object(answer).get("importId")
        if not isinstance(import_id, str) or not import_id:
            raise RequestFailed(
                "Pigment accepted the file but named no import, so nobody can tell whether "
                "it was loaded; look in Pigment before running again."
            )
        return import_id

    def wait(self, import_id: str) -> ImportResult:
        """Ask until an import is done, then once for its detailed report.

        Raises:
            LoadFailed: it was not done within `poll.timeout`.
            RequestFailed: its status cannot be had.
        """
        poll = self._settings.poll
        deadline = self._clock.now() + poll.timeout
        interval = poll.interval
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
                    f"import {import_id} is still {status} after {poll.timeout:g} "
                    "s; it may still finish: look at it in Pigment before running again, "
                    "or raise poll.timeout."
                )
            self._clock.sleep(min(interval, left))
            interval = min(interval * 1.5, poll.max_interval)

    def metadata(self, path: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        """One listing of the Metadata API.

        Raises:
            RequestFailed: with advice for the metadata key.
        """
        # Only pushes and statuses have a legacy path [D].
        url = f"{self._settings.base_url}/api/v1/{path}"
        answer = self._get(url, asked, auth=_Bearer(self._settings.metadata_api_key))
        found = (
            self._answers.json(answer) if answer.status_code == HTTPStatus.OK else None
        )
        if isinstance(found, list) and all(isinstance(row, dict) for row in found):
            return found
        raise RequestFailed(self._answers.refusal(answer, hints=METADATA_HINTS))

    def _push_once(
        self, rate: Rate, configuration_id: str, file: CsvFile
    ) -> requests.Response:
        rate.wait()
        try:
            with file.path.open("rb") as body:
                return self._send(
                    "POST",
                    f"{self._url}/import/push/csv",
                    params={"configurationId": configuration_id},
                    data=body,
                    headers={"Content-Type": "text/csv"},
                )
        except requests.exceptions.SSLError as error:
            raise RequestFailed(
                f"no trusted connection to {host_of(self._url)}; check base_url and the "
                "certificates of this machine."
            ) from error

    def _status(self, import_id: str, *, with_report: bool) -> Mapping[str, Any]:
        # Spelled so in the OpenAPI.
        asked = {"includedDetailedReport": "true"} if with_report else {}
        url = f"{self._url}/import/{import_id}/status"
        # 404 just after a push is not ruled out by the documentation [?].
        answer = self._get(url, asked, passing=_PASSING | {HTTPStatus.NOT_FOUND})
        if answer.status_code == HTTPStatus.OK:
            return self._answers.json_object(answer)
        raise RequestFailed(
            f"import {import_id}: {self._answers.refusal(answer)} The import itself may still "
            "finish."
        )

    def _get(
        self,
        url: str,
        asked: Mapping[str, str],
        *,
        passing: frozenset[int] = _PASSING,
        auth: _Bearer | None = None,
    ) -> requests.Response:
        """Ask for what is at an address.

        Args:
            url: without a query.
            asked: the query.
            passing: statuses that may be others soon.
            auth: for another key than the Import one.
        """
        what = urlsplit(url).path.rpartition("/")[2]
        lost, early = f"no {what} ({{}})", f"no {what} yet (HTTP {{}})"
        send = partial(self._send, "GET", url, params=asked, auth=auth)
        return self._answered(send, lost, early, passing=passing)

    def _send(self, method: str, url: str, **more: Any) -> requests.Response:
        self._requests.wait()
        timeout = self._settings.request_timeout
        return self._session.request(method, url, timeout=timeout, **more)

    def _answered(
        self,
        send: Callable[[], requests.Response],
        lost: str,
        early: str,
        *,
        passing: frozenset[int] = _PASSING,
        repeats: bool = True,
    ) -> requests.Response:
        """Make a call until there is an answer that another try would not change.

        Args:
            send: makes it once.
            lost: says of which error an answer did not come.
            early: says which passing status came.
            passing: statuses that may be others soon.
            repeats: whether to make it again if it may have been accepted.
        """
        attempts = Attempts(self._settings.retry, self._clock, self._logger)
        while True:
            try:
                answer = send()
            except requests.RequestException as error:
                if _was_never_sent(error):
                    attempts.again(f"{host_of(self._url)} cannot be reached")
                    continue
                what = lost.format(type(error).__name__)
            else:
                if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    attempts.wait_for_limit(answer)
                    continue
                if answer.status_code not in passing:
                    return answer
                what = early.format(answer.status_code)
            if not repeats:
                raise RequestFailed(
                    f"{what} after the file was sent, so it may have been accepted; not "
                    "sent again, since that could double rows. Look in Pigment whether it "
                    "was loaded before running again."
                )
            attempts.again(what)

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
        return ImportResult(import_id, status, texts, report_of(report))


def _was_never_sent(error: requests.RequestException) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, transport.NewConnectionError | transport.ProxyError)
