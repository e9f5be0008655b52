"""Pigment's import, metadata and list export API, as far as its OpenAPI tells.

Bodies of refusals and everything marked [?] are stand-ins.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from intacct_sandbox.pigment.faults import PigmentFault, PigmentFaults
from intacct_sandbox.pigment.files import export_list
from intacct_sandbox.pigment.messages import (
    CSV_TYPE,
    HOURLY_LIMIT,
    Received,
    Refusals,
    Reply,
    Request,
    json_reply,
)
from intacct_sandbox.pigment.reports import Import
from intacct_sandbox.pigment.switches import PigmentSwitches
from intacct_sandbox.pigment.workspace import Workspace

_APPLICATION = {"id": "6f2c1d0e-8a54-4b5e-9d3b-0c1d2e3f4a5b", "name": "Finance"}
_CSV_TYPES = frozenset({"text/csv", "application/octet-stream"})
_FOR_EVER = 10**9
_BAD_GATEWAY = {PigmentFault.HTTP_502: 502, PigmentFault.HTTP_503: 503}
_WINDOW_SECONDS = 300
_HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class PigmentKeys:
    """One key of each type; published on purpose, and words that occur nowhere else."""

    imports: str = "import-k3y-of-the-sandbox"
    exports: str = "export-k3y-of-the-sandbox"
    metadata: str = "metadata-k3y-of-the-sandbox"


class _Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.text = text
        super().__init__(text)


class PigmentApi:
    """Answers requests. Thread-safe.

    Attributes:
        received: the requests so far.
        overlapping_pushes: how many came before an earlier import of their
            configuration was known to be done.
    """

    def __init__(
        self,
        workspace: Workspace,
        switches: PigmentSwitches,
        faults: PigmentFaults,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Describe the API of a workspace.

        Args:
            workspace: what it holds.
            switches: may be replaced at any time.
            faults: what goes wrong.
            now: seconds that never go back, for the limits.
            sleep: how a slow answer waits.
        """
        self.workspace = workspace
        self.switches = switches
        self.faults = faults
        self.keys = PigmentKeys()
        self.received: list[Received] = []
        self.overlapping_pushes = 0
        self._sleep = sleep
        self._refusals = Refusals()
        self._by_client = _RateLimit(_WINDOW_SECONDS, now)
        self._by_configuration = _RateLimit(_HOUR_SECONDS, now)
        self._lock = threading.Lock()
        self._polls_left: dict[str, int] = {}
        self._odd: set[str] = set()
        self._unfinished: dict[str, set[str]] = {}
        self._routes = _routes(self)

    def handle(self, request: Request) -> Reply:
        """One request, and its entry in the journal."""
        reply = self._answer(request)
        with self._lock:
            self.received.append(Received.of(request, reply))
        return reply

    def _answer(self, request: Request) -> Reply:
        for route in self._routes:
            match = re.fullmatch(route.path, request.path)
            if match and request.method == route.method:
                return self._carry_out(route, request, match)
        return self._refuse(404, "no such path")

    def _carry_out(
        self, route: _Route, request: Request, match: re.Match[str]
    ) -> Reply:
        faults = self.faults.strike(route.kind)
        if PigmentFault.SLOW in faults:
            self._sleep(faults[PigmentFault.SLOW])
        if PigmentFault.RESET_BEFORE in faults:
            return Reply(is_cut=True)
        for fault, status in _BAD_GATEWAY.items():
            if fault in faults:
                return self._refuse(status, "bad gateway")
        try:
            self._admit(route, request)
            reply = route.answer(request, match, frozenset(faults))
        except _Refused as refused:
            return self._refuse(refused.status, refused.text)
        if PigmentFault.RESET_AFTER in faults:
            return Reply(is_cut=True)
        if PigmentFault.GATEWAY_TIMEOUT in faults:
            return self._refuse(504, "gateway time-out")
        return reply

    def _refuse(self, status: int, text: str) -> Reply:
        return self._refusals.reply(status, text, self.switches)

    def _admit(self, route: _Route, request: Request) -> None:
        limit = self.switches.requests_per_window
        if not self._by_client.allows(request.client, limit):
            raise _Refused(429, "Too many requests from this address.")
        is_import = route.key == self.keys.imports
        expired = is_import and self.switches.key_expired
        if request.headers.get("authorization") != f"Bearer {route.key}" or expired:
            raise _Refused(401, "The API key is missing, wrong or expired.")

    def push(
        self, request: Request, _: re.Match[str], faults: frozenset[PigmentFault]
    ) -> Reply:
        """`POST /import/push/csv`: one whole import."""
        id_ = request.query.get("configurationId", "")
        self._check_file(request)
        if not _is_uuid(id_):
            raise _Refused(400, "configurationId is not a UUID.")
        try:
            configuration = self.workspace.configuration(id_)
        except LookupError as error:
            raise _Refused(404, "There is no such import configuration.") from error
        limit = self.switches.pushes_per_hour
        if not self._by_configuration.allows(id_, limit):
            raise _Refused(429, HOURLY_LIMIT.format(limit=limit))
        with self._lock:
            self.overlapping_pushes += bool(self._unfinished.get(id_))
        fault = next(
            (
                kind
                for kind in (PigmentFault.FAILED, PigmentFault.ALL_SKIPPED)
                if kind in faults
            ),
            None,
        )
        done = self.workspace.take(configuration, request.body, self.switches, fault)
        self._begin(done, faults)
        return json_reply({"importId": done.id}, self.switches.push_content_type)

    def _check_file(self, request: Request) -> None:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if media_type.lower() not in _CSV_TYPES:
            raise _Refused(415, f"Unsupported media type {media_type}.")
        if request.headers.get("content-encoding"):
            raise _Refused(415, "Compressed bodies are not supported.")
        if len(request.body) > self.switches.size_limit_bytes:
            raise _Refused(400, "Bad request or size limit exceeded.")

    def _begin(self, done: Import, faults: frozenset[PigmentFault]) -> None:
        polls = self.switches.polls
        if faults & {PigmentFault.STUCK, PigmentFault.UNKNOWN_STATUS}:
            polls = _FOR_EVER
        with self._lock:
            if PigmentFault.UNKNOWN_STATUS in faults:
                self._odd.add(done.id)
            self._polls_left[done.id] = polls
            self._unfinished.setdefault(done.configuration_id, set()).add(done.id)

    def status(
        self, request: Request, match: re.Match[str], faults: frozenset[PigmentFault]
    ) -> Reply:
        """`GET /import/{id}/status`: the end after so many polls."""
        done = self.workspace.import_of(match["id"])
        if done is None or PigmentFault.STATUS_404 in faults:
            raise _Refused(404, "There is no such import.")
        with self._lock:
            polls_left = self._polls_left.get(done.id, 0)
            if polls_left:
                self._polls_left[done.id] = polls_left - 1
                return json_reply(_running(done, is_odd=done.id in self._odd))
            self._unfinished.get(done.configuration_id, set()).discard(done.id)
        # Spelled so in the OpenAPI; the paths without a version never report.
        asked = request.query.get("includedDetailedReport") == "true"
        is_given = self.switches.detailed_report == "given"
        gives = asked and is_given and not _is_legacy(request)
        return json_reply(_ended(done, gives_report=gives))

    def applications(self, *_: object) -> Reply:
        """`GET /applications`: one holds everything here."""
        return json_reply([_APPLICATION])

    def blocks(self, request: Request, *_: object) -> Reply:
        """`GET /blocks`: id, name and type."""
        _check_application(request)
        return json_reply(
            [
                {"id": one.id, "name": one.name, "type": one.type.value}
                for one in self.workspace.lists
            ]
        )

    def import_configurations(self, request: Request, *_: object) -> Reply:
        """`GET /importConfigurations`: id and name, and nothing else [D]."""
        _check_application(request)
        block = request.query.get("blockId")
        return json_reply(
            [
                {"id": one.id, "name": one.name}
                for one in self.workspace.configurations
                if block in {None, one.block_id}
            ]
        )

    def export(self, request: Request, match: re.Match[str], *_: object) -> Reply:
        """`POST /export/list/{id}`: the items as CSV."""
        try:
            block = self.workspace.list_named(match["id"])
            options = json.loads(request.body or b"{}")
            rows = self.workspace.rows(block.id)
            body = export_list(block, rows, options, is_legacy=_is_legacy(request))
        except LookupError as error:
            raise _Refused(404, "There is no such list.") from error
        except ValueError as error:
            raise _Refused(400, "The body is not JSON.") from error
        return Reply(200, CSV_TYPE, body)


