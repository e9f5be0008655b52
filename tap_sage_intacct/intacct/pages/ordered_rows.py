"""One page whose rows must come in the order of a key."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tap_sage_intacct.intacct.errors import PagesMoved
from tap_sage_intacct.intacct.pages.page import (
    PAGE_TRIES,
    ReadAgain,
    log_and_read_again,
)
from tap_sage_intacct.intacct.pages.paging_key import PagingKey, Position, positions_of
from tap_sage_intacct.intacct.pending import Pending
from tap_sage_intacct.intacct.query import Condition
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import Row, RowSet


@dataclass(frozen=True, slots=True)
class OrderedRows:
    """One answer to a query that asks for an order, found to be in that order.

    Attributes:
        positions: of the rows.
        total: rows that match in all; None where the answer does not say.
        is_last: no rows come after these.
    """

    rows: Sequence[Row]
    positions: list[Position]
    total: int | None
    is_last: bool

    def keyed(self, begin: int = 0) -> Iterator[tuple[Position, Row]]:
        """Each row from one on, with its position."""
        return zip(self.positions[begin:], self.rows[begin:], strict=True)

    def since(self, index: int) -> OrderedRows:
        """Those from one on."""
        return replace(self, rows=self.rows[index:], positions=self.positions[index:])

    def upto(self, count: int) -> OrderedRows:
        """The first of them; others come after these."""
        return replace(
            self,
            rows=self.rows[:count],
            positions=self.positions[:count],
            is_last=False,
        )


def ordered_rows(
    reader: ObjectReader,
    key: PagingKey,
    asked: Pending[RowSet],
    *,
    beyond: Position | None = None,
    read_again: ReadAgain = log_and_read_again,
) -> OrderedRows:
    """The rows of a query that asks for the order of the key.

    Args:
        reader: that asks.
        key: by which the rows are ordered.
        asked: the page.
        beyond: what its condition promises: every key is greater than this one.
        read_again: told before the page is asked for again.

    Raises:
        PagesMoved: no try gave rows in that order.
    """
    for _ in range(PAGE_TRIES - 1):
        try:
            return ordered(reader, key, asked.result(), beyond)
        except PagesMoved as error:
            read_again(error)
    return ordered(reader, key, asked.result(), beyond)


def count_rows(
    reader: ObjectReader, key: PagingKey, condition: Condition | None
) -> int | None:
    """How many rows match now; None where the answer does not say. One call."""
    counter = ObjectReader(reader.gateway, reader.object_name, (), page_size=1)
    return counter.query(condition, key.names[:1]).result().total


def ordered(
    reader: ObjectReader,
    key: PagingKey,
    row_set: RowSet,
    beyond: Position | None,
) -> OrderedRows:
    """An answer whose keys rise (or, if not unique, do not fall).

    Raises:
        PagesMoved: they do not.
    """
    rows = row_set.rows
    positions = positions_of(key, reader.gateway.user_format())(rows)
    found = [position for position in positions if position is not None]
    if len(found) < len(positions):
        raise PagesMoved(
            f"{reader.object_name}: a row came without "
            f"{', '.join(key.names)}, by which pages are cut."
        )
    rises = operator.lt if key.is_unique else operator.le
    is_beyond = not found or beyond is None or beyond < found[0]
    if not is_beyond or not all(map(rises, found, found[1:])):
        raise PagesMoved(
            f"{reader.object_name}: rows came out of the order of "
            f"{', '.join(key.names)}."
        )
    is_last = _is_last(reader.object_name, row_set)
    return OrderedRows(rows, found, row_set.total, is_last)


def _is_last(object_name: str, row_set: RowSet) -> bool:
    """By the count of remaining rows; by a short page where there is no count."""
    if row_set.remaining is None:
        return len(row_set.rows) < row_set.page_size
    if row_set.remaining > 0 and not row_set.rows:
        raise PagesMoved(
            f"{object_name}: an empty page came while {row_set.remaining} rows remain."
        )
    return row_set.remaining == 0
