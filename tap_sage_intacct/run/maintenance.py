"""Whether a run is within Sage's maintenance window, and what it does then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timezone

from tap_sage_intacct.errors import TapError
from tap_sage_intacct.settings.maintenance import MaintenanceAction, MaintenanceWindow

logger = logging.getLogger(__name__)


class WithinMaintenance(TapError):
    """The run met the window, and the window's action is to fail."""


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
        self._warned_of: datetime | None = None

    def check(self) -> None:
        """Act if the time is within the window.

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
        elif self._warned_of != ends:
            self._warned_of = ends
            logger.warning(
                "It is within Sage's maintenance window (%s), until %s UTC: Intacct may "
                "go off-line.",
                self._window,
                f"{ends:%H:%M}",
            )

    def explain(self) -> None:
        """Warn that a failure came within the window, if it did."""
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
