"""The first page of a source, and how many rows there are: what one call brings."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from tap_sage_intacct.catalog.sources import DataSource, ReadFunction
from tap_sage_intacct.intacct.errors import RequestRefused
from tap_sage_intacct.intacct.pages.nested import NestedPaging
from tap_sage_intacct.intacct.query import Condition
from tap_sage_intacct.intacct.reader import MAX_READ_BY_QUERY_PAGE, ObjectReader
from tap_sage_intacct.intacct.rows.row import Row

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


def first_page(
    source: DataSource, reader: ObjectReader, condition: Condition | None
) -> FirstPage:
    """The first page, by the first of the source's functions that Intacct serves.

    Raises:
        PermissionDenied: the object may not be read.
        RequestRefused: by the last function.
    """
    *preferred, last = source.functions
    for function in preferred:
        try:
            return _page_by(function, source, reader, condition)
        except RequestRefused as error:
            logger.debug("%s: %s", source.object_name, error)
    return _page_by(last, source, reader, condition)


def _page_by(
    function: ReadFunction,
    source: DataSource,
    reader: ObjectReader,
    condition: Condition | None,
) -> FirstPage:
    if function is ReadFunction.QUERY:
        found = reader.query(condition, source.paging_key.order).result()
        return FirstPage(found.rows, found.total, found.page_size)
    if function is ReadFunction.READ_BY_QUERY:
        found = reader.open_result_set(condition).result()
        return FirstPage(found.rows, found.total, found.page_size)
    size = min(reader.page_size, MAX_READ_BY_QUERY_PAGE)
    pages = NestedPaging(reader, str(source.parent), source.paging_key).pages()
    rows: Sequence[Row] = next((page.rows for page in pages), ())
    return FirstPage(rows[:size], None, size)
