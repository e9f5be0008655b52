"""Deletions, from the audit trail.

Knows how AUDITHISTORY is asked and how it names records; which record of an object
is meant, and whether it lives again, is for the caller to find out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pages.paging_key import KeyField, PagingKey
from tap_sage_intacct.intacct.query import AllOf, Comparison, Operator
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.values import ValueType

# Offsets into the trail fail at random with DL02000001 [C: hotglue, Meltano].
_BY_TIME = PagingKey((KeyField("ACCESSTIME", ValueType.TIMESTAMP),), tie_breaker="ID")
# Where the user's clock may be set back, a stamp names no place in the trail.
_BY_ID = PagingKey((), tie_breaker="ID")
_DELETE = "D"
_RECORD_NUMBER = re.compile(r"(\d{1,18})(?:--REC)?", re.ASCII)


def deleted_keys(
    gateway: Gateway, object_name: str, since: datetime, until: datetime
) -> Iterator[list[str]]:
    """OBJECTKEYs of the records deleted in a time, both ends included, page by page.

    Whether the system's own re-creation of bills and invoices is logged, how late the
    trail is and how far it reaches back is unknown [?].

    Raises:
        PermissionDenied: the role may not view the audit trail.
    """
    # A filter on type and time is needed in practice; query compares codes here [D].
    condition = AllOf(
        (
            Comparison("OBJECTTYPE", Operator.EQUAL, (object_name.lower(),)),
            Comparison("ACCESSMODE", Operator.EQUAL, (_DELETE,)),
            Comparison("ACCESSTIME", Operator.GREATER_OR_EQUAL, (since,)),
            Comparison("ACCESSTIME", Operator.LESS_OR_EQUAL, (until,)),
        )
    )
    reader = ObjectReader(gateway, "AUDITHISTORY", ("OBJECTKEY",))
    is_steady = gateway.user_format().is_steady(since, until)
    key = _BY_TIME if is_steady else _BY_ID
    for page in KeySetPaging(reader, key).pages(condition):
        yield [row["OBJECTKEY"] for row in page.rows if row["OBJECTKEY"]]


def record_number(object_key: str) -> int | None:
    """The RECORDNO in an OBJECTKEY: `123` or `123--REC` [C: Estuary]; else None.

    The key may be a business id instead (VENDORID, LOGINID) [D], also one of digits.
    """
    match = _RECORD_NUMBER.fullmatch(object_key)
    return int(match[1]) if match else None
