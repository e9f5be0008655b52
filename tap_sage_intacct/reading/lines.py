"""Lines whose header changed, which may change without a stamp of their own.

Fivetran re-reads GL details by journal entry for the same reason [C].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_sage_intacct.catalog.sources import RECORD_NUMBER
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pages.page import Page
from tap_sage_intacct.intacct.query import MAX_IN_VALUES, AnyOf, Condition, both, in_
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.values import InvalidValue, ValueType, converter

if TYPE_CHECKING:
    from tap_sage_intacct.catalog.sources import Header
    from tap_sage_intacct.intacct.gateway import Gateway
    from tap_sage_intacct.intacct.pages.paging_key import PagingKey, Position
    from tap_sage_intacct.intacct.rows.row import Row


@dataclass(frozen=True, slots=True)
class ChangedHeaders:
    """Headers in the order of their record numbers.

    Attributes:
        numbers: as Intacct writes them; at most as many as one `in` list holds.
        position: reading may resume after it.
    """

    numbers: list[str]
    position: Position | None


def changed_headers(
    gateway: Gateway,
    header: Header,
    stamped: Callable[[str], Condition],
    *,
    start: Position | None = None,
) -> Iterator[ChangedHeaders]:
    """Headers that changed after they were made.

    What was only made has lines that are as new, and come by their own stamps.

    Args:
        gateway: to ask.
        header: what they are.
        stamped: makes the condition that a stamp lies in the time to look at.
        start: headers up to and including this one are left out.

    Raises:
        PermissionDenied: the role may not read headers.
    """
    fields = tuple(dict.fromkeys(("RECORDNO", header.created, *header.stamps)))
    reader = ObjectReader(gateway, header.object_name, fields, page_size=MAX_IN_VALUES)
    has_changed = _change_test(gateway, header)
    condition = AnyOf(tuple(map(stamped, header.stamps)))
    for page in KeySetPaging(reader, RECORD_NUMBER).pages(condition, start):
        numbers = [row["RECORDNO"] for row in page.rows if has_changed(row)]
        yield ChangedHeaders(numbers, page.position)


def lines_of(
    reader: ObjectReader,
    key: PagingKey,
    header: Header,
    numbers: Sequence[str],
    condition: Condition | None,
) -> Iterator[Page]:
    """All lines of these headers."""
    if not numbers:
        return iter(())
    owned = in_(header.field, [int(number) for number in numbers])
    return KeySetPaging(reader, key).pages(both(condition, owned))


def _change_test(gateway: Gateway, header: Header) -> Callable[[Row], bool]:
    instant = converter(ValueType.TIMESTAMP, gateway.user_format())

    def has_changed(row: Row) -> bool:
        try:
            created = instant(row.get(header.created, ""))
            stamps = [instant(row.get(name, "")) for name in header.stamps]
        except InvalidValue:
            # Nobody knows: better read once more than never.
            return True
        # Not whether they are later: a clock that was set back meanwhile shows less.
        return not created or any(stamp != created for stamp in stamps if stamp)

    return has_changed
