"""The closing reconciliation: rows emitted against the rows Intacct counts at the end.

Counts alone cannot tell which rows moved, so a difference is narrowed down page by
page, and the pages that differ are read again.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tap_sage_intacct.intacct.errors import RequestTimedOut
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pages.ordered_rows import count_rows
from tap_sage_intacct.intacct.pages.page import Page
from tap_sage_intacct.intacct.pages.paging_key import PagingKey, Position, after, up_to
from tap_sage_intacct.intacct.query import Condition, both
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import Row
from tap_sage_intacct.reading.drift import DriftDetector, DriftReport, Movement
from tap_sage_intacct.settings.settings import OnDrift

logger = logging.getLogger(__name__)

LEAST_EXTRA_CALLS = 12
PAGES_PER_EXTRA_CALL = 10
"""How many calls a difference may cost: Intacct bills them, and the lookback of the next
sync meets the rows that became visible late."""


@dataclass(frozen=True, slots=True)
class _EmittedPage:
    """Rows `start < key <= end`: a hash of each, eight bytes a row."""

    number: int
    start: Position | None
    end: Position
    identities: array[int]


@dataclass
class Reconciliation:
    """Of one pass over an object: remembers what it emits, and counts at its end.

    Attributes:
        condition: which rows the pass reads.
        start: where the pass began; None for the first row.
    """

    reader: ObjectReader
    key: PagingKey
    condition: Condition | None
    detector: DriftDetector
    start: Position | None
    _pages: list[_EmittedPage] = field(default_factory=list)
    _is_one_answer: bool = False
    _unplaced: list[int] = field(default_factory=list)
    # Within a budget, since each is billed.
    _calls_left: int = 0

    def note(self, page: Page) -> None:
        """Note the rows of a page that is about to be emitted."""
        identities = self.key.identities(page.rows)
        if page.position is None:
            self._unplaced.extend(identities)
            return
        start = self._pages[-1].end if self._pages else self.start
        noted = array("q", (*self._unplaced, *identities))
        self._unplaced.clear()
        # An answer that holds all rows it counts is its own reconciliation.
        self._is_one_answer = not self._pages and page.total == len(page.rows)
        number = len(self._pages) + 1
        self._pages.append(_EmittedPage(number, start, page.position, noted))

    def missing(self) -> Iterator[Page]:
        """Compare the counts; the rows that were missing.

        Rows that are gone were deleted, or modified out of the pass, after they were
        emitted: that is no fault of the pass, and is only reported.

        Raises:
            DriftFound: rows were missing, and `on_drift` is `fail`.
        """
        if not self._pages or self._is_one_answer:
            return
        try:
            yield from self._look_for_differences()
        except RequestTimedOut as error:
            # The pass keeps its promises without it, and views such as GLDETAIL are slow.
            logger.warning(
                "The closing count of %s is left. %s", self.reader.object_name, error
            )

    def _look_for_differences(self) -> Iterator[Page]:
        self._calls_left = LEAST_EXTRA_CALLS + len(self._pages) // PAGES_PER_EXTRA_CALL
        surplus = self._surplus(self._pages)
        if surplus and self.detector.on_drift is OnDrift.WARN:
            done = "the next sync reads what changed"
            self._report(self._pages, abs(surplus), done, is_short=surplus > 0)
        elif surplus:
            yield from self._repair()

    def _repair(self) -> Iterator[Page]:
        differing = list(self._differing(self._pages))
        found = [self._read_again(page) for page in differing]
        missing = sum(len(rows) for rows, _ in found)
        gone = sum(count for _, count in found)
        done = (
            f"read again: {missing} rows added, {gone} rows gone after they were read"
        )
        if self._calls_left <= 1:
            done += "; too many pages differ, the rest is left to the next sync"
        pages = differing or self._pages
        self._report(pages, missing + gone, done, is_short=missing > 0)
        for rows, _ in found:
            if rows:
                yield Page(rows)

    def _report(
        self, pages: Sequence[_EmittedPage], rows: int, done: str, *, is_short: bool
    ) -> None:
        numbers = (pages[0].number, pages[-1].number)
        report = DriftReport(Movement.COUNT, numbers, rows, done, is_short)
        self.detector.report(report)

    def _surplus(self, pages: Sequence[_EmittedPage]) -> int:
        """Rows counted now less rows emitted, over adjoining pages. One call."""
        self._calls_left -= 1
        emitted = sum(len(page.identities) for page in pages)
        within = self._between(pages[0].start, pages[-1].end)
        counted = count_rows(self.reader, self.key, within)
        return 0 if counted is None else counted - emitted

    def _differing(self, pages: Sequence[_EmittedPage]) -> Iterator[_EmittedPage]:
        """Of pages whose count differs together, those whose own count differs."""
        if len(pages) == 1:
            # It will be read again.
            self._calls_left -= 1
            yield pages[0]
            return
        middle = len(pages) // 2
        for half in (pages[:middle], pages[middle:]):
            if self._calls_left > 1 and self._surplus(half):
                yield from self._differing(half)

    def _read_again(self, page: _EmittedPage) -> tuple[list[Row], int]:
        """The rows that were not emitted, and how many of the emitted ones are gone."""
        emitted = set(page.identities)
        found: dict[int, Row] = {}
        within = self._between(page.start, page.end)
        for answer in KeySetPaging(self.reader, self.key).pages(within):
            identities = self.key.identities(answer.rows)
            found.update(zip(identities, answer.rows, strict=True))
        missing = [row for identity, row in found.items() if identity not in emitted]
        return missing, len(emitted - found.keys())

    def _between(self, start: Position | None, end: Position) -> Condition | None:
        since = after(self.key, start) if start is not None else None
        return both(both(self.condition, since), up_to(self.key, end))
