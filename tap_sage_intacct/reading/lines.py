"""Lines whose header changed, which may change without a stamp of their own.

Fivetran re-reads GL details by journal entry for the same reason [C].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tap_sage_intacct.catalog.sources import RECORD_NUMBER, Header
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pages.page import Page
from tap_sage_intacct.intacct.pages.paging_key import Position
from tap_sage_intacct.intacct.query import MAX_IN_VALUES, AnyOf, Condition
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import Row
from tap_sage_intacct.intacct.rows.values import (
    Converter,
    InvalidValue,
    ValueType,
    converter,
)


def changed_headers(
    gateway: Gateway,
    header: Header,
    stamped: Callable[[str], Condition],
    start: Position | None,
) -> Iterator[Page]:
    """Headers that changed after they were made, by their record numbers.

    A header that was only made has lines that are as new, and come by their own stamps.

    Args:
        gateway: to ask.
        header: what they are.
        stamped: makes the condition that a stamp lies in the time to look at.
        start: headers up to and including this one are left out.

    Returns:
        at most as many headers a page as one `in` list holds.

    Raises:
        PermissionDenied: the role may not read headers.
    """
    fields = tuple(dict.fromkeys(("RECORDNO", header.created, *header.stamps)))
    reader = ObjectReader(gateway, header.object_name, fields, page_size=MAX_IN_VALUES)
    instant = converter(ValueType.TIMESTAMP, gateway.user_format())
    condition = AnyOf(tuple(map(stamped, header.stamps)))
    for page in KeySetPaging(reader, RECORD_NUMBER).pages(condition, start):
        changed = [row for row in page.rows if _has_changed(row, header, instant)]
        yield replace(page, rows=changed)


def _has_changed(row: Row, header: Header, instant: Converter) -> bool:
    try:
        created = instant(row.get(header.created, ""))
        stamps = [instant(row.get(name, "")) for name in header.stamps]
    except InvalidValue:
        # Unknown: better read once more than never.
        return True
    # Not whether they are later: a clock that was set back meanwhile shows less.
    return not created or any(stamp != created for stamp in stamps if stamp)
