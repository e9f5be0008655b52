"""The passes of a sync that is read by key: the first one, or those over what changed.

Each yields `ReadPage`s whose checkpoints hold as soon as the rows up to them are written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from tap_sage_intacct.catalog.sources import RECORD_NUMBER
from tap_sage_intacct.intacct.errors import PermissionDenied
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pages.ordered_rows import ordered_rows
from tap_sage_intacct.intacct.pages.page import Page, PagingStrategy
from tap_sage_intacct.intacct.pages.paging_key import (
    PagingKey,
    after,
    positions_of,
)
from tap_sage_intacct.intacct.query import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Operator,
    both,
)
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import Row, RowSet
from tap_sage_intacct.reading.emitted import EmittedRows
from tap_sage_intacct.reading.lines import changed_headers, lines_of
from tap_sage_intacct.reading.offsets import OffsetPaging
from tap_sage_intacct.reading.reconciliation import PassLedger, reconcile
from tap_sage_intacct.reading.scope import ReadPage, Scope, since, since_start
from tap_sage_intacct.reading.state.checkpoint import Checkpoint, Pass, Progress
from tap_sage_intacct.settings.settings import Paging

if TYPE_CHECKING:
    from tap_sage_intacct.catalog.sources import DataSource
    from tap_sage_intacct.intacct.pending import Pending
    from tap_sage_intacct.reading.deletions import Deletions

# A row that is modified while a window of several pages is read leaves the window. So
# what changed meanwhile is read after it, until that fits one page, which is one
# moment; a company that changes faster than it can be read is left to the next sync.
MAX_CATCH_UPS = 10

logger = logging.getLogger(__name__)


@dataclass
class FirstLoad:
    """All rows by key, those whose WHENMODIFIED is null included.

    The bookmark becomes the second at which the pass first began: the next sync reads
    what was modified after it.

    Attributes:
        source: whose rows.
        reader: of the source's object.
        scope: of the sync.
        checkpoint: where an earlier run broke off.
        emitted: remembers the rows, where another reading may meet them again.
    """

    source: DataSource
    reader: ObjectReader
    scope: Scope
    checkpoint: Checkpoint
    emitted: EmittedRows | None

    def read(self) -> Iterator[ReadPage]:
        """The rows; the first page is asked for when this is called."""
        scope = self.scope
        progress = self.checkpoint.progress or Progress.starting(
            Pass.INITIAL, scope.last_second()
        )
        progress = _fitted(progress, self.source.paging_key)
        scope.deletions.will_end_with(progress.begun)
        if progress.after is None:
            scope.deletions.begin_load()
        condition = both(scope.condition, since_start(scope))
        key = self.source.paging_key
        pages = ordered_pages(self.reader, key, condition, scope, progress)
        return self._read(pages, progress)

    def _read(self, pages: Iterator[Page], progress: Progress) -> Iterator[ReadPage]:
        for page in pages:
            progress = _advanced(progress, page)
            if self.emitted is not None:
                self.emitted.add(page.rows)
            reached = None
            if page.position is not None:
                reached = replace(self.checkpoint, bookmark=None, progress=progress)
            yield ReadPage(page.rows, reached, total=page.total)
        keys = key_reader(self.source, self.reader, self.scope.deletions)
        living = KeySetPaging(keys, self.source.paging_key)
        for dead in gone_before_load(
            self.scope, self.checkpoint, progress.begun, living
        ):
            yield ReadPage(deleted=dead)
        yield ReadPage(checkpoint=Checkpoint(progress.begun, None, progress.after))


def gone_before_load(
    scope: Scope, checkpoint: Checkpoint, until: datetime, living: PagingStrategy
) -> Iterator[list[str]]:
    """Keys of records that an earlier load emitted, and that are gone.

    Args:
        scope: of the sync.
        checkpoint: with which the load began; says since when the trail counts.
        until: the load's begin: the next sync asks the trail from then on.
        living: asks Intacct which records there are.
    """
    yield from scope.deletions.loaded(living)
    # What a full table lacks, its version tells, or the comparison of keys.
    if scope.replication_key is not None and checkpoint.deletions_since is not None:
        earliest = since(scope, checkpoint.deletions_since)
        yield from scope.deletions.named_by_trail(earliest, until, living)


@dataclass
class Changes:
    """An incremental sync by key: its passes, one after the other.

    Attributes:
        checkpoint: holds a bookmark.
        emitted: the rows emitted in this run; None where no other reading, and no
            other pass, could meet them again.
        read_up_to: where another reading of this run ended; None if there was none.
    """

    source: DataSource
    reader: ObjectReader
    scope: Scope
    checkpoint: Checkpoint
    emitted: EmittedRows | None
    read_up_to: datetime | None = None

    def __post_init__(self) -> None:
        """Begin where the checkpoint says.

        Raises:
            ValueError: it holds no bookmark.
        """
        if self.checkpoint.bookmark is None:
            raise ValueError("An incremental sync needs a bookmark.")
        self.bookmark = self.checkpoint.bookmark
        self.since = since(self.scope, self.bookmark)
        # Of this sync; the checkpoint's own stays until the sync is done, since the pass
        # over rows without a stamp begins there.
        self._highest = self.checkpoint.highest

    def read(self) -> Iterator[ReadPage]:
        """All passes that are still to be read; the first page is asked for at once."""
        progress = self.checkpoint.progress or Progress.starting(
            Pass.CHANGED, self.scope.last_second()
        )
        self.progress = _fitted(progress, self.source.paging_key)
        self.scope.deletions.will_end_with(self.progress.begun)
        user_format = self.reader.gateway.user_format()
        # Bounds that daylight saving leaves open make the passes overlap.
        overlaps = not user_format.is_exact(self.progress.until)
        if self.emitted is None and (self.source.header is not None or overlaps):
            self.emitted = EmittedRows()
        self._positions_of = positions_of(self.source.paging_key, user_format)
        return self._read(self._ask_at_once())

    def _read(self, all_at_once: Pending[RowSet] | None) -> Iterator[ReadPage]:
        passes: dict[Pass, Callable[[], Iterator[ReadPage]]] = {
            Pass.CHANGED: self._changed,
            Pass.UNSTAMPED: self._unstamped,
            Pass.LINES: self._lines,
            Pass.DELETED: self._deleted,
        }
        left = list(passes)[list(passes).index(self.progress.reading) :]
        changed = self._at_once(all_at_once) if all_at_once is not None else None
        if changed is not None:
            yield changed
            left = left[left.index(Pass.LINES) :]
        for reading in left:
            if reading is not self.progress.reading:
                self.progress = self._starting(reading, self.progress.until)
            yield from passes[reading]()
        yield ReadPage(checkpoint=Checkpoint(self.progress.begun, None, self._highest))

    def _starting(self, reading: Pass, until: datetime) -> Progress:
        """The sync goes on with a pass, or with a window, from its first row.

        Its begin stays: a row that became visible since, of an earlier stamp, was not
        looked for again. The next sync looks back from there.
        """
        return Progress(reading, self.progress.begun, until)

    def _ask_at_once(self) -> Pending[RowSet] | None:
        """What changed and what has no stamp, in one call; None for a sync that goes on.

        One answer is one moment: nothing moves while it is read. As a rule little has
        changed, and each call is billed.
        """
        is_new = self.progress.reading is Pass.CHANGED and self.progress.after is None
        if not is_new or self.scope.paging is Paging.OFFSET:
            return None
        stamp = str(self.scope.replication_key)
        changed = AnyOf((self._stamped(stamp), self._without_stamp(stamp)))
        wanted = both(self.scope.condition, changed)
        return self.reader.query(wanted, self.source.paging_key.order)

    def _at_once(self, asked: Pending[RowSet]) -> ReadPage | None:
        """The rows of that call; None where one page does not hold them all."""
        read_again = self.scope.detector.read_again
        key = self.source.paging_key
        found = ordered_rows(self.reader, key, asked, read_again=read_again)
        if not found.is_last:
            return None
        self._note_highest(found.rows)
        return ReadPage(self._fresh(found.rows))

    def _changed(self) -> Iterator[ReadPage]:
        """Rows of `since <= stamp <= until`, then what changed while they were read.

        By their key, not by their stamp: in the hour that the user's clock repeats in
        autumn, stamps neither rise with the time nor name one place among the rows.
        """
        stamp = str(self.scope.replication_key)
        key = self.source.paging_key
        lower = self._lower(stamp)
        for _ in range(1 + MAX_CATCH_UPS):
            until = self.progress.until
            upper = Comparison(stamp, Operator.LESS_OR_EQUAL, (until,))
            pages = 0
            for page in self._pages(key, AllOf((lower, upper))):
                pages += page.checkpoint is not None
                yield page
            if pages <= 1:
                return
            lower = Comparison(stamp, Operator.GREATER, (until,))
            self.progress = self._starting(Pass.CHANGED, self.scope.last_second())

    def _lower(self, stamp: str) -> Condition:
        """Stamps from `since` on.

        Where another reading of this run has been over them, only those that it may
        have met too early: the next sync, which looks back from now, will not.
        """
        since = Comparison(stamp, Operator.GREATER_OR_EQUAL, (self.since,))
        if self.read_up_to is None:
            return since
        seen = min(self.read_up_to, self.scope.now() - self.scope.lookback)
        early = AllOf((since, Comparison(stamp, Operator.LESS_OR_EQUAL, (seen,))))
        later = Comparison(stamp, Operator.GREATER, (self.read_up_to,))
        return AnyOf((early, later))

    def _stamped(self, stamp: str) -> Condition:
        upper = Comparison(stamp, Operator.LESS_OR_EQUAL, (self.progress.until,))
        return AllOf((self._lower(stamp), upper))

    def _unstamped(self) -> Iterator[ReadPage]:
        """Rows created since whose WHENMODIFIED is null."""
        condition = self._without_stamp(str(self.scope.replication_key))
        yield from self._pages(self.source.paging_key, condition)

    def _without_stamp(self, stamp: str) -> Condition:
        is_null = Comparison(stamp, Operator.IS_NULL)
        created = self._created()
        return is_null if created is None else AllOf((is_null, created))

    def _created(self) -> Condition | None:
        """By the stamp of creation; by record number where there is none either."""
        key, stamp = self.source.paging_key, self.scope.creation_stamp
        highest = self.checkpoint.highest
        numbered = after(key, highest) if highest is not None else None
        if stamp is None:
            return numbered
        in_time = AllOf(
            (
                Comparison(stamp, Operator.GREATER_OR_EQUAL, (self.since,)),
                Comparison(stamp, Operator.LESS_OR_EQUAL, (self.progress.until,)),
            )
        )
        no_stamp = both(Comparison(stamp, Operator.IS_NULL), numbered)
        return in_time if no_stamp is None else AnyOf((in_time, no_stamp))

    def _lines(self) -> Iterator[ReadPage]:
        """Lines whose header changed, those left out that were just emitted as they are."""
        header = self.source.header
        if header is None:
            return
        try:
            for changed in changed_headers(
                self.reader.gateway,
                header,
                self._stamped,
                start=self.progress.after,
            ):
                yield from self._lines_of(changed.numbers)
                self.progress = replace(self.progress, after=changed.position)
                yield ReadPage(checkpoint=self._reached())
        except PermissionDenied as error:
            logger.warning(
                "%s: lines that change with their %s are not read again. %s",
                self.source.stream_name,
                header.object_name,
                error,
            )

    def _lines_of(self, numbers: Sequence[str]) -> Iterator[ReadPage]:
        if self.source.header is None or not numbers:
            return
        present: set[str] = set()
        for page in lines_of(
            self.reader,
            self.source.paging_key,
            self.source.header,
            numbers,
            self.scope.condition,
        ):
            present.update(row[self.source.record_key] for row in page.rows)
            yield ReadPage(self._fresh(page.rows))
        for keys in self.scope.deletions.gone_lines(numbers, present):
            yield ReadPage(deleted=keys)

    def _deleted(self) -> Iterator[ReadPage]:
        keys = key_reader(self.source, self.reader, self.scope.deletions)
        living = KeySetPaging(keys, self.source.paging_key)
        for dead in self.scope.deletions.gone(self.since, self.progress.until, living):
            yield ReadPage(deleted=dead)

    def _pages(self, key: PagingKey, condition: Condition) -> Iterator[ReadPage]:
        """Pages of a pass, and what they move: progress, highest key, rows emitted."""
        wanted = both(self.scope.condition, condition)
        for page in ordered_pages(self.reader, key, wanted, self.scope, self.progress):
            self.progress = _advanced(self.progress, page)
            self._note_highest(page.rows)
            reached = self._reached() if page.position is not None else None
            yield ReadPage(self._fresh(page.rows), reached)

    def _fresh(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Rows that were not emitted in this run as they are."""
        if self.emitted is None:
            return rows
        fresh = self.emitted.without(rows)
        self.emitted.add(fresh)
        return fresh

    def _note_highest(self, rows: Sequence[Row]) -> None:
        positions = [p for p in self._positions_of(rows) if p is not None]
        known = [self._highest] if self._highest is not None else []
        self._highest = max((*known, *positions), default=None)

    def _reached(self) -> Checkpoint:
        return Checkpoint(self.bookmark, self.progress, self.checkpoint.highest)


