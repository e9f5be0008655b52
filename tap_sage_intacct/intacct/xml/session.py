"""The session that calls are made in, and the clock that tells when it ends.

Knows when to sign in, not how.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_sage_intacct.intacct.credentials import Secret

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.xml.envelope import Authentication, Session

# A session this near its end is renewed first: a call may run for minutes, and one
# that ends inside the call costs the call.
RENEWAL_MARGIN = timedelta(minutes=5)

TOLERATED_DIFFERENCE = timedelta(minutes=5)
"""An answer may be long on its way; a clock that is wrong is so by hours or days."""

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """This machine's clock, aware."""
    return datetime.now(timezone.utc)


class ServerClock:
    """Intacct's clock: this machine's, corrected by the last answer.

    An answer tells the time twice: by the HTTP header `Date`, which a proxy may have
    written, and, if it is XML, by `sessiontimestamp` [D]. Where they differ, the earlier
    one holds: a bookmark that is early costs rows that come twice, one that is late
    costs rows.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._ahead = timedelta()
        # Of the truth, as far as session stamps show it.
        self._date_ahead = timedelta()
        self._stamps: set[datetime] = set()
        self._has_warned = False
        self._lock = threading.Lock()

    def note(self, date: datetime | None) -> None:
        """What `Date` says, when an answer comes; None where it is missing."""
        if date is not None:
            with self._lock:
                self._set(date - self._date_ahead)

    def compare(self, date: datetime | None, stamp: datetime | None) -> None:
        """What one answer says by `Date` and by `sessiontimestamp`.

        Whether the stamp of a later answer is its own, as in Sage's examples [D], or
        that of the sign-in is unknown [?]: one that was there before tells nothing.
        """
        with self._lock:
            if stamp is None and date is None and not self._has_warned:
                self._has_warned = True
                logger.warning(
                    "Intacct's answers do not tell the time; going by the clock of this "
                    "machine. Check that it is right: a clock that is ahead loses rows."
                )
            if stamp is None or stamp in self._stamps:
                return
            self._stamps.add(stamp)
            if date is None:
                self._set(stamp)
            else:
                self._note_difference(date - stamp)

    def now(self) -> datetime:
        """Aware."""
        return self._now() + self._ahead

    def _set(self, time: datetime) -> None:
        self._ahead = time - self._now()

    def _note_difference(self, date_ahead: timedelta) -> None:
        if abs(date_ahead) > TOLERATED_DIFFERENCE and not self._has_warned:
            self._has_warned = True
            logger.warning(
                "The Date header of Intacct's answers is %s %s the time of its session; "
                "going by the earlier one. Check the clock of the proxy, if there is one.",
                abs(date_ahead),
                "behind" if date_ahead < timedelta() else "ahead of",
            )
        wrong = date_ahead if date_ahead > TOLERATED_DIFFERENCE else timedelta()
        self._ahead -= wrong - self._date_ahead
        self._date_ahead = wrong


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
        """What an answer tells of its session's end: each call moves it [D].

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
