"""Pages by plain offset, with a check that no row moved across a page boundary.

Each page begins with the last row of the one before. If that row stands where it
stood, as many rows are before it as before, and none moved across the boundary. If
not, rows moved. Then the reading steps back until a page shows both a row that was
read and the one that follows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from typing_extensions import override

from tap_sage_intacct.intacct.pages.ordered_rows import (
    OrderedRows,
    count_rows,
    ordered_rows,
)
from tap_sage_intacct.intacct.pages.page import Page, PagingStrategy
from tap_sage_intacct.intacct.pages.paging_key import PagingKey, Position, up_to
from tap_sage_intacct.intacct.pending import Pending
from tap_sage_intacct.intacct.query import Condition, both
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import Row, RowSet
from tap_sage_intacct.reading.drift import DriftDetector, DriftReport, Movement
from tap_sage_intacct.settings.settings import OnDrift

ALIGNMENT_TRIES = 40
"""Pages asked for to find the place again; each step back doubles the last."""
STEPS_PER_PAGE = 10


@dataclass(frozen=True, slots=True)
class OffsetPaging(PagingStrategy):
    """Pages ordered by the key, taken by offset.

    Attributes:
        reader: of pages of two rows or more, since one row is read again.
        key: how the rows are sorted.
        detector: collects what moved.
    """

    reader: ObjectReader
    key: PagingKey
    detector: DriftDetector

    @override
    def pages(
        self, condition: Condition | None = None, start: Position | None = None
    ) -> Iterator[Page]:
        """Rows up to the start are counted, a call: some may have come or gone since.

        Raises:
            DriftFound: rows moved, and `on_drift` is `fail`; or they never came to rest.
            PagesMoved: no try gave a page in the order that was asked for.
        """
        offset = 0
        if start is not None:
            before = both(condition, up_to(self.key, start))
            offset = count_rows(self.reader, self.key, before) or 0
        yield from _Walk(
            self.reader, self.key, condition, self.detector, start, offset
        ).pages()


@dataclass
class _Walk:
    """A reading under way.

    Attributes:
        last: the position of the last row read; None before the first.
        offset: how many rows were read or skipped.
    """

    reader: ObjectReader
    key: PagingKey
    condition: Condition | None
    detector: DriftDetector
    last: Position | None
    offset: int
    is_done: bool = False
    _number: int = 0
    _totals: list[int] = field(default_factory=list)
    # The rows read that share the last position; None for all there are.
    _ties: set[int] | None = None
    _moved: bool = False

    def pages(self) -> Iterator[Page]:
        """All pages, in order."""
        asked = self._query(self._begin)
        while not self.is_done:
            page = self._next_page(asked)
            if not self.is_done:
                # On its way while the last one is used.
                asked = self._query(self._begin)
            if page is not None:
                yield page
        self._report_total()

    def _query(self, offset: int) -> Pending[RowSet]:
        return self.reader.query(self.condition, self.key.order, offset=offset)

    @property
    def _begin(self) -> int:
        """Of the next page: the last row is read again."""
        return max(self.offset - 1, 0)

    def _next_page(self, asked: Pending[RowSet]) -> Page | None:
        """The rows that follow; None where there are none."""
        self._number += 1
        begin, found = self._begin, self._rows(asked)
        fresh = self._first_fresh(found)
        if self.last is not None and fresh != 1:
            begin, found, fresh = self._find_place(begin, found, fresh)
        return self._take(begin, found, fresh)

    @property
    def _resumes(self) -> bool:
        """Whether this is the first page: rows may have moved before the run."""
        return self._number == 1

    def _report_total(self) -> None:
        """Report rows that came or went without moving a boundary."""
        rows = max(self._totals, default=0) - min(self._totals, default=0)
        if rows and not self._moved:
            done = "every page begins where the last one ended"
            report = DriftReport(
                Movement.TOTAL, (1, self._number), rows, done, changed_result=False
            )
            self.detector.report(report)

    def _rows(self, asked: Pending[RowSet]) -> OrderedRows:
        found = ordered_rows(
            self.reader, self.key, asked, read_again=self.detector.read_again
        )
        if found.total is not None:
            self._totals.append(found.total)
        return found

    def _first_fresh(self, found: OrderedRows) -> int:
        """The index of the first row that was not read yet."""
        return next(
            (i for i, keyed in enumerate(found.keyed()) if self._is_fresh(*keyed)),
            len(found.rows),
        )

    def _is_fresh(self, position: Position, row: Row) -> bool:
        if self.last is None or position > self.last:
            return True
        if position < self.last or self._ties is None:
            return False
        return self.key.identity(row) not in self._ties

    def _find_place(
        self, begin: int, found: OrderedRows, fresh: int
    ) -> tuple[int, OrderedRows, int]:
        """Where the row after the last one stands now: offset of a page, and index.

        Raises:
            DriftFound: `on_drift` is `fail`, or no try showed the place.
        """
        on_drift = self.detector.on_drift
        if on_drift is OnDrift.FAIL:
            self._report(None, "")
        if on_drift is OnDrift.WARN and not self._resumes and begin and not fresh:
            self.detector.rows_left = True
            self._report(None, "went on; rows may be missing")
            return begin, found, fresh
        # Small at first: what the page shows beyond the place is read, not read again.
        step = max(len(found.rows) // STEPS_PER_PAGE, 1)
        for _ in range(ALIGNMENT_TRIES):
            if fresh == len(found.rows) and fresh and not found.is_last:
                begin += fresh - 1
            elif fresh or not begin:
                self._report(begin + fresh, f"read again from row {begin + 1:,}")
                return begin, found, fresh
            else:
                begin = max(begin - step, 0)
                step *= 2
            found = self._rows(self._query(begin))
            fresh = self._first_fresh(found)
        raise self.detector.give_up((self._number - 1, self._number), ALIGNMENT_TRIES)

    def _report(self, found_at: int | None, done: str) -> None:
        """Rows before the next one moved it from `offset` to where it was found."""
        if self._resumes:
            return
        self._moved = True
        rows = None if found_at is None else abs(found_at - self.offset)
        pages = (max(self._number - 1, 1), self._number)
        self.detector.report(DriftReport(Movement.BOUNDARY, pages, rows, done))

    def _take(self, begin: int, found: OrderedRows, fresh: int) -> Page | None:
        self.is_done = found.is_last
        self.offset = begin + len(found.rows)
        keyed = [pair for pair in found.keyed(fresh) if self._is_fresh(*pair)]
        if not keyed:
            return None
        resumable: Position | None
        resumable = position = keyed[-1][0]
        if not self.key.is_unique:
            ties = {self.key.identity(row) for p, row in keyed if p == position}
            earlier = self._ties if position == self.last else None
            self._ties = ties | (earlier or set())
            if not self.is_done:
                # More rows of the last key may follow: a resumed run begins before it.
                others = (p for p, _ in reversed(keyed) if p != position)
                resumable = next(others, None)
        self.last = position
        return Page([row for _, row in keyed], resumable, found.total)
