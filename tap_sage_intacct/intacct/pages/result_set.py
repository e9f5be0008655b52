"""Pages of a result set, which the server keeps as it was at the first call [D]."""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from tap_sage_intacct.intacct.errors import (
    InvalidResponse,
    PagesMoved,
    RequestRefused,
    RequestTimedOut,
)
from tap_sage_intacct.intacct.pages.page import (
    PAGE_TRIES,
    LookAtRows,
    Page,
    PagingStrategy,
    ReadAgain,
    log_and_read_again,
    unwatched,
)
from tap_sage_intacct.intacct.pages.paging_key import Position
from tap_sage_intacct.intacct.pending import Pending
from tap_sage_intacct.intacct.query import Condition
from tap_sage_intacct.intacct.reader import MIN_PAGE, ObjectReader
from tap_sage_intacct.intacct.rows.row import Row, RowSet

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ResultSetPaging(PagingStrategy):
    """Pages one after the other, in the server's arbitrary order.

    An answer that was lost on the way takes its page with it, and a session that ends
    takes the result set. Then the whole is read again, less the rows that were
    given out already.

    Attributes:
        reader: of the object.
        read_again: told before the whole is read again.
        watch: makes, for each reading, what looks at all its rows.
    """

    reader: ObjectReader
    read_again: ReadAgain = log_and_read_again
    watch: Callable[[], LookAtRows] = unwatched

    @override
    def pages(
        self, condition: Condition | None = None, start: Position | None = None
    ) -> Iterator[Page]:
        """Raise what the last of `PAGE_TRIES` raised that gave no row that is new."""
        del start
        return self._pages(condition, self.reader.open_result_set(condition))

    def _pages(
        self, condition: Condition | None, asked: Pending[RowSet]
    ) -> Iterator[Page]:
        given = array("q")
        tries = 0
        while True:
            before = len(given)
            expected = Counter(given)
            look = self.watch()
            try:
                for rows in self._whole(asked):
                    look(rows)
                    fresh = _not_given(rows, expected)
                    given.extend(map(_identity, fresh))
                    if fresh:
                        yield Page(fresh)
            except (PagesMoved, RequestTimedOut) as error:
                tries = 1 if len(given) > before else tries + 1
                if tries == PAGE_TRIES:
                    raise
                self._prepare_again(error)
                asked = self.reader.open_result_set(condition)
            else:
                return

    def _prepare_again(self, error: PagesMoved | RequestTimedOut) -> None:
        if isinstance(error, PagesMoved):
            self.read_again(error)
            return
        if self.reader.page_size > MIN_PAGE:
            self.reader.halve_page_size(error)
        logger.warning("%s Reading %s again.", error, self.reader.object_name)

    def _whole(self, asked: Pending[RowSet]) -> Iterator[Sequence[Row]]:
        row_set = asked.result()
        while row_set.remaining:
            following = self._ask_following(row_set)
            yield row_set.rows
            row_set = self._following(row_set, following)
        yield row_set.rows

    def _ask_following(self, row_set: RowSet) -> Pending[RowSet] | None:
        if row_set.result_id is None:
            return None
        return self.reader.continue_result_set(row_set.result_id)

    def _following(self, row_set: RowSet, asked: Pending[RowSet] | None) -> RowSet:
        """The next page of a result set.

        Raises:
            PagesMoved: it is not the next one, or cannot be had.
        """
        name = self.reader.object_name
        if asked is None:
            raise PagesMoved(
                f"{name}: {row_set.remaining} rows remain, but the answer does not say "
                "how to ask for them."
            )
        try:
            following = asked.result()
        except (RequestRefused, InvalidResponse) as error:
            raise PagesMoved(
                f"{name}: the result set is gone.", details=error.details
            ) from error
        if not following.rows:
            raise PagesMoved(f"{name}: an empty page came before the end.")
        if following.remaining != (row_set.remaining or 0) - len(following.rows):
            raise PagesMoved(
                f"{name}: a page of the result set was lost: {row_set.remaining} rows "
                f"remained, {len(following.rows)} came, {following.remaining} remain."
            )
        # Captures repeat the id on every page [C]; where one does not, it still holds.
        return replace(following, result_id=following.result_id or row_set.result_id)


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
