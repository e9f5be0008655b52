"""Pages of one object, by key, by result set, inside their parents, or by offset.

Every `query` is a new query on the server: an offset into it means other rows as
soon as one is inserted or deleted before it (Sage's page on query [D]). So pages are
taken by key, or from the result set that readByQuery keeps; an offset is for who can
tell that the rows moved. Knows nothing of bookmarks.
"""

from __future__ import annotations

import logging
import operator
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from tap_sage_intacct.intacct.errors import (
    InvalidResponse,
    PagesMoved,
    RequestRefused,
    RequestTimedOut,
)
from tap_sage_intacct.intacct.pages.paging_key import (
    PagingKey,
    Position,
    positions_of,
)
from tap_sage_intacct.intacct.query import Condition
from tap_sage_intacct.intacct.reader import MIN_PAGE, ObjectReader
from tap_sage_intacct.intacct.rows.row import Row, RowSet

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.xml.gateway import BegunCall

PAGE_TRIES = 3
"""How often a page, or a result set, that does not fit is asked for in all."""

T = TypeVar("T")

logger = logging.getLogger(__name__)

ReadAgain = Callable[[PagesMoved], None]
"""Told before something is asked for again; may raise to have it left."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of reading.

    Attributes:
        position: the key of the last row; reading may resume after it. None where
            reading can only start over.
        total: rows that matched when the page was asked for; None where unknown.
    """

    rows: Sequence[Row]
    position: Position | None = None
    total: int | None = None


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


def log_and_read_again(error: PagesMoved) -> None:
    """The plainest `ReadAgain`."""
    logger.warning("%s Reading it again.", error)


def ordered_rows(  # noqa: PLR0913 - one call, each part of it named
    reader: ObjectReader,
    key: PagingKey,
    condition: Condition | None,
    *,
    beyond: Position | None = None,
    offset: int = 0,
    read_again: ReadAgain = log_and_read_again,
    begun: BegunCall | None = None,
) -> OrderedRows:
    """One page in the order of the key.

    Args:
        condition: which rows.
        beyond: what the condition promises: every key is greater than this one.
        offset: rows to skip.
        read_again: told before the page is asked for again.
        begun: the reader's query for this page, begun before.

    Raises:
        PagesMoved: no try gave rows in that order.
    """

    def ask() -> OrderedRows:
        row_set, page_size = reader.query(
            condition, key.order, offset=offset, begun=begun
        )
        return ordered(reader, key, row_set, page_size, beyond)

    return _insist(ask, read_again)


def count_rows(
    reader: ObjectReader, key: PagingKey, condition: Condition | None
) -> int | None:
    """How many rows match now; None where the answer does not say. One call."""
    counter = ObjectReader(reader.gateway, reader.object_name, (), page_size=1)
    row_set, _ = counter.query(condition, key.names[:1])
    return row_set.total


def _insist(ask: Callable[[], T], read_again: ReadAgain) -> T:
    for _ in range(PAGE_TRIES - 1):
        try:
            return ask()
        except PagesMoved as error:
            read_again(error)
    return ask()


def _is_last(object_name: str, row_set: RowSet, page_size: int) -> bool:
    """By the count of remaining rows; by a short page where there is no count."""
    if row_set.remaining is None:
        return len(row_set.rows) < page_size
    if row_set.remaining > 0 and not row_set.rows:
        raise PagesMoved(
            f"{object_name}: an empty page came while {row_set.remaining} rows remain."
        )
    return row_set.remaining == 0


