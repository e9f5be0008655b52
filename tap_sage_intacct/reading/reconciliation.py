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
from tap_sage_intacct.reading.drift import DriftDetector, Movement
from tap_sage_intacct.settings.settings import OnDrift

logger = logging.getLogger(__name__)

LEAST_EXTRA_CALLS = 12
PAGES_PER_EXTRA_CALL = 10
"""How many calls a difference may cost: Intacct bills them, and what was missed because
it became visible late is met again by the lookback of the next sync."""


@dataclass(frozen=True, slots=True)
class _EmittedPage:
    """Rows `start < key <= end`: a hash of each, eight bytes a row."""

    number: int
    start: Position | None
    end: Position
    identities: array[int]


@dataclass
class PassLedger:
    """What one pass over an object has emitted, page by page.

    Attributes:
        start: where the pass began; None for the first row.
    """

    key: PagingKey
    start: Position | None = None
    pages: list[_EmittedPage] = field(default_factory=list)
    _is_one_answer: bool = False
    _unplaced: list[int] = field(default_factory=list)

    def add(self, page: Page) -> None:
        """Note the rows of a page that is about to be emitted."""
        identities = self.key.identities(page.rows)
        if page.position is None:
            self._unplaced.extend(identities)
            return
        start = self.pages[-1].end if self.pages else self.start
        noted = array("q", (*self._unplaced, *identities))
        self._unplaced.clear()
        self._is_one_answer = not self.pages and page.total == len(page.rows)
        self.pages.append(
            _EmittedPage(len(self.pages) + 1, start, page.position, noted)
        )

    @property
    def needs_count(self) -> bool:
        """One answer that holds all rows it counts is its own reconciliation."""
        return bool(self.pages) and not self._is_one_answer


def reconcile(
    reader: ObjectReader,
    ledger: PassLedger,
    condition: Condition | None,
    detector: DriftDetector,
) -> Iterator[Page]:
    """Compare the counts; the rows that were missing.

    Rows that are gone were deleted, or modified out of the pass, after they were
    emitted: that is no fault of the pass, and is only reported.

    Raises:
        DriftFound: rows were missing, and `on_drift` is `fail`.
    """
    if not ledger.needs_count:
        return
    try:
        yield from _look_for_differences(reader, ledger, condition, detector)
    except RequestTimedOut as error:
        # What the pass promises does not hang on it, and views such as GLDETAIL are slow.
        logger.warning("The closing count of %s is left. %s", reader.object_name, error)


def _look_for_differences(
    reader: ObjectReader,
    ledger: PassLedger,
    condition: Condition | None,
    detector: DriftDetector,
) -> Iterator[Page]:
    budget = LEAST_EXTRA_CALLS + len(ledger.pages) // PAGES_PER_EXTRA_CALL
    recount = _Recount(reader, ledger.key, condition, budget)
    surplus = recount.surplus(ledger.pages)
    if not surplus:
        return
    numbers = (ledger.pages[0].number, ledger.pages[-1].number)
    if detector.on_drift is OnDrift.WARN:
        detector.report(
            Movement.COUNT,
            numbers,
            abs(surplus),
            "the next sync reads what changed",
            changed_result=surplus > 0,
        )
        return
    differing = list(recount.differing(ledger.pages))
    found = [recount.read_again(page) for page in differing]
    missing = sum(len(rows) for rows, _ in found)
    gone = sum(count for _, count in found)
    if differing:
        numbers = (differing[0].number, differing[-1].number)
    done = f"read again: {missing} rows added, {gone} rows gone after they were read"
    if recount.calls_left <= 1:
        done += "; too many pages differ, the rest is left to the next sync"
    detector.report(
        Movement.COUNT, numbers, missing + gone, done, changed_result=missing > 0
    )
    for rows, _ in found:
        if rows:
            yield Page(rows)


@dataclass(slots=True)
class _Recount:
    """What is asked of Intacct once a pass is over, within a budget of billed calls."""

    reader: ObjectReader
    key: PagingKey
    condition: Condition | None
    calls_left: int

    def surplus(self, pages: Sequence[_EmittedPage]) -> int:
        """Rows counted now less rows emitted, over adjoining pages. One call."""
        self.calls_left -= 1
        emitted = sum(len(page.identities) for page in pages)
        counted = count_rows(
            self.reader, self.key, self._between(pages[0].start, pages[-1].end)
        )
        return 0 if counted is None else counted - emitted

    def differing(self, pages: Sequence[_EmittedPage]) -> Iterator[_EmittedPage]:
        """The pages, of some whose count differs, whose own count does."""
        if len(pages) == 1:
            # It will be read again.
            self.calls_left -= 1
            yield pages[0]
            return
        middle = len(pages) // 2
        for half in (pages[:middle], pages[middle:]):
            if self.calls_left > 1 and self.surplus(half):
                yield from self.differing(half)

    def read_again(self, page: _EmittedPage) -> tuple[list[Row], int]:
        """The rows that were not emitted, and how many of the emitted ones are gone."""
        emitted = set(page.identities)
        count = len(emitted)
        missing = []
        pages = KeySetPaging(self.reader, self.key)
        for answer in pages.pages(self._between(page.start, page.end)):
            for row in answer.rows:
                identity = self.key.identity(row)
                if identity in emitted:
                    count -= 1
                else:
                    missing.append(row)
        return missing, count

    def _between(self, start: Position | None, end: Position) -> Condition | None:
        since = after(self.key, start) if start is not None else None
        return both(both(self.condition, since), up_to(self.key, end))
