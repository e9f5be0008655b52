"""Which rows a sync reads, in which passes, and what may be said when a page is out.

Stands between paging, which knows no bookmarks, and the streams, which know no
conditions. Every function here yields `ReadPage`s: rows, and the checkpoint that
holds as soon as these rows, and all before them, are written.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tap_sage_intacct.deletions import (
    LegacyRecords,
    QueriedRecords,
)
from tap_sage_intacct.drift import DriftDetector
from tap_sage_intacct.emitted import EmittedRows
from tap_sage_intacct.intacct.envelope import Row
from tap_sage_intacct.intacct.errors import PermissionDenied, RequestRefused
from tap_sage_intacct.intacct.paging import (
    Page,
    key_set_pages,
    nested_pages,
    snapshot_pages,
)
from tap_sage_intacct.intacct.paging_key import (
    KeyField,
    PagingKey,
    after,
    position_of,
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
from tap_sage_intacct.intacct.values import ValueType
from tap_sage_intacct.lines import changed_headers, lines_of
from tap_sage_intacct.offsets import offset_pages
from tap_sage_intacct.reconciliation import PassLedger, reconcile
from tap_sage_intacct.settings import Paging
from tap_sage_intacct.sources import DataSource, ReadFunction
from tap_sage_intacct.state import Checkpoint, Pass, Progress

if TYPE_CHECKING:
    from tap_sage_intacct.deletions import DeletionFinder

# A row that is modified while a window of several pages is read leaves the window. So
# what changed meanwhile is read after it, until that fits one page, which is one
# moment; a company that changes faster than it can be read is left to the next sync.
MAX_CATCH_UPS = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scope:
    """What of an object a sync is to read, and how.

    Attributes:
        now: the server's clock.
        detector: is told of what moves meanwhile.
        condition: the user's filter.
        start_date: rows last modified before are left out of a first sync; aware.
        lookback: how far an incremental sync reaches back before its bookmark.
        replication_key: None to read everything, every time.
        creation_stamp: None where the object has no timestamp of creation.
        paging: how pages of `query` are taken.
        deletions: None where they are not asked for.
    """

    now: Callable[[], datetime]
    detector: DriftDetector
    condition: Condition | None = None
    start_date: datetime | None = None
    lookback: timedelta = timedelta()
    replication_key: str | None = None
    creation_stamp: str | None = None
    paging: Paging = Paging.AUTO
    deletions: DeletionFinder | None = None

    def last_second(self) -> datetime:
        """The last second that is over: no row will be stamped with it any more."""
        return self.now() - timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Rows, and the checkpoint after them; None where none can be given yet.

    Attributes:
        deleted: primary keys of records that are gone, as Intacct writes them.
    """

    rows: list[Row] = field(default_factory=list)
    checkpoint: Checkpoint | None = None
    deleted: Sequence[str] = ()


