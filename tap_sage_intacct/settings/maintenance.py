"""Sage's maintenance window: which hours it is, and what a run is to do in it.

Pigment's page on its own connector names 12 to 2 am Pacific, in which no job should
run [D]; other documents name other hours [C], so the window is a setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from datetime import time as time_of_day
from enum import Enum
from zoneinfo import ZoneInfo

from typing_extensions import override

from tap_sage_intacct.settings.declaration import setting, words_of


class MaintenanceAction(Enum):
    """What a run does when it meets the window."""

    IGNORE = "ignore"
    WARN = "warn"
    WAIT = "wait"
    FAIL = "fail"


_NO_TIME = "maintenance_window: '{}' is no time of day: write it as 02:00."

UNKNOWN_ZONE = "the time zone '{}' is unknown: give a name as America/Los_Angeles."


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """Some hours of each day, by the wall clock of a zone.

    Attributes:
        start: the first moment of the window.
        end: the first moment after it; on the next day where it is not after `start`.
    """

    start: time_of_day = setting(
        read=time_of_day.fromisoformat, fault=_NO_TIME, unset=time_of_day(0)
    )
    end: time_of_day = setting(
        read=time_of_day.fromisoformat, fault=_NO_TIME, unset=time_of_day(2)
    )
    zone: ZoneInfo = setting(
        name="timezone",
        read=ZoneInfo,
        fault=f"maintenance_window: {UNKNOWN_ZONE}",
        unset=ZoneInfo("America/Los_Angeles"),
    )
    action: MaintenanceAction = setting(
        read=MaintenanceAction,
        unset=MaintenanceAction.WARN,
        allowed_values=words_of(MaintenanceAction),
    )

    def ends_at(self, now: datetime) -> datetime | None:
        """When the window that an instant is in ends, in UTC; None outside of it."""
        today = now.astimezone(self.zone).date()
        for day in (today - timedelta(days=1), today):
            last_day = day if self.end > self.start else day + timedelta(days=1)
            # In UTC, since a wall clock jumps when daylight saving begins or ends.
            begins = datetime.combine(day, self.start, self.zone).astimezone(
                timezone.utc
            )
            ends = datetime.combine(last_day, self.end, self.zone).astimezone(
                timezone.utc
            )
            if begins <= now < ends:
                return ends
        return None

    @override
    def __str__(self) -> str:
        """For people."""
        return f"{self.start:%H:%M} to {self.end:%H:%M} {self.zone.key}"
