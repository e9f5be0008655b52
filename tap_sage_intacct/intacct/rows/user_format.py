"""The API user's preferences for dates: what a text means, how a filter is written.

Intacct writes and expects dates as the API user has them set (Sage on
readUserFormatting [D]; other connectors [C]).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from tap_sage_intacct.errors import TapError
from tap_sage_intacct.intacct.rows.user_zone import UserZone

TWO_DIGIT_YEAR_PIVOT = 69
"""Two-digit years from here on are 19yy, below it 20yy, as POSIX has them [I]."""

_DATE_FORMAT = re.compile(
    r"(?P<separator>[^\w\x00-\x1f])(?P<order>md[yY]|dm[yY]|[yY]md)", re.ASCII
)
_GMT_OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)", re.ASCII)
_WIDEST_OFFSET = timedelta(hours=14)
NOON = 12


class UnusableUserFormat(TapError):
    """The API user's date format cannot hold a date."""


@dataclass(frozen=True, slots=True)
class UserFormat:
    """How Intacct writes dates for the API user, as `readUserFormatting` tells it [D].

    Attributes:
        date_order: "mdy", "dmy" or "ymd".
        separator: the character between day, month and year.
        four_digit_year: False where years have two digits.
        gmt_offset: local time less GMT; the user's current one.
        twenty_four_hour: False where the clock has AM and PM.
        zone: what is known of changes of the offset; None where it never changes.
    """

    date_order: str
    separator: str
    four_digit_year: bool
    gmt_offset: timedelta
    twenty_four_hour: bool
    zone: UserZone | None = None

    @classmethod
    def from_preferences(
        cls, dateformat: str, gmtoffset: str, clock: str
    ) -> UserFormat:
        """Read the three texts of a `<userformatting>` element.

        Args:
            dateformat: separator and order, `y` for two and `Y` for four digits of
                the year: `/mdY` [D].
            gmtoffset: `+hh:mm` or `-hh:mm` [D].
            clock: `12` or `24` [D].

        Raises:
            ValueError: a text of another form.
        """
        layout = _DATE_FORMAT.fullmatch(dateformat)
        if layout is None:
            raise ValueError(
                f"date format {dateformat!r} of the API user: expected a separator and "
                "an order of d, m and y, as in /mdY"
            )
        if clock not in ("12", "24"):
            raise ValueError(f"clock {clock!r} of the API user: expected 12 or 24")
        order = layout["order"]
        return cls(
            date_order=order.lower(),
            separator=layout["separator"],
            four_digit_year="Y" in order,
            gmt_offset=read_offset(gmtoffset),
            twenty_four_hour=clock == "24",
        )

    def format_date(self, value: date) -> str:
        """Write a date as a filter has to name it.

        Raises:
            UnusableUserFormat: the year cannot be told from two digits.
        """
        year = f"{value.year:04}"
        if not self.four_digit_year:
            year = year[2:]
            if full_year(year) != value.year:
                raise UnusableUserFormat(
                    "The API user's date format has two-digit years, which cannot hold "
                    f"{value.isoformat()}: set four digits in the user's preferences in "
                    "Sage Intacct."
                )
        parts = {"y": year, "m": f"{value.month:02}", "d": f"{value.day:02}"}
        return self.separator.join(parts[part] for part in self.date_order)

    def format_timestamp(self, value: datetime) -> str:
        """Write an instant as its stamp is written; parts of a second are cut off.

        Raises:
            UnusableUserFormat: its year needs four digits.
            ValueError: the instant has no zone.
        """
        instant = _aware(value)
        zone = self.zone
        offset = self.gmt_offset if zone is None else zone.offset_at(instant)
        return self.format_wall_clock(instant.astimezone(timezone(offset)))

    def format_no_later(self, value: datetime) -> str:
        """Write what means this instant, or where that is not sure an earlier one.

        Raises:
            UnusableUserFormat: see `format_timestamp`.
        """
        if self.zone is None:
            return self.format_timestamp(value)
        return self.format_wall_clock(self.zone.no_later(_aware(value)))

    def format_no_earlier(self, value: datetime) -> str:
        """Write what means this instant, or where that is not sure a later one.

        Raises:
            UnusableUserFormat: see `format_timestamp`.
        """
        if self.zone is None:
            return self.format_timestamp(value)
        return self.format_wall_clock(self.zone.no_earlier(_aware(value)))

    def format_wall_clock(self, local: datetime) -> str:
        """Write what the user's clock shows; a zone is ignored.

        Raises:
            UnusableUserFormat: the year needs four digits.
        """
        day = self.format_date(local.date())
        if self.twenty_four_hour:
            return f"{day} {local.hour:02}:{local.minute:02}:{local.second:02}"
        hour = local.hour % 12 or 12
        half = "PM" if local.hour >= NOON else "AM"
        return f"{day} {hour:02}:{local.minute:02}:{local.second:02} {half}"

    def offset_of(self, wall: datetime) -> timedelta:
        """Local time less GMT, of a stamp that shows this."""
        return self.gmt_offset if self.zone is None else self.zone.offset_of(wall)

    def is_exact(self, instant: datetime) -> bool:
        """Whether a filter can name this instant, and no other."""
        return self.zone is None or self.zone.is_exact(instant)

    def is_steady(self, since: datetime, until: datetime) -> bool:
        """Whether stamps within this time rise as the time does."""
        return self.zone is None or self.zone.is_steady(since, until)


DEFAULT_USER_FORMAT = UserFormat(
    date_order="mdy",
    separator="/",
    four_digit_year=True,
    gmt_offset=timedelta(0),
    twenty_four_hour=True,
)
"""`/mdY`, `+00:00`, `24`: what Sage's examples have [D]."""


def _aware(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise ValueError(f"an instant needs a zone: {value.isoformat()}")
    return value


def read_offset(text: str) -> timedelta:
    """Read `+hh:mm` or `-hh:mm`; raise ValueError for anything else."""
    match = _GMT_OFFSET.fullmatch(text)
    offset = timedelta()
    if match is not None:
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        offset = -offset if sign == "-" else offset
    if match is None or abs(offset) > _WIDEST_OFFSET:
        raise ValueError(
            f"GMT offset {text!r} of the API user: expected one like +00:00 or -08:00"
        )
    return offset


def full_year(year: str) -> int:
    """Give the year that two or four digits stand for."""
    if len(year) == len("yyyy"):
        return int(year)
    return int(year) + (1900 if int(year) >= TWO_DIGIT_YEAR_PIVOT else 2000)


def offset_text(offset: timedelta | None) -> str:
    """`GMT+05:30`."""
    minutes = int((offset or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"GMT{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