def read_source(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """Read by the first of the source's functions that Intacct serves.

    Raises:
        RequestRefused: by the last function, or after rows were given out.
        DriftFound: rows moved, and the settings say to stop.
    """
    if scope.deletions is not None:
        scope.deletions.begin(checkpoint.bookmark)
    *preferred, last = source.functions
    for function in preferred:
        pages = _BY_FUNCTION[function](source, reader, scope, checkpoint)
        try:
            first = next(pages)
        except RequestRefused as error:
            logger.info(
                "%s is not served by %s. %s", source.object_name, function.value, error
            )
            continue
        yield first
        yield from pages
        return
    yield from _BY_FUNCTION[last](source, reader, scope, checkpoint)


def read_periods(
    reader: ObjectReader, scope: Scope, periods: Sequence[str]
) -> Iterator[ReadPage]:
    """Read GLACCOUNTBALANCE, whose calls must name one period each [D]."""
    for period in periods:
        in_period = Comparison("PERIOD", Operator.EQUAL, (period,))
        for page in _result_set(reader, scope, both(in_period, scope.condition)):
            yield ReadPage(page.rows)


def _by_key(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """Pages by key, resumable after every one of them.

    A reading that is resumed ends at the time at which it first began; what changed
    from then until now follows in the same run.
    """
    resumed = checkpoint.progress is not None and scope.replication_key is not None
    emitted = EmittedRows() if resumed else None
    if scope.replication_key is None or checkpoint.bookmark is None:
        pages = _initial(source, reader, scope, checkpoint.progress, emitted)
    else:
        pages = _Changes(source, reader, scope, checkpoint, emitted).read()
    for page in pages:
        yield page
        checkpoint = page.checkpoint or checkpoint
    if resumed:
        if scope.deletions is not None:
            scope.deletions.go_on(checkpoint.bookmark)
        yield from _Changes(
            source, reader, scope, checkpoint, emitted, follows=True
        ).read()


def _initial(
    source: DataSource,
    reader: ObjectReader,
    scope: Scope,
    progress: Progress | None,
    emitted: EmittedRows | None,
) -> Iterator[ReadPage]:
    """All rows by key, those whose WHENMODIFIED is null included.

    The bookmark becomes the second at which the pass first began: what was modified
    after it, an incremental sync reads again.

    Args:
        source: whose rows.
        reader: of the source's object.
        scope: of the sync.
        progress: where an earlier run broke off.
        emitted: remembers the rows, where another reading may meet them again.
    """
    progress = progress or Progress(Pass.INITIAL, scope.last_second())
    if scope.deletions is not None and progress.after is None:
        scope.deletions.begin_load()
    condition = both(scope.condition, _since_start(scope))
    key = source.paging_key
    for page in _ordered_pages(reader, key, condition, scope, progress):
        progress = _advanced(progress, page)
        if emitted is not None:
            emitted.add(page.rows)
        reached = Checkpoint(None, progress) if page.position is not None else None
        yield ReadPage(page.rows, reached)
    if scope.deletions is not None:
        keys = _key_reader(source, reader, scope.deletions)
        living = QueriedRecords(keys, key)
        for dead in scope.deletions.loaded(progress.until, living):
            yield ReadPage(deleted=dead)
    if scope.replication_key is None:
        yield ReadPage(checkpoint=Checkpoint())
    else:
        yield ReadPage(checkpoint=Checkpoint(progress.until, None, progress.after))


@dataclass
class _Changes:
    """An incremental sync by key: its passes, one after the other.

    Attributes:
        checkpoint: holds a bookmark.
        emitted: the rows emitted in this run; None where no other reading, and no
            other pass, could meet them again.
        follows: another reading of this run ended at the bookmark.
    """

    source: DataSource
    reader: ObjectReader
    scope: Scope
    checkpoint: Checkpoint
    emitted: EmittedRows | None
    follows: bool = False

    def __post_init__(self) -> None:
        if self.checkpoint.bookmark is None:
            raise ValueError("An incremental sync needs a bookmark.")
        self.bookmark = self.checkpoint.bookmark
        if self.emitted is None and self.source.header is not None:
            self.emitted = EmittedRows()
        self.since = _since(self.scope, self.bookmark)
        self.progress = self.checkpoint.progress or Progress(
            Pass.CHANGED, self.scope.last_second()
        )
        # Of this sync; the checkpoint's own stays until the sync is done, since the pass
        # over rows without a stamp begins there.
        self._highest = self.checkpoint.highest
        user_format = self.reader.gateway.user_format()
        self._position_in = position_of(self.source.paging_key, user_format)

    def read(self) -> Iterator[ReadPage]:
        """All passes that are still to be read."""
        passes: dict[Pass, Callable[[], Iterator[ReadPage]]] = {
            Pass.CHANGED: self._changed,
            Pass.UNSTAMPED: self._unstamped,
            Pass.LINES: self._lines,
            Pass.DELETED: self._deleted,
        }
        resumed = self.progress.reading
        for reading in list(passes)[list(passes).index(resumed) :]:
            if reading is not self.progress.reading:
                self.progress = Progress(reading, self.progress.until)
            yield from passes[reading]()
        yield ReadPage(checkpoint=Checkpoint(self.progress.until, None, self._highest))

    def _changed(self) -> Iterator[ReadPage]:
        """Rows of `since <= stamp <= until`, then what changed while they were read."""
        stamp = str(self.scope.replication_key)
        key = self.source.paging_key.led_by(KeyField(stamp, ValueType.TIMESTAMP))
        lower = self._lower(stamp)
        for _ in range(1 + MAX_CATCH_UPS):
            until = self.progress.until
            upper = Comparison(stamp, Operator.LESS_OR_EQUAL, (until,))
            pages = 0
            for page in self._pages(key, AllOf((lower, upper))):
                pages += 1
                yield page
            if pages <= 1:
                return
            lower = Comparison(stamp, Operator.GREATER, (until,))
            self.progress = Progress(Pass.CHANGED, self.scope.last_second())

    def _lower(self, stamp: str) -> Condition:
        """Stamps from `since` on.

        Where another reading of this run has been over them, only those that it may
        have met too early: the next sync, which looks back from now, will not.
        """
        since = Comparison(stamp, Operator.GREATER_OR_EQUAL, (self.since,))
        if not self.follows:
            return since
        seen = min(self.bookmark, self.scope.now() - self.scope.lookback)
        early = AllOf((since, Comparison(stamp, Operator.LESS, (seen,))))
        later = Comparison(stamp, Operator.GREATER, (self.bookmark,))
        return AnyOf((early, later))

    def _stamped(self, stamp: str) -> Condition:
        upper = Comparison(stamp, Operator.LESS_OR_EQUAL, (self.progress.until,))
        return AllOf((self._lower(stamp), upper))

    def _unstamped(self) -> Iterator[ReadPage]:
        """Rows created since whose WHENMODIFIED is null."""
        stamp = str(self.scope.replication_key)
        is_null = Comparison(stamp, Operator.IS_NULL)
        created = self._created()
        condition = is_null if created is None else AllOf((is_null, created))
        yield from self._pages(self.source.paging_key, condition)

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
        present: list[Row] = []
        for page in lines_of(
            self.reader,
            self.source.paging_key,
            self.source.header,
            numbers,
            self.scope.condition,
        ):
            present += page.rows
            yield ReadPage(self._fresh(page.rows))
        if self.scope.deletions is not None:
            until = self.progress.until
            for keys in self.scope.deletions.gone_lines(numbers, present, until):
                yield ReadPage(deleted=keys)

    def _deleted(self) -> Iterator[ReadPage]:
        if self.scope.deletions is None:
            return
        keys = _key_reader(self.source, self.reader, self.scope.deletions)
        living = QueriedRecords(keys, self.source.paging_key)
        for dead in self.scope.deletions.gone(self.since, self.progress.until, living):
            yield ReadPage(deleted=dead)

    def _pages(self, key: PagingKey, condition: Condition) -> Iterator[ReadPage]:
        """Pages of a pass, and what they move: progress, highest key, rows emitted."""
        wanted = both(self.scope.condition, condition)
        for page in _ordered_pages(self.reader, key, wanted, self.scope, self.progress):
            self.progress = _advanced(self.progress, page)
            self._note_highest(page)
            reached = self._reached() if page.position is not None else None
            yield ReadPage(self._fresh(page.rows), reached)

    def _fresh(self, rows: list[Row]) -> list[Row]:
        """Rows that were not emitted in this run as they are."""
        if self.emitted is None:
            return rows
        fresh = self.emitted.without(rows)
        self.emitted.add(fresh)
        return fresh

    def _note_highest(self, page: Page) -> None:
        positions = [p for p in map(self._position_in, page.rows) if p is not None]
        known = [self._highest] if self._highest is not None else []
        self._highest = max((*known, *positions), default=None)

    def _reached(self) -> Checkpoint:
        return Checkpoint(self.bookmark, self.progress, self.checkpoint.highest)


def _by_snapshot(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """One result set, which has no order: a checkpoint only holds after its end."""
    until = scope.last_second()
    bookmark = checkpoint.bookmark
    condition = both(scope.condition, _changed_or_created(scope, bookmark))
    if scope.deletions is not None and bookmark is None:
        scope.deletions.begin_load()
    for page in _result_set(reader, scope, condition):
        yield ReadPage(page.rows)
    if scope.deletions is not None:
        living = LegacyRecords(_key_reader(source, reader, scope.deletions))
        gone = (
            scope.deletions.loaded(until, living)
            if bookmark is None
            else scope.deletions.gone(_since(scope, bookmark), until, living)
        )
        for dead in gone:
            yield ReadPage(deleted=dead)
    yield ReadPage(checkpoint=_done(scope, until))


def _by_parent(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """All rows, every time: `read` takes no condition."""
    until = scope.last_second()
    if scope.deletions is not None:
        scope.deletions.begin_scan()
    count = 0
    for page in nested_pages(reader, str(source.parent), source.paging_key):
        count += len(page.rows)
        yield ReadPage(page.rows)
    if not count:
        logger.warning(
            "%s: no rows came inside %s, and no other function serves them.",
            source.object_name,
            source.parent,
        )
    if scope.deletions is not None and checkpoint.bookmark is not None:
        for dead in scope.deletions.unseen(until):
            yield ReadPage(deleted=dead)
    yield ReadPage(checkpoint=_done(scope, until))


_BY_FUNCTION = {
    ReadFunction.QUERY: _by_key,
    ReadFunction.READ_BY_QUERY: _by_snapshot,
    ReadFunction.READ_PARENT: _by_parent,
}


def _ordered_pages(
    reader: ObjectReader,
    key: PagingKey,
    condition: Condition | None,
    scope: Scope,
    progress: Progress,
) -> Iterator[Page]:
    """Pages of one pass, and at its end the rows that the closing count misses."""
    ledger = PassLedger(key, progress.after)
    detector = scope.detector
    if scope.paging is Paging.OFFSET:
        pages = offset_pages(
            reader,
            key,
            condition,
            detector,
            start=progress.after,
            offset=progress.offset,
        )
    else:
        pages = key_set_pages(
            reader,
            key,
            condition,
            start=progress.after,
            read_again=detector.read_again,
        )
    for page in pages:
        ledger.add(page)
        yield page
    yield from reconcile(reader, ledger, condition, detector)


def _key_reader(
    source: DataSource, reader: ObjectReader, deletions: DeletionFinder
) -> ObjectReader:
    """Reads the key columns alone."""
    return ObjectReader(
        reader.gateway,
        source.object_name,
        deletions.key_fields,
        page_size=reader.page_size,
    )


def _result_set(
    reader: ObjectReader, scope: Scope, condition: Condition | None
) -> Iterator[Page]:
    return snapshot_pages(reader, condition, read_again=scope.detector.read_again)


def _advanced(progress: Progress, page: Page) -> Progress:
    if page.position is None:
        return progress
    return replace(progress, after=page.position, offset=page.offset)


def _done(scope: Scope, until: datetime) -> Checkpoint:
    return Checkpoint() if scope.replication_key is None else Checkpoint(until)


def _since(scope: Scope, bookmark: datetime) -> datetime:
    """Where an incremental sync begins: some time before the bookmark."""
    since = bookmark - scope.lookback
    return since if scope.start_date is None else max(since, scope.start_date)


def _since_start(scope: Scope) -> Condition | None:
    """Rows modified (or, unmodified, created) since the start date."""
    if scope.start_date is None or scope.replication_key is None:
        return None
    return _stamped_since(scope, scope.start_date)


def _changed_or_created(scope: Scope, bookmark: datetime | None) -> Condition | None:
    if bookmark is None or scope.replication_key is None:
        return _since_start(scope)
    return _stamped_since(scope, _since(scope, bookmark))


def _stamped_since(scope: Scope, since: datetime) -> Condition:
    """By the stamp of change; by that of creation where there is none.

    A row that has neither stamp is read: better once more than never.
    """
    stamp = str(scope.replication_key)
    changed = Comparison(stamp, Operator.GREATER_OR_EQUAL, (since,))
    unstamped: Condition = Comparison(stamp, Operator.IS_NULL)
    if scope.creation_stamp is not None:
        created = AnyOf(
            (
                Comparison(scope.creation_stamp, Operator.GREATER_OR_EQUAL, (since,)),
                Comparison(scope.creation_stamp, Operator.IS_NULL),
            )
        )
        unstamped = AllOf((unstamped, created))
    return AnyOf((changed, unstamped))
