"""The session that calls are made in: when to sign in, and when again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tap_sage_intacct.intacct.http.clock import ServerClock
from tap_sage_intacct.intacct.secrets.credentials import Secret
from tap_sage_intacct.intacct.xml.envelope import Authentication, Session

# A session this near its end is renewed first: a call may run for minutes, and one
# that ends inside the call costs the call.
RENEWAL_MARGIN = timedelta(minutes=5)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """What the sign-in gave: the id, and where to call."""

    session_id: Secret
    endpoint: str


class CurrentSession:
    """Opened when it is first needed, and again when it ends; shared between threads."""

    def __init__(self, sign_in: Callable[[], OpenSession], clock: ServerClock) -> None:
        """Open nothing yet.

        Args:
            sign_in: opens a session; one thread at a time is in it.
            clock: by which it ends.
        """
        self._sign_in = sign_in
        self._clock = clock
        self._lock = threading.RLock()
        self._session: OpenSession | None = None
        self._ends: datetime | None = None

    def get(self) -> OpenSession:
        """The session; raises what signing in raises."""
        with self._lock:
            if self._session is not None and self._is_ending():
                logger.info("The session is about to end; signing in again.")
                self._session = None
            if self._session is None:
                self._session = self._sign_in()
            return self._session

    def forget(self, session: OpenSession) -> None:
        """It has expired. Where another call has signed in since, that session is kept."""
        with self._lock:
            if self._session is session:
                logger.info("The session has expired; signing in again.")
                self._session = None

    def note(self, told: Session, authentication: Authentication) -> None:
        """What an answer says about the end of its session: each call moves it [D].

        Source: Sage's page on API sessions.

        Args:
            told: of the session that the call was made in, or that it opened.
            authentication: of the call.
        """
        with self._lock:
            current = self._session.session_id if self._session else None
            if isinstance(authentication, Secret) and authentication != current:
                return
            self._ends = _end(told)

    def _is_ending(self) -> bool:
        return self._ends is not None and (
            self._clock.now() >= self._ends - RENEWAL_MARGIN
        )


def _end(session: Session) -> datetime | None:
    """When to sign in again; a session shorter than two margins is let run out."""
    if session.timeout is None or session.timestamp is None:
        return session.timeout
    if session.timeout - session.timestamp < 2 * RENEWAL_MARGIN:
        return session.timeout + RENEWAL_MARGIN
    return session.timeout
