"""Sage's maintenance window: whether a run is in it, and what it does then.

Pigment's page on its own connector names 12 to 2 am Pacific, in which no job should
run [D]; other documents name other hours [C], so the window is a setting. Knows nothing
of Singer, and asks nobody but the clock.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from datetime import time as time_of_day
from enum import Enum
from zoneinfo import ZoneInfo

from tap_sage_intacct.errors import TapError

_PACIFIC = ZoneInfo("America/Los_Angeles")

logger = logging.getLogger(__name__)


class MaintenanceAction(Enum):
    """What a run does when it meets the window."""

    IGNORE = "ignore"
    WARN = "warn"
    WAIT = "wait"
    FAIL = "fail"


class WithinMaintenance(TapError):
    """The run met the window, and was told to end there."""


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Some hours of each day, by the wall clock of a zone.

    Attributes:
        start: the first moment of the window.
        end: the first moment after it; on the next day where it is not after `start`.
    """

    start: time_of_day = time_of_day(0)
    end: time_of_day = time_of_day(2)
    zone: ZoneInfo = _PACIFIC
    action: MaintenanceAction = MaintenanceAction.WARN

    def ends_at(self, now: datetime) -> datetime | None:
        """When the window that an instant is in ends, in UTC; None outside of it."""
        today = now.astimezone(self.zone).date()
        for day in (today - timedelta(days=1), today):
            last_day = day if self.end > self.start else day + timedelta(days=1)
            # Through UTC, since clocks that jump make wall time no measure.
            begins = datetime.combine(day, self.start, self.zone).astimezone(
                timezone.utc
            )
            ends = datetime.combine(last_day, self.end, self.zone).astimezone(
                timezone.utc
            )
            if begins <= now < ends:
                return ends
        return None

    def __str__(self) -> str:
        """For people."""
        return f"{self.start:%H:%M} to {self.end:%H:%M} {self.zone.key}"


class MaintenanceWatch:
    """Looks at the clock between calls, and acts as the window says."""

    def __init__(
        self,
        window: MaintenanceWindow,
        now: Callable[[], datetime] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._window = window
        self._now = now or _utc_now
        self._sleep = sleep
        self._told: datetime | None = None

    def check(self) -> None:
        """Act if it is within the window.

        Raises:
            WithinMaintenance: the action is to fail.
        """
        action = self._window.action
        ends = self._window.ends_at(self._now())
        if ends is None or action is MaintenanceAction.IGNORE:
            return
        if action is MaintenanceAction.FAIL:
            raise WithinMaintenance(
                f"It is within Sage's maintenance window ({self._window}), until "
                f"{ends:%H:%M} UTC. Run again after that, or set maintenance_window's "
                "action to wait, warn or ignore."
            )
        if action is MaintenanceAction.WAIT:
            self._wait(ends)
        elif self._told != ends:
            self._told = ends
            logger.warning(
                "It is within Sage's maintenance window (%s), until %s UTC: Intacct may "
                "go off-line.",
                self._window,
                f"{ends:%H:%M}",
            )

    def explain(self) -> None:
        """Say, of a failure, that it came within the window; whatever the action."""
        ends = self._window.ends_at(self._now())
        if ends is not None:
            logger.warning(
                "What follows came within Sage's maintenance window (%s), when Intacct "
                "may be off-line: run again after %s UTC.",
                self._window,
                f"{ends:%H:%M}",
            )

    def _wait(self, ends: datetime) -> None:
        logger.warning(
            "Waiting until %s UTC, the end of Sage's maintenance window (%s).",
            f"{ends:%H:%M}",
            self._window,
        )
        while (left := (ends - self._now()).total_seconds()) > 0:
            self._sleep(left)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)
