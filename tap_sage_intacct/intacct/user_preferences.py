"""What the API user's preferences leave open about times, and what people are told.

Intacct tells the offset that the user's clock has now, and no zone [D]. Neither the
sign-in nor a row tells more: Los Angeles and Phoenix differ in summer alone.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tap_sage_intacct.intacct.errors import ConfigurationError, IntacctError
from tap_sage_intacct.intacct.user_format import DEFAULT_USER_FORMAT, UserFormat
from tap_sage_intacct.intacct.user_zone import (
    ANY_ZONE,
    UserZone,
    may_be,
    possible_zones,
)

logger = logging.getLogger(__name__)


def with_zone(
    told: UserFormat, now: datetime, named: ZoneInfo | None = None
) -> UserFormat:
    """What is known of the user's zone, beside the offset that Intacct told.

    Args:
        told: the user's preferences.
        now: when they were asked for, by Intacct's clock.
        named: the zone, where the settings name it.

    Raises:
        ConfigurationError: the named zone has another offset.
    """
    offset = told.gmt_offset
    if named is not None:
        if not may_be(named, offset, now):
            raise ConfigurationError(
                f"user_timezone is {named}, whose clock now shows "
                f"{offset_text(now.astimezone(named).utcoffset())}, but the clock of the "
                f"API user shows {offset_text(offset)}: name the time zone that the "
                "user's preferences in Sage Intacct show."
            )
        return replace(told, zone=UserZone(offset, now, (named,), by_own_day=True))
    zones = possible_zones(offset, now)
    # In winter London has the offset of GMT, but GMT is what nearly all API users have.
    if zones and offset:
        logger.warning(
            "The clock of the API user shows %s, where some zones have daylight saving: "
            "timestamps of the other half of the year may be off by its hour. No row is "
            "lost. Set the user's time zone in Sage Intacct to GMT, or name it in "
            "user_timezone.",
            offset_text(offset),
        )
    return replace(told, zone=UserZone(offset, now, zones) if zones else None)


def unknown_user_format(
    refusal: IntacctError, now: datetime, named: ZoneInfo | None = None
) -> UserFormat:
    """What to assume where the preferences may not be read.

    Args:
        refusal: why not.
        now: by Intacct's clock.
        named: the zone, where the settings name it.
    """
    logger.warning(
        "The date and time preferences of the user could not be read; assuming "
        "MM/DD/YYYY, 24 h and %s. %s",
        named or "UTC",
        refusal,
    )
    if named is None:
        zone = UserZone(timedelta(), now, ANY_ZONE)
        return replace(DEFAULT_USER_FORMAT, zone=zone)
    offset = now.astimezone(named).utcoffset() or timedelta()
    zone = UserZone(offset, now, (named,), by_own_day=True)
    return replace(DEFAULT_USER_FORMAT, gmt_offset=offset, zone=zone)


def offset_text(offset: timedelta | None) -> str:
    """`GMT+05:30`."""
    minutes = int((offset or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"GMT{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
