"""Dates and timestamps in the API user's own formatting, both ways.

Intacct sends timestamps without zone, in the zone, date order and clock of the user who
asks, and reads filters the same way [C].
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

_ORDER_CODES = {"m": "%m", "d": "%d", "y": "%y", "Y": "%Y"}
_PLAIN_TIMESTAMP_LENGTH = 19


@dataclass(frozen=True, slots=True)
class UserFormatting:
    """What `readUserFormatting` answers [D].

    Attributes:
        date_format: the separator, then the order: `/mdY`, `.dmY`, `-Ymd`;
            `y` is a year of two digits.
        gmt_offset: `+hh:mm` or `-hh:mm`; of a user with a time zone, the current one.
        clock: `24` or `12`.
        time_zone: IANA name of the user's zone; None: the offset never changes.
        stamps: timestamps have the offset of their `own_day`, or all have the
            `current` one. Which of them Intacct does is unknown [?]; servers that
            know the zone do the former as a rule [I].
        repeated: which of two instants a filter means in the hour that the clock
            repeats, and how it is read in the hour that the clock skips: by the
            offset before the change (`first`) or after it (`second`) [?].
        skipped_refused: a filter in the hour that the clock skips is an error [?].
    """

    locale: str = "en_US"
    date_format: str = "/mdY"
    gmt_offset: str = "+00:00"
    clock: str = "24"
    time_zone: str | None = None
    stamps: Literal["own_day", "current"] = "own_day"
    repeated: Literal["first", "second"] = "first"
    skipped_refused: bool = False

    def at(self, now: datetime) -> UserFormatting:
        """The same with the offset that the user's zone has now."""
        if self.time_zone is None:
            return self
        offset = now.astimezone(ZoneInfo(self.time_zone)).utcoffset() or timedelta()
        return replace(self, gmt_offset=_offset_text(offset))

    @property
    def date_pattern(self) -> str:
        """The date as a pattern for strftime and strptime."""
        separator, order = self.date_format[0], self.date_format[1:]
        return separator.join(_ORDER_CODES[code] for code in order)

    @property
    def timestamp_pattern(self) -> str:
        """The timestamp as a pattern for strftime and strptime."""
        clock = "%H:%M:%S" if self.clock == "24" else "%I:%M:%S %p"
        return f"{self.date_pattern} {clock}"

    @property
    def offset(self) -> timedelta:
        """How far the user's clock is ahead of UTC."""
        sign = -1 if self.gmt_offset[0] == "-" else 1
        hours, minutes = self.gmt_offset[1:].split(":")
        return sign * timedelta(hours=int(hours), minutes=int(minutes))

    def render_date(self, stored: str) -> str:
        """`2026-01-31` as the user sees it. A date has no zone [D]."""
        if self.date_format == "/mdY":
            return f"{stored[5:7]}/{stored[8:10]}/{stored[:4]}"
        return _from_iso(stored).strftime(self.date_pattern)

    def render_timestamp(self, stored: str) -> str:
        """`2026-01-31T07:12:45`, UTC, as the user sees it."""
        if self == _PLAIN:
            return f"{stored[5:7]}/{stored[8:10]}/{stored[:4]} {stored[11:19]}"
        moment = _from_iso(stored)
        return (moment + self._offset_at(moment)).strftime(self.timestamp_pattern)

    def parse_date(self, text: str) -> str:
        """A date of a filter as the books store it.

        Raises:
            ValueError: any other form, ISO included.
        """
        # Not strftime, which does not pad the years before 1000.
        return _parse(text, self.date_pattern).date().isoformat()

    def parse_timestamp(self, text: str) -> str:
        """A timestamp of a filter as the books store it: UTC.

        A bare date is that day's midnight on the user's clock.

        Raises:
            ValueError: any other form, ISO included; or a skipped hour, if that is
                refused.
        """
        pattern = self.timestamp_pattern if " " in text else self.date_pattern
        wall = _parse(text, pattern)
        moment = wall - self._offset_of(wall)
        is_skipped = moment + self._offset_at(moment) != wall
        if is_skipped and self.skipped_refused:
            raise ValueError(text)
        return moment.isoformat(timespec="seconds")

    def _offset_at(self, moment: datetime) -> timedelta:
        """How far the user's clock is ahead of UTC at a moment of UTC."""
        if self.time_zone is None or self.stamps == "current":
            return self.offset
        local = moment.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(self.time_zone))
        return local.utcoffset() or timedelta()

    def _offset_of(self, wall: datetime) -> timedelta:
        """How far ahead it is when it shows this."""
        if self.time_zone is None or self.stamps == "current":
            return self.offset
        fold = 0 if self.repeated == "first" else 1
        local = wall.replace(tzinfo=ZoneInfo(self.time_zone), fold=fold)
        return local.utcoffset() or timedelta()


_PLAIN = UserFormatting()


def _offset_text(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"


def _from_iso(stored: str) -> datetime:
    if len(stored) >= _PLAIN_TIMESTAMP_LENGTH:
        return datetime.fromisoformat(stored[:19])  # UTC by contract
    return datetime.strptime(stored, "%Y-%m-%d")  # noqa: DTZ007 - a date has no zone


def _parse(text: str, pattern: str) -> datetime:
    # A year of more or fewer than four digits is something strptime lets pass.
    if "%Y" in pattern and not re.search(r"(?<!\d)\d{4}(?!\d)", text):
        raise ValueError(text)
    return datetime.strptime(text, pattern)  # noqa: DTZ007 - the user's zone, added by the caller
