"""What the API user's preferences leave open about times, and what people are told.

Intacct tells the offset that the user's clock has now, and no zone [D]. Los Angeles and
Phoenix differ in summer alone; only a stamp of the other season tells which it is, and
only if its moment is known from elsewhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tap_sage_intacct.intacct.errors import ConfigurationError, IntacctError
from tap_sage_intacct.intacct.rows.user_format import (
    DEFAULT_USER_FORMAT,
    UserFormat,
    offset_text,
)
from tap_sage_intacct.intacct.rows.user_zone import (
    ANY_ZONE,
    UserZone,
    may_be,
    offset_of,
    possible_zones,
)
from tap_sage_intacct.intacct.xml.stamp_evidence import StampEvidence

logger = logging.getLogger(__name__)


Look = Callable[[UserFormat], StampEvidence | None]


def with_zone(
    told: UserFormat, now: datetime, named: ZoneInfo | None, look: Look
) -> UserFormat:
    """What is known of the user's zone, beside the offset that Intacct told.

    Args:
        told: the user's preferences.
        now: when they were asked for, by Intacct's clock.
        named: the zone, where the settings name it.
        look: for a stamp of the other season, where one can tell more.

    Raises:
        ConfigurationError: the named zone has another offset.
    """
    offset = told.gmt_offset
    if named is not None and not may_be(named, offset, now):
        raise ConfigurationError(
            f"user_timezone is {named}, whose clock now shows "
            f"{offset_text(now.astimezone(named).utcoffset())}, but the clock of the "
            f"API user shows {offset_text(offset)}: name the time zone that the "
            "user's preferences in Sage Intacct show."
        )
    zones = possible_zones(offset, now) if named is None else (named,)
    if not zones:
        return told
    zone = UserZone(offset, now, zones, by_own_day=named is not None)
    # In winter London has the offset of GMT, but GMT is what nearly all API users have.
    if offset or named is not None:
        zone = _settled(zone, look(replace(told, zone=replace(zone, by_own_day=False))))
    return replace(told, zone=zone)


def _settled(zone: UserZone, evidence: StampEvidence | None) -> UserZone:
    """By the evidence there is; with a warning where it leaves stamps open."""
    if evidence is not None and evidence.offset == zone.offset:
        logger.info("Intacct writes all timestamps with the user's current offset.")
        return replace(zone, by_own_day=False)
    if evidence is not None:
        fitting = [
            candidate
            for candidate in zone.zones
            if offset_of(candidate, evidence.wall) == evidence.offset
        ]
        zone = replace(zone, zones=tuple(fitting), by_own_day=len(fitting) == 1)
    if zone.by_own_day:
        logger.info("Timestamps are read by the time zone %s.", zone.zones[0])
        return zone
    logger.warning(
        "The clock of the API user shows %s, where some zones have daylight saving: "
        "timestamps of the other half of the year may be off by its hour. No row is "
        "lost. Set the user's time zone in Sage Intacct to GMT, or name it in "
        "user_timezone.",
        offset_text(zone.offset),
    )
    return zone


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
