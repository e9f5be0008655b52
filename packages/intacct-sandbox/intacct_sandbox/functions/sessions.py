"""API sessions: issued, slid forward by every call, and expired.

Time comes from the company's clock, so that a test lets six hours pass by saying so.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

from intacct_sandbox.clock import Clock
from intacct_sandbox.objects.rows import OutputColumn
from intacct_sandbox.wire.errors import invalid_session


@dataclass(slots=True)
class ResultSet:
    """What is left of a readByQuery [D] or readReport: rows fetched when it was called.

    Attributes:
        remaining: rows not served yet, still as stored.
        object_name: of a readByQuery.
        polls: how many more find a report not ready.
    """

    columns: Sequence[OutputColumn]
    remaining: Sequence[tuple[Any, ...]]
    page_rows: int
    total: int
    object_name: str = ""
    return_format: str = "xml"
    polls: int = 0

    def next_page(self) -> Sequence[tuple[Any, ...]]:
        """Take the rows that are served next."""
        page = self.remaining[: self.page_rows]
        self.remaining = self.remaining[self.page_rows :]
        return page


@dataclass(slots=True)
class Kept:
    """What is kept for its owner from one call to the next.

    Attributes:
        result_sets: by resultId, the latest last.
        reports: by reportId.
        expires: it is forgotten then, unless a call comes before.
    """

    expires: datetime
    result_sets: dict[str, ResultSet] = field(default_factory=dict)
    reports: dict[str, ResultSet] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in user.

    Attributes:
        session_id: empty if the user signed in for this one request.
        location_id: the entity; None at top level.
    """

    session_id: str
    user_id: str
    company_id: str
    location_id: str | None
    started: datetime
    expires: datetime


class Sessions:
    """The live sessions of one sandbox. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        """Start with none."""
        self._clock = clock
        self._lock = threading.Lock()
        self._live: dict[str, Session] = {}
        self._kept: dict[tuple[str, ...], Kept] = {}
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
        session = self.transient(owner.user_id, owner.company_id, location_id, seconds)
        with self._lock:
            self._issued += 1
            seal = f"{owner.company_id}/{owner.user_id}/{self._issued}"
            session_id = f"{sha256(seal.encode()).hexdigest()[:32]}.."
            self._live[session_id] = replace(session, session_id=session_id)
            return self._live[session_id]

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

    def kept(self, session: Session, owner: Literal["user", "session"]) -> Kept:
        """What is kept for the session's user in its company, or for it alone.

        It lives as long as a session: from each call of its owner to the end that
        the session has then [I].
        """
        if owner == "user":
            key: tuple[str, ...] = (session.company_id, session.user_id)
        else:
            key = (session.session_id,)
        with self._lock:
            found = self._kept.get(key)
            # A login is a session of one request: nothing is left of it.
            if found is None or found.expires <= self._clock.now() or key == ("",):
                found = self._kept[key] = Kept(session.expires)
            found.expires = session.expires
        return found

    def end(self, session_id: str) -> None:
        """Forget a session and what is its own; naming it again is an error."""
        with self._lock:
            self._live.pop(session_id, None)
            self._kept.pop((session_id,), None)

    def end_all(self) -> None:
        """Forget every session."""
        with self._lock:
            ended = list(self._live)
        for session_id in ended:
            self.end(session_id)