def key_reader(
    source: DataSource, reader: ObjectReader, deletions: Deletions
) -> ObjectReader:
    """Reads the key columns alone."""
    return ObjectReader(
        reader.gateway,
        source.object_name,
        deletions.key_fields,
        page_size=reader.page_size,
        document_type=source.document_type,
    )


def ordered_pages(
    reader: ObjectReader,
    key: PagingKey,
    condition: Condition | None,
    scope: Scope,
    progress: Progress,
) -> Iterator[Page]:
    """Pages of one pass, and at its end the rows that the closing count misses."""
    pages = _strategy(reader, key, scope).pages(condition, progress.after)
    ledger = PassLedger(key, progress.after)

    def read() -> Iterator[Page]:
        for page in pages:
            ledger.add(page)
            yield page
        yield from reconcile(reader, ledger, condition, scope.detector)

    return read()


def _strategy(reader: ObjectReader, key: PagingKey, scope: Scope) -> PagingStrategy:
    if scope.paging is Paging.OFFSET:
        return OffsetPaging(reader, key, scope.detector)
    # One more waits for a connection, or that would idle while a page is read.
    ahead = reader.gateway.max_connections + 1
    return KeySetPaging(reader, key, scope.detector.read_again, ahead)


def _fitted(progress: Progress, key: PagingKey) -> Progress:
    """The progress; its pass begins anew where it broke off at no position of the key.

    Version 0.1 read changes in the order of stamps, and other states are damaged.
    """
    wanted = RECORD_NUMBER if progress.reading is Pass.LINES else key
    position = progress.after or ()
    is_number = all(isinstance(value, int) for value in position)
    fits = is_number and len(position) in {0, len(wanted.fields)}
    return progress if fits else replace(progress, after=None)


def _advanced(progress: Progress, page: Page) -> Progress:
    if page.position is None:
        return progress
    return replace(progress, after=page.position)