def ordered(
    reader: ObjectReader,
    key: PagingKey,
    row_set: RowSet,
    page_size: int,
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
    is_last = _is_last(reader.object_name, row_set, page_size)
    return OrderedRows(rows, found, row_set.total, is_last)


LookAtRows = Callable[[Sequence[Row]], None]
"""Is shown rows before they are given out."""


def unwatched() -> LookAtRows:
    """Nobody looks."""
    return lambda _: None


def snapshot_pages(
    reader: ObjectReader,
    condition: Condition | None = None,
    *,
    read_again: ReadAgain = log_and_read_again,
    watch: Callable[[], LookAtRows] = unwatched,
) -> Iterator[Page]:
    """Pages of a readByQuery and its readMore, in the server's arbitrary order.

    The result set stays as it was at the first call [D], but pages can only be taken
    one after the other: an answer that was lost on the way takes its page with it,
    and a session that ends takes the result set. Then the whole is read anew, and
    rows that were given out already are left out.

    Args:
        reader: of the object.
        condition: which rows.
        read_again: told before the whole is read anew.
        watch: makes, for each reading, what looks at all its rows.

    Raises:
        PagesMoved: `PAGE_TRIES` in a row gave no row that had not come before.
        RequestTimedOut: likewise.
    """
    given = array("q")
    tries = 0
    while True:
        before = len(given)
        expected = Counter(given)
        look = watch()
        try:
            for rows in _snapshot(reader, condition):
                look(rows)
                fresh = _not_given(rows, expected)
                given.extend(map(_identity, fresh))
                if fresh:
                    yield Page(fresh)
        except (PagesMoved, RequestTimedOut) as error:
            tries = 1 if len(given) > before else tries + 1
            if tries == PAGE_TRIES:
                raise
            _prepare_again(reader, error, read_again)
        else:
            return


def _prepare_again(
    reader: ObjectReader, error: PagesMoved | RequestTimedOut, read_again: ReadAgain
) -> None:
    if isinstance(error, PagesMoved):
        read_again(error)
        return
    if reader.page_size > MIN_PAGE:
        reader.halve_page_size(error)
    logger.warning("%s Reading %s again.", error, reader.object_name)


def _snapshot(
    reader: ObjectReader, condition: Condition | None
) -> Iterator[Sequence[Row]]:
    row_set = reader.read_by_query(condition)
    while row_set.remaining:
        begun = _begin_following(reader, row_set)
        yield row_set.rows
        row_set = _following(reader, row_set, begun)
    yield row_set.rows


def _begin_following(reader: ObjectReader, row_set: RowSet) -> BegunCall | None:
    if row_set.result_id is None:
        return None
    return reader.begin_read_more(row_set.result_id)


def _following(
    reader: ObjectReader, row_set: RowSet, begun: BegunCall | None
) -> RowSet:
    """The next page of a result set.

    Raises:
        PagesMoved: it is not the next one, or cannot be had.
    """
    if row_set.result_id is None:
        raise PagesMoved(
            f"{reader.object_name}: {row_set.remaining} rows remain, but the answer "
            "does not say how to ask for them."
        )
    following = _read_more(reader, row_set.result_id, begun)
    if following.remaining != (row_set.remaining or 0) - len(following.rows):
        raise PagesMoved(
            f"{reader.object_name}: a page of the result set was lost: "
            f"{row_set.remaining} rows remained, {len(following.rows)} came, "
            f"{following.remaining} remain."
        )
    return following


def _read_more(reader: ObjectReader, result_id: str, begun: BegunCall | None) -> RowSet:
    try:
        row_set = reader.read_more(result_id, begun)
    except (RequestRefused, InvalidResponse) as error:
        raise PagesMoved(
            f"{reader.object_name}: the result set is gone.", details=error.details
        ) from error
    if not row_set.rows:
        raise PagesMoved(f"{reader.object_name}: an empty page came before the end.")
    # Captures repeat the id on every page [C]; where one does not, it still holds.
    return RowSet(
        row_set.rows, row_set.total, row_set.remaining, row_set.result_id or result_id
    )


def _not_given(rows: Sequence[Row], given: Counter[int]) -> Sequence[Row]:
    """The rows that an earlier try did not give out; counts down those it did."""
    if not given:
        return rows
    fresh = []
    for row in rows:
        identity = _identity(row)
        if given[identity] > 0:
            given[identity] -= 1
        else:
            fresh.append(row)
    return fresh


def _identity(row: Row) -> int:
    return hash(tuple(row.values()))
