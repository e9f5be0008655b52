"""Whether a run is within Sage's maintenance window, and what it does then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tap_sage_intacct.errors import TapError
from tap_sage_intacct.intacct.http.clock import utc_now
from tap_sage_intacct.settings.maintenance import MaintenanceAction, MaintenanceWindow

logger = logging.getLogger(__name__)


class WithinMaintenance(TapError):
    """The run met the window, and the window's action is to fail."""


@dataclass
class MaintenanceWatch:
    """Looks at the clock between calls, and acts as the window says."""

    window: MaintenanceWindow
    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    _warned_of: datetime | None = None

    def check(self) -> None:
        """Act if the time is within the window.

        Raises:
            WithinMaintenance: the action is to fail.
        """
        ends = self.window.ends_at(self.now())
        if ends is None:
            return
        match self.window.action:
            case MaintenanceAction.FAIL:
                raise WithinMaintenance(
                    f"It is within Sage's maintenance window ({self.window}), until "
                    f"{ends:%H:%M} UTC. Run again after that, or set maintenance_window's "
                    "action to wait, warn or ignore."
                )
            case MaintenanceAction.WAIT:
                self._wait(ends)
            case MaintenanceAction.WARN if self._warned_of != ends:
                self._warned_of = ends
                logger.warning(
                    "It is within Sage's maintenance window (%s), until %s UTC: Intacct "
                    "may go off-line.",
                    self.window,
                    f"{ends:%H:%M}",
                )

    def explain(self) -> None:
        """Warn that a failure came within the window, if it did."""
        ends = self.window.ends_at(self.now())
        if ends is not None:
            logger.warning(
                "What follows came within Sage's maintenance window (%s), when Intacct "
                "may be off-line: run again after %s UTC.",
                self.window,
                f"{ends:%H:%M}",
            )

    def _wait(self, ends: datetime) -> None:
        logger.warning(
            "Waiting until %s UTC, the end of Sage's maintenance window (%s).",
            f"{ends:%H:%M}",
            self.window,
        )
        while (left := (ends - self.now()).total_seconds()) > 0:
            self.sleep(left)
