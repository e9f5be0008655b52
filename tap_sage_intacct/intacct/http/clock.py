"""Intacct's clock, by what its answers say of the time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

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
