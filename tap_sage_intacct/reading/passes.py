"""A sync that is read by key: a first load, or the passes over what changed.

Each yields `ReadPage`s. A page's checkpoint holds as soon as the rows up to it are
written.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from typing_extensions import override

from tap_sage_intacct.catalog.sources import RECORD_NUMBER, DataSource, Header
from tap_sage_intacct.intacct.errors import PermissionDenied
from tap_sage_intacct.intacct.pages.key_set import KeySetPaging
from tap_sage_intacct.intacct.pages.ordered_rows import ordered_rows
from tap_sage_intacct.intacct.pages.page import Page, PagingStrategy
from tap_sage_intacct.intacct.pages.paging_key import after, positions_of
from tap_sage_intacct.intacct.pending import Pending
from tap_sage_intacct.intacct.query import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Operator,
    both,
    in_,
)
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import Row, RowSet, column_of
from tap_sage_intacct.reading.deletions import Deletions
from tap_sage_intacct.reading.emitted import EmittedRows
from tap_sage_intacct.reading.lines import changed_headers
from tap_sage_intacct.reading.offsets import OffsetPaging
from tap_sage_intacct.reading.reconciliation import Reconciliation
from tap_sage_intacct.reading.scope import (
    ReadPage,
    Scope,
    at_least,
    at_most,
    changed_or_created,
    is_null,
    pages_of_deleted,
    since,
)
from tap_sage_intacct.reading.state.checkpoint import Checkpoint, Pass, UnfinishedSync
from tap_sage_intacct.settings.settings import Paging

# A row that is modified while a window of several pages is read leaves the window. So
# what changed meanwhile is read after it, until that fits one page, which is one
# moment; a company that changes faster than it can be read is left to the next sync.
MAX_CATCH_UPS = 10

logger = logging.getLogger(__name__)


@dataclass
class KeyedSync(ABC):
    """A sync by key, resumable after every page.

    Attributes:
        source: whose rows.
        reader: of the source's object.
        scope: of the sync.
        checkpoint: where it begins or goes on.
        emitted: the rows of this run, where another reading may meet them again.
        sync: where it stands.
    """

    source: DataSource
    reader: ObjectReader
    scope: Scope
    checkpoint: Checkpoint
    emitted: EmittedRows
    sync: UnfinishedSync = field(init=False)

    @abstractmethod
    def read(self) -> Iterator[ReadPage]:
        """The rows that are still to be read; the first page is asked for at once."""

    @property
    def living(self) -> PagingStrategy:
        """Reads which records there are."""
        keys = key_reader(self.source, self.reader, self.scope.deletions)
        return KeySetPaging(keys, self.source.paging_key)

    def _begin(self, first: Pass) -> None:
        """Go on where an earlier run broke off, or begin with this pass.

        A pass begins again where it broke off at no position of the key: version 0.1
        read changes in the order of stamps, and other states are damaged.
        """
        now = self.scope.last_second()
        self.sync = self.checkpoint.unfinished or UnfinishedSync(first, now, now)
        is_of_headers = self.sync.current_pass is Pass.LINES
        key = RECORD_NUMBER if is_of_headers else self.source.paging_key
        position = self.sync.after or ()
        is_number = all(isinstance(value, int) for value in position)
        if not is_number or len(position) not in {0, len(key.fields)}:
            self.sync = replace(self.sync, after=None)
        self.scope.deletions.will_end_with(self.sync.begun)

    def _ordered_pages(self, condition: Condition | None) -> Iterator[Page]:
        """Pages of the current pass, then the rows that the closing count misses."""
        key, start = self.source.paging_key, self.sync.after
        wanted = both(self.scope.condition, condition)
        pages = self._paging().pages(wanted, start)
        count = Reconciliation(self.reader, key, wanted, self.scope.detector, start)

        def read() -> Iterator[Page]:
            for page in pages:
                count.note(page)
                if page.position is not None:
                    self.sync = replace(self.sync, after=page.position)
                yield page
            yield from count.missing()

        return read()

    def _paging(self) -> PagingStrategy:
        key, detector = self.source.paging_key, self.scope.detector
        if self.scope.paging is Paging.OFFSET:
            return OffsetPaging(self.reader, key, detector)
        # One more waits for a connection, or that would idle while a page is read.
        ahead = self.reader.gateway.max_connections + 1
        return KeySetPaging(self.reader, key, detector.read_again, ahead)


@dataclass
class FirstLoad(KeyedSync):
    """All rows by key, those whose WHENMODIFIED is null included.

    The bookmark becomes the second at which the pass first began: the next sync reads
    what was modified after it.
    """

    @override
    def read(self) -> Iterator[ReadPage]:
        self._begin(Pass.INITIAL)
        if self.sync.after is None:
            self.scope.deletions.begin_load()
        return self._read(self._ordered_pages(changed_or_created(self.scope, None)))

    def _read(self, pages: Iterator[Page]) -> Iterator[ReadPage]:
        for page in pages:
            self.emitted.add(page.rows)
            reached = replace(self.checkpoint, bookmark=None, unfinished=self.sync)
            checkpoint = reached if page.position is not None else None
            yield ReadPage(page.rows, checkpoint, total=page.total)
        yield from gone_before_load(
            self.scope, self.checkpoint, self.sync.begun, self.living
        )
        yield ReadPage(checkpoint=Checkpoint(self.sync.begun, None, self.sync.after))


@dataclass
class Changes(KeyedSync):
    """An incremental sync by key: its passes, one after the other.

    Attributes:
        checkpoint: holds a bookmark.
        read_up_to: where another reading of this run ended; None if there was none.
    """

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
        self.stamp = str(self.scope.replication_key)
        # Of this sync; the checkpoint's own stays until the sync is done, since the pass
        # over rows without a stamp begins there.
        self._highest = self.checkpoint.highest

    @override
    def read(self) -> Iterator[ReadPage]:
        self._begin(Pass.CHANGED)
        user_format = self.reader.gateway.user_format()
        # Bounds that daylight saving leaves open make the passes overlap.
        overlaps = not user_format.is_exact(self.sync.until)
        self.emitted.remembers |= overlaps or self.source.header is not None
        self._positions_of = positions_of(self.source.paging_key, user_format)
        return self._read(self._ask_at_once())

    def _read(self, asked: Pending[RowSet] | None) -> Iterator[ReadPage]:
        passes: dict[Pass, Callable[[], Iterator[ReadPage]]] = {
            Pass.CHANGED: self._changed,
            Pass.UNSTAMPED: self._unstamped,
            Pass.LINES: self._lines,
            Pass.DELETED: self._deleted,
        }
        left = list(passes)[list(passes).index(self.sync.current_pass) :]
        changed = self._at_once(asked) if asked is not None else None
        if changed is not None:
            yield changed
            left = left[left.index(Pass.LINES) :]
        for current_pass in left:
            if current_pass is not self.sync.current_pass:
                self.sync = replace(self.sync, current_pass=current_pass, after=None)
            yield from passes[current_pass]()
        yield ReadPage(checkpoint=Checkpoint(self.sync.begun, None, self._highest))

    def _ask_at_once(self) -> Pending[RowSet] | None:
        """What changed and what has no stamp, in one call; None for a sync that goes on.

        One answer is one moment: nothing moves while it is read. As a rule little has
        changed, and each call is billed.
        """
        is_new = self.sync.current_pass is Pass.CHANGED and self.sync.after is None
        if not is_new or self.scope.paging is Paging.OFFSET:
            return None
        changed = AnyOf((self._stamped(self.stamp), self._without_stamp()))
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
        return ReadPage(self.emitted.new(found.rows))

    def _changed(self) -> Iterator[ReadPage]:
        """Rows of `since <= stamp <= until`, then what changed while they were read.

        By their key, not by their stamp: in the hour that the user's clock repeats in
        autumn, stamps do not rise with the time.
        """
        lower = self._lower(self.stamp)
        for _ in range(1 + MAX_CATCH_UPS):
            until = self.sync.until
            pages = 0
            for page in self._pages(AllOf((lower, at_most(self.stamp, until)))):
                pages += page.checkpoint is not None
                yield page
            if pages <= 1:
                return
            lower = Comparison(self.stamp, Operator.GREATER, (until,))
            # Its begin stays: a row that became visible since, of an earlier stamp, was
            # not looked for again. The next sync looks back from there.
            self.sync = replace(self.sync, until=self.scope.last_second(), after=None)

    def _lower(self, stamp: str) -> Condition:
        """Stamps from `since` on.

        Another reading of this run may have read these rows already. Then only those
        count that it may have met too early: the next sync, which looks back from now,
        will not read them.
        """
        since = at_least(stamp, self.since)
        if self.read_up_to is None:
            return since
        seen = min(self.read_up_to, self.scope.now() - self.scope.lookback)
        later = Comparison(stamp, Operator.GREATER, (self.read_up_to,))
        return AnyOf((AllOf((since, at_most(stamp, seen))), later))

    def _stamped(self, stamp: str) -> Condition:
        return AllOf((self._lower(stamp), at_most(stamp, self.sync.until)))

    def _unstamped(self) -> Iterator[ReadPage]:
        return self._pages(self._without_stamp())

    def _without_stamp(self) -> Condition:
        """Rows created since whose WHENMODIFIED is null."""
        unstamped, created = is_null(self.stamp), self._created()
        return unstamped if created is None else AllOf((unstamped, created))

    def _created(self) -> Condition | None:
        """By the stamp of creation; by record number where there is none either."""
        key, stamp = self.source.paging_key, self.scope.creation_stamp
        highest = self.checkpoint.highest
        numbered = after(key, highest) if highest is not None else None
        if stamp is None:
            return numbered
        in_time = AllOf((at_least(stamp, self.since), at_most(stamp, self.sync.until)))
        no_stamp = both(is_null(stamp), numbered)
        return in_time if no_stamp is None else AnyOf((in_time, no_stamp))

    def _lines(self) -> Iterator[ReadPage]:
        """Lines whose header changed, except those that this run has just emitted."""
        header = self.source.header
        if header is None:
            return
        try:
            for page in changed_headers(
                self.reader.gateway, header, self._stamped, self.sync.after
            ):
                yield from self._lines_of(header, column_of(page.rows, "RECORDNO"))
                self.sync = replace(self.sync, after=page.position)
                yield ReadPage(checkpoint=self._reached())
        except PermissionDenied as error:
            logger.warning(
                "%s: lines that change with their %s are not read again. %s",
                self.source.stream_name,
                header.object_name,
                error,
            )

    def _lines_of(self, header: Header, numbers: Sequence[str]) -> Iterator[ReadPage]:
        if not numbers:
            return
        present: set[str] = set()
        owned = in_(header.field, list(map(int, numbers)))
        lines = KeySetPaging(self.reader, self.source.paging_key)
        for page in lines.pages(both(self.scope.condition, owned)):
            present.update(column_of(page.rows, self.source.record_key))
            yield ReadPage(self.emitted.new(page.rows))
        yield from pages_of_deleted(self.scope.deletions.gone_lines(numbers, present))

    def _deleted(self) -> Iterator[ReadPage]:
        deletions = self.scope.deletions
        return pages_of_deleted(
            deletions.gone(self.since, self.sync.until, self.living)
        )

    def _pages(self, condition: Condition) -> Iterator[ReadPage]:
        """Pages of a pass; each moves the highest key and the rows emitted."""
        for page in self._ordered_pages(condition):
            self._note_highest(page.rows)
            reached = self._reached() if page.position is not None else None
            yield ReadPage(self.emitted.new(page.rows), reached)

    def _note_highest(self, rows: Sequence[Row]) -> None:
        known = (self._highest, *self._positions_of(rows))
        self._highest = max((key for key in known if key is not None), default=None)

    def _reached(self) -> Checkpoint:
        return Checkpoint(self.bookmark, self.sync, self.checkpoint.highest)


def gone_before_load(
    scope: Scope, checkpoint: Checkpoint, until: datetime, living: PagingStrategy
) -> Iterator[ReadPage]:
    """Deletions of records that an earlier load emitted, and that are gone.

    Args:
        scope: of the sync.
        checkpoint: with which the load began; says since when the trail counts.
        until: the load's begin: the next sync asks the trail from then on.
        living: asks Intacct which records there are.
    """
    begin = None
    # A full table learns of the others by its version, or by comparing keys.
    if scope.replication_key is not None and checkpoint.deletions_since is not None:
        begin = since(scope, checkpoint.deletions_since)
    return pages_of_deleted(scope.deletions.gone_before_load(begin, until, living))


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