class _RateLimit:
    """So many calls of one kind in so many seconds."""

    def __init__(self, seconds: int, now: Callable[[], float]) -> None:
        """Describe a limit.

        Args:
            seconds: length of the sliding window.
            now: seconds that never go back.
        """
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def allows(self, who: str, limit: int) -> bool:
        """Whether one more call is within the limit; if so it is counted."""
        with self._lock:
            calls = self._calls[who]
            while calls and calls[0] <= self._now() - self._seconds:
                calls.popleft()
            if len(calls) >= limit:
                return False
            calls.append(self._now())
            return True


_Answer = Callable[[Request, re.Match[str], frozenset[PigmentFault]], Reply]


@dataclass(frozen=True, slots=True)
class _Route:
    """A path of the API.

    Attributes:
        kind: as faults name it.
        key: that it wants.
    """

    method: str
    path: str
    kind: str
    key: str
    answer: _Answer


def _routes(api: PigmentApi) -> tuple[_Route, ...]:
    keys = api.keys
    both, id_ = r"/api(/v1)?", r"(?P<id>[\w-]+)"
    return (
        _Route("POST", both + "/import/push/csv", "push", keys.imports, api.push),
        _Route(
            "GET", f"{both}/import/{id_}/status", "status", keys.imports, api.status
        ),
        _Route("POST", f"{both}/export/list/{id_}", "export", keys.exports, api.export),
        _Route(
            "GET", "/api/v1/applications", "metadata", keys.metadata, api.applications
        ),
        _Route("GET", "/api/v1/blocks", "metadata", keys.metadata, api.blocks),
        _Route(
            "GET",
            "/api/v1/importConfigurations",
            "metadata",
            keys.metadata,
            api.import_configurations,
        ),
    )


def _check_application(request: Request) -> None:
    if request.query.get("applicationId") != _APPLICATION["id"]:
        raise _Refused(404, "There is no such application.")


def _running(done: Import, *, is_odd: bool) -> dict[str, Any]:
    return {
        "importId": done.id,
        "createdAt": done.created_at,
        "completedAt": None,
        "importStatus": "Postponed" if is_odd else "InProgress",
        "errorsDetails": None,
        "detailedReport": None,
    }


def _ended(done: Import, *, gives_report: bool) -> dict[str, Any]:
    return {
        **_running(done, is_odd=False),
        "completedAt": done.completed_at,
        "importStatus": done.status,
        "errorsDetails": list(done.errors) or None,
        "detailedReport": done.report if gives_report else None,
    }


def _is_legacy(request: Request) -> bool:
    return not request.path.startswith("/api/v1/")


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
