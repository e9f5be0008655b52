"""API sessions: issued, slid forward by every call, and expired.

What lives here: the session and the thread-safe table of live ones. What it
must not know: XML, passwords. The idea: time comes from the company's clock, so
that a test lets six hours pass by saying so.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from intacct_sandbox.errors import invalid_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from intacct_sandbox.clock import Clock
    from intacct_sandbox.rows import OutputColumn


@dataclass(slots=True)
class ResultSet:
    """What is left of a readByQuery: rows fetched when it was called [D].

    Attributes:
        fields: column ids, in the order of the rows' values.
        remaining: rows not served yet, still as stored.
    """

    object_name: str
    fields: tuple[str, ...]
    remaining: Sequence[tuple[Any, ...]]
    page_rows: int
    total: int
    return_format: str


@dataclass(slots=True)
class ReportRun:
    """What is left of a readReport: rows fetched when it was called.

    Attributes:
        remaining: rows not served yet, still as stored.
        polls: how many more find it not ready.
    """

    columns: tuple[OutputColumn, ...]
    remaining: Sequence[tuple[Any, ...]]
    page_rows: int
    total: int
    polls: int


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in user.

    Attributes:
        session_id: empty if the user signed in for this one request.
        location_id: the entity; None at top level.
        result_sets: by resultId; they die with the session [I].
        reports: by reportId; that they die with the session too is a guess [?].
    """

    session_id: str
    user_id: str
    company_id: str
    location_id: str | None
    started: datetime
    expires: datetime
    result_sets: OrderedDict[str, ResultSet] = field(default_factory=OrderedDict)
    reports: dict[str, ReportRun] = field(default_factory=dict)


class Sessions:
    """The live sessions of one sandbox. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        """Start with none."""
        self._clock = clock
        self._lock = threading.Lock()
        self._live: dict[str, Session] = {}
        self._issued = 0

    def transient(
        self, user_id: str, company_id: str, location_id: str | None, seconds: int
    ) -> Session:
        """A session for one request, made by a login."""
        now = self._clock.now()
        expires = now + timedelta(seconds=seconds)
        return Session("", user_id, company_id, location_id, now, expires)

    def issue(self, owner: Session, location_id: str | None, seconds: int) -> Session:
        """A session that later requests may name."""
        now = self._clock.now()
        with self._lock:
            self._issued += 1
            seal = f"{owner.company_id}/{owner.user_id}/{self._issued}"
            session = Session(
                f"{sha256(seal.encode()).hexdigest()[:32]}..",
                owner.user_id,
                owner.company_id,
                location_id,
                now,
                now + timedelta(seconds=seconds),
            )
            self._live[session.session_id] = session
        return session

    def renew(self, session_id: str, seconds: int) -> Session:
        """The session, its end moved to now + `seconds` [D].

        Raises:
            AuthenticationRefusal: unknown or expired.
        """
        now = self._clock.now()
        with self._lock:
            session = self._live.get(session_id)
            if session is None or session.expires <= now:
                self._live.pop(session_id, None)
                raise invalid_session(session_id)
            renewed = replace(session, expires=now + timedelta(seconds=seconds))
            self._live[session_id] = renewed
        return renewed

    def end(self, session_id: str) -> None:
        """Forget a session; naming it again is an error."""
        with self._lock:
            self._live.pop(session_id, None)

    def end_all(self) -> None:
        """Forget every session."""
        with self._lock:
            self._live.clear()
