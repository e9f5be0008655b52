"""One page of a source, and how many rows there are in all: what a first call tells."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_sage_intacct.catalog.sources import ReadFunction
from tap_sage_intacct.catalog.stored_codes import stored_values
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.errors import RequestRefused
from tap_sage_intacct.intacct.pages.nested import NestedPaging
from tap_sage_intacct.intacct.query import Comparison, Condition, Operator, both
from tap_sage_intacct.intacct.reader import (
    MAX_READ_BY_QUERY_PAGE,
    ObjectReader,
)
from tap_sage_intacct.selection.entities import belongs_to, partitions_of
from tap_sage_intacct.selection.periods import ReportingPeriod, chosen_periods
from tap_sage_intacct.selection.rows import PERIOD

if TYPE_CHECKING:
    from tap_sage_intacct.catalog.discovery import OfferedSource
    from tap_sage_intacct.intacct.gateway import Gateway
    from tap_sage_intacct.intacct.rows.row import Row
    from tap_sage_intacct.run.run import Run
    from tap_sage_intacct.selection.rows import RowSelection

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FirstPage:
    """What one call brought.

    Attributes:
        total: rows that fit in all; None where Intacct does not count them.
        page_size: the most rows that the function gives in a call.
    """

    rows: Sequence[Row]
    total: int | None
    page_size: int


@dataclass(frozen=True)
class Part:
    """A part of a source that is read by itself: of an entity, of a period.

    Attributes:
        condition: what holds rows to the part, beside the user's filter.
    """

    gateway: Gateway
    condition: Condition | None = None
    entity: str | None = None
    period: str | None = None


def parts(run: Run, offered: OfferedSource, selection: RowSelection) -> Iterator[Part]:
    """The parts in which the tap would read a source; one where it is read whole.

    Raises:
        InvalidSettings: there is no such entity or period, or no period is named.
    """
    entities: Sequence[str | None] = (None,)
    if run.entities:
        entities = partitions_of(offered.source, offered.schema, run.entities)
    periods: Sequence[str | None] = (None,)
    if offered.source.needs_period:
        periods = [period.name for period in balance_periods(run, selection)]
    for entity in entities:
        owned = None if entity is None else belongs_to(entity, offered.schema)
        for period in periods:
            dated = period and Comparison(PERIOD, Operator.EQUAL, (period,))
            gateway = run.gateway_of(entity)
            yield Part(gateway, both(owned, dated or None), entity, period)


def balance_periods(run: Run, selection: RowSelection) -> list[ReportingPeriod]:
    """The periods that are chosen, the earliest end first.

    Raises:
        InvalidSettings: none is named, or there is none of such a name.
    """
    if not selection.periods:
        raise InvalidSettings(
            [
                "Balances are read period by period, and none is named: set "
                "balance_periods, or filter by PERIOD = 'Month Ended June 2026'."
            ]
        )
    today = run.gateway.server_now().date()
    return chosen_periods(run.periods, selection.periods, today)


def first_page(
    part: Part,
    offered: OfferedSource,
    fields: Sequence[str],
    condition: Condition | None,
    page_size: int,
) -> FirstPage:
    """The first page of a part, by the first function that Intacct serves.

    Raises:
        PermissionDenied: the object may not be read.
        RequestRefused: by the last function.
    """
    source = offered.source
    reader = ObjectReader(
        part.gateway,
        source.object_name,
        tuple(fields),
        page_size=page_size,
        stored=stored_values(source.object_name),
        document_type=source.document_type,
    )
    *preferred, last = source.functions
    wanted = both(part.condition, condition)
    for function in preferred:
        try:
            return _page_by(function, reader, offered, wanted)
        except RequestRefused as error:
            logger.debug("%s: %s", source.object_name, error)
    return _page_by(last, reader, offered, wanted)


def _page_by(
    function: ReadFunction,
    reader: ObjectReader,
    offered: OfferedSource,
    condition: Condition | None,
) -> FirstPage:
    if function is ReadFunction.QUERY:
        found = reader.query(condition, offered.source.paging_key.order).result()
        return FirstPage(found.rows, found.total, found.page_size)
    if function is ReadFunction.READ_BY_QUERY:
        found = reader.open_result_set(condition).result()
        return FirstPage(found.rows, found.total, found.page_size)
    size = min(reader.page_size, MAX_READ_BY_QUERY_PAGE)
    source = offered.source
    pages = NestedPaging(reader, str(source.parent), source.paging_key).pages()
    rows: Sequence[Row] = next((page.rows for page in pages), ())
    return FirstPage(rows[:size], None, size)
