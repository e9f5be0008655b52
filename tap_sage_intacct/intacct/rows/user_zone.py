"""The user's clock: how far a stamp or a filter may be from GMT.

Pure. Intacct tells one offset of the API user, the current one [D]. Whether it writes
a stamp with the offset of that stamp's own day, or all of them with the current one,
is unknown [?]. So what a stamp means may be a guess, but what a filter may mean is
known within bounds, and a filter is widened by them: a row that comes twice does no
harm, one that never comes does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

CHANGING_ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Adak",
    "America/Anchorage",
    "America/Asuncion",
    "America/Chicago",
    "America/Coyhaique",
    "America/Denver",
    "America/Halifax",
    "America/Havana",
    "America/Los_Angeles",
    "America/Miquelon",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Almaty",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Jerusalem",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Athens",
    "Europe/Berlin",
    "Europe/Chisinau",
    "Europe/London",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Easter",
    "Pacific/Norfolk",
)
"""Zones whose offset has changed since 2024, one for all that change alike.

Their rules come from the time zone database. To look through all of its 600 names would
take half a second of each run; a test does, and names those that are missing here.
"""

# Of a user whose preferences may not be read, the clock may show anything.
ANY_ZONE: tuple[tzinfo, ...] = (
    timezone(timedelta(hours=-12)),
    timezone(timedelta(hours=14)),
)

_LONGEST_SHIFT = timedelta(hours=2)
"""No clock is set forward or back by more than Antarctica/Troll's."""
_LONGEST_RUN = timedelta(days=1)
_STEP = timedelta(minutes=30)
_YEAR, _SAMPLE = 360, 5
"""Days."""


@dataclass(frozen=True, slots=True)
class UserZone:
    """What is known of the zone of the API user.

    Attributes:
        offset: local time less GMT, as Intacct told it.
        asked_at: when it did; aware.
        zones: those that may be the user's.
        by_own_day: a stamp has the offset of its own day in the one zone there is;
            otherwise each is taken to have the current one.
    """

    offset: timedelta
    asked_at: datetime
    zones: tuple[tzinfo, ...]
    by_own_day: bool = False

    def offset_of(self, wall: datetime) -> timedelta:
        """Of a stamp that shows this; in the hour that is repeated, the first time."""
        if not self.by_own_day:
            return self.offset
        return offset_of(self.zones[0], wall)

    def offset_at(self, instant: datetime) -> timedelta:
        """Of the stamp of an aware instant."""
        return _offset(self.zones[0], instant) if self.by_own_day else self.offset

    def no_later(self, instant: datetime) -> datetime:
        """What to write in a filter for this instant or an earlier one; naive."""
        wall = _naive(instant) + min(self._offsets(instant))
        while self._is_skipped(wall):
            wall -= _STEP
        return wall

    def no_earlier(self, instant: datetime) -> datetime:
        """What to write in a filter for this instant or a later one; naive."""
        wall = _naive(instant) + max(self._offsets(instant))
        while self._is_skipped(wall):
            wall += _STEP
        return wall

    def is_exact(self, instant: datetime) -> bool:
        """Whether a filter can name it, and no other instant."""
        return len(self._offsets(instant)) == 1

    def is_steady(self, since: datetime, until: datetime) -> bool:
        """Whether no clock that may be the user's is set within this time."""
        days = (until - since) // _LONGEST_RUN + 1
        moments = [since + _LONGEST_RUN * day for day in range(days)]
        found = {self._offsets(moment) for moment in (*moments, until)}
        return all(len(offsets) == 1 for offsets in found) and len(found) == 1

    def other_season(self) -> tuple[datetime, datetime] | None:
        """When, in the last year, a clock that may be the user's was set otherwise."""
        days = [self.asked_at - timedelta(days=n) for n in range(_YEAR, 0, -_SAMPLE)]
        other = [day for day in days if self.offset not in self._of_day(day)]
        other = other or [day for day in days if self._of_day(day) != {self.offset}]
        return (other[0], other[-1]) if other else None

    def _of_day(self, day: datetime) -> set[timedelta]:
        return {_offset(zone, day) for zone in self.zones}

    def _offsets(self, instant: datetime) -> frozenset[timedelta]:
        """All that Intacct may apply to a filter that names this instant.

        Those on either side of a change of the clock near it, and those that are
        current while this run lasts.
        """
        moments = (*_around(instant), self.asked_at, self.asked_at + _LONGEST_RUN)
        found = {_offset(zone, moment) for zone in self.zones for moment in moments}
        return frozenset({self.offset, *found})

    def _is_skipped(self, wall: datetime) -> bool:
        """Whether a clock that may be the user's never shows this."""
        return any(
            wall.replace(tzinfo=zone).astimezone(timezone.utc).astimezone(zone)
            != wall.replace(tzinfo=zone)
            for zone in self.zones
        )


def offset_of(zone: tzinfo, wall: datetime) -> timedelta:
    """Of a clock that shows this; in the hour that is repeated, the first time."""
    return wall.replace(tzinfo=zone).utcoffset() or timedelta()


def possible_zones(offset: timedelta, asked_at: datetime) -> tuple[tzinfo, ...]:
    """The zones with daylight saving whose clock may be this far from GMT now."""
    zones = map(ZoneInfo, CHANGING_ZONES)
    return tuple(zone for zone in zones if may_be(zone, offset, asked_at))


def may_be(zone: tzinfo, offset: timedelta, asked_at: datetime) -> bool:
    """Whether the zone has this offset now, or had it or will have it in an hour."""
    return offset in {_offset(zone, moment) for moment in _around(asked_at)}


def _around(instant: datetime) -> tuple[datetime, ...]:
    return instant - _LONGEST_SHIFT, instant, instant + _LONGEST_SHIFT


def _offset(zone: tzinfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0)
