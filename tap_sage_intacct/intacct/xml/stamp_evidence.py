"""How Intacct writes stamps of the other season, by a record whose time is known.

The audit trail of one record has times in ISO 8601 with their offset [D]. A record that
changed last in the other half of the year bears a stamp of the same moment: it was
written either with the offset of that day or with the current one. Two requests.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from lxml import etree

from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.query import AllOf, Comparison, Operator, Query
from tap_sage_intacct.intacct.rows.user_format import UserFormat
from tap_sage_intacct.intacct.rows.user_zone import UserZone, offset_of
from tap_sage_intacct.intacct.rows.values import (
    Converter,
    InvalidValue,
    ValueType,
    converter,
)
from tap_sage_intacct.intacct.xml import functions
from tap_sage_intacct.intacct.xml.calls import FunctionCalls
from tap_sage_intacct.intacct.xml.envelope import Function, read_rows
from tap_sage_intacct.intacct.xml.query import query_function

# Every company has some of them, and each of their changes is audited.
_OBJECTS = ("GLACCOUNT", "VENDOR", "CUSTOMER", "DEPARTMENT", "EMPLOYEE")
_ROWS = 2
_SAME_MOMENT = timedelta(minutes=2)
_ISO = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StampEvidence:
    """What one stamp shows.

    Attributes:
        wall: what it says, naive.
        offset: with which it was written.
    """

    wall: datetime
    offset: timedelta


def stamp_evidence(
    calls: FunctionCalls, user_format: UserFormat
) -> StampEvidence | None:
    """Find a stamp of the other season, and with which offset it was written.

    None where no clock that may be the user's has another season, or no record tells:
    there is none, it may not be read, or its trail does not hold the change.
    """
    zone = user_format.zone
    season = zone.other_season() if zone is not None else None
    if zone is None or season is None:
        return None
    try:
        return _evidence(calls, user_format, zone, season)
    except IntacctError as error:
        logger.info("How Intacct writes timestamps could not be found out. %s", error)
        return None


def _evidence(
    calls: FunctionCalls,
    user_format: UserFormat,
    zone: UserZone,
    season: tuple[datetime, datetime],
) -> StampEvidence | None:
    queries = [_query(name, season, user_format) for name in _OBJECTS]
    stamped = list(_stamped(calls.call_each(queries), user_format))
    trails = [functions.get_audit_trail(name, number) for name, number, _ in stamped]
    for (_, _, wall), answer in zip(stamped, calls.call_each(trails), strict=True):
        offset = _offset(wall, zone, list(_moments(answer)))
        if offset is not None:
            return StampEvidence(wall, offset)
    return None


def _query(
    name: str, season: tuple[datetime, datetime], user_format: UserFormat
) -> Function:
    since, until = season
    within = AllOf(
        (
            Comparison("WHENMODIFIED", Operator.GREATER_OR_EQUAL, (since,)),
            Comparison("WHENMODIFIED", Operator.LESS_OR_EQUAL, (until,)),
        )
    )
    query = Query(name, ("RECORDNO", "WHENMODIFIED"), within, ("RECORDNO",))
    return query_function(query, user_format, page_size=_ROWS)


def _stamped(
    answers: list[etree._Element | IntacctError], user_format: UserFormat
) -> Iterator[tuple[str, str, datetime]]:
    """Object, number and what the stamp says, of each row."""
    read = converter(ValueType.TIMESTAMP, user_format)
    for name, answer in zip(_OBJECTS, answers, strict=True):
        if isinstance(answer, IntacctError):
            continue
        for row in read_rows(answer).rows:
            instant = _instant(read, row["WHENMODIFIED"])
            if instant is not None:
                wall = instant.replace(tzinfo=None) + user_format.gmt_offset
                yield name, row["RECORDNO"], wall


def _instant(read: Converter, text: str) -> datetime | None:
    try:
        value = read(text)
    except InvalidValue:
        return None
    return None if value is None else datetime.fromisoformat(str(value))


def _moments(answer: etree._Element | IntacctError) -> Iterator[datetime]:
    """Every time that the trail names; how its elements are called is unknown [?]."""
    if isinstance(answer, IntacctError):
        return
    for text in answer.itertext():
        for found in _ISO.findall(str(text)):
            yield datetime.fromisoformat(found.replace("Z", "+00:00"))


def _offset(
    wall: datetime, zone: UserZone, moments: Sequence[datetime]
) -> timedelta | None:
    """The one offset that makes the stamp a time of the trail; None if several do."""
    own = {offset_of(candidate, wall) for candidate in zone.zones}
    fitting = [
        offset
        for offset in {zone.offset, *own}
        if any(
            abs(moment - (wall - offset).replace(tzinfo=timezone.utc)) <= _SAME_MOMENT
            for moment in moments
        )
    ]
    is_other_season = own != {zone.offset}
    return fitting[0] if len(fitting) == 1 and is_other_season else None
