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

from tap_sage_intacct.intacct.envelope import Row
from tap_sage_intacct.intacct.errors import RequestRefused
from tap_sage_intacct.intacct.paging import (
    KeyField,
    PagingKey,
    key_set_pages,
    nested_pages,
    snapshot_pages,
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
from tap_sage_intacct.sources import DataSource, ReadFunction
from tap_sage_intacct.state import Checkpoint, Pass, Progress

# A row that is modified while a window of several pages is read leaves the window. So
# what changed meanwhile is read after it, until that fits one page, which is one
# moment; a company that changes faster than it can be read is left to the next sync.
MAX_CATCH_UPS = 10

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scope:
    """What of an object a sync is to read.

    Attributes:
        now: the server's clock.
        condition: the user's filter.
        start_date: rows last modified before are left out of a first sync; aware.
        lookback: how far an incremental sync reaches back before its bookmark.
        replication_key: None to read everything, every time.
        creation_stamp: None where the object has no timestamp of creation.
    """

    now: Callable[[], datetime]
    condition: Condition | None = None
    start_date: datetime | None = None
    lookback: timedelta = timedelta()
    replication_key: str | None = None
    creation_stamp: str | None = None


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Rows, and the checkpoint after them; None where none can be given yet."""

    rows: list[Row] = field(default_factory=list)
    checkpoint: Checkpoint | None = None


def read_source(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """Read by the first of the source's functions that Intacct serves.

    Raises:
        RequestRefused: by the last function, or after rows were given out.
    """
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
        for page in snapshot_pages(reader, both(in_period, scope.condition)):
            yield ReadPage(page.rows)


def _by_key(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """Pages by key, resumable after every one of them."""
    if scope.replication_key is None:
        for page in key_set_pages(reader, source.paging_key, scope.condition):
            yield ReadPage(page.rows)
    elif checkpoint.bookmark is None:
        yield from _initial(source, reader, scope, checkpoint.progress)
    else:
        yield from _changes(source, reader, scope, checkpoint)


def _initial(
    source: DataSource, reader: ObjectReader, scope: Scope, progress: Progress | None
) -> Iterator[ReadPage]:
    """All rows by key, those whose WHENMODIFIED is null included.

    The bookmark becomes the second at which the pass first began: what was modified
    after it, an incremental sync reads again.
    """
    progress = progress or Progress(Pass.INITIAL, _last_second(scope))
    condition = both(scope.condition, _since_start(scope))
    for page in key_set_pages(
        reader, source.paging_key, condition, after=progress.after
    ):
        progress = replace(progress, after=page.position)
        yield ReadPage(page.rows, Checkpoint(None, progress))
    yield ReadPage(checkpoint=Checkpoint(progress.until))


def _changes(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """Rows modified since the bookmark, then rows created since that have no stamp."""
    bookmark = checkpoint.bookmark
    progress = checkpoint.progress or Progress(Pass.CHANGED, _last_second(scope))
    since = _since(scope, bookmark)
    if progress.reading is Pass.CHANGED:
        for window_page in _windows(source, reader, scope, since, progress):
            progress = window_page.progress
            yield ReadPage(window_page.rows, Checkpoint(bookmark, progress))
        progress = Progress(Pass.UNSTAMPED, progress.until)
    if scope.creation_stamp is not None:
        condition = both(scope.condition, _unstamped(scope, since, progress.until))
        for page in key_set_pages(
            reader, source.paging_key, condition, after=progress.after
        ):
            progress = replace(progress, after=page.position)
            yield ReadPage(page.rows, Checkpoint(bookmark, progress))
    yield ReadPage(checkpoint=Checkpoint(progress.until))


@dataclass(frozen=True, slots=True)
class _WindowPage:
    rows: list[Row]
    progress: Progress


def _windows(
    source: DataSource,
    reader: ObjectReader,
    scope: Scope,
    since: datetime,
    progress: Progress,
) -> Iterator[_WindowPage]:
    """Pages of `since <= stamp <= until`, then of what changed while they were read."""
    stamp = str(scope.replication_key)
    key = PagingKey(
        (KeyField(stamp, ValueType.TIMESTAMP), *source.paging_key.fields),
        source.paging_key.is_unique,
    )
    lower = Comparison(stamp, Operator.GREATER_OR_EQUAL, (since,))
    for _ in range(1 + MAX_CATCH_UPS):
        upper = Comparison(stamp, Operator.LESS_OR_EQUAL, (progress.until,))
        condition = both(scope.condition, AllOf((lower, upper)))
        pages = 0
        for page in key_set_pages(reader, key, condition, after=progress.after):
            pages += 1
            progress = replace(progress, after=page.position)
            yield _WindowPage(page.rows, progress)
        if pages <= 1:
            break
        lower = Comparison(stamp, Operator.GREATER, (progress.until,))
        progress = Progress(Pass.CHANGED, _last_second(scope))
    # The caller takes the bookmark from here, also where the last window was empty.
    yield _WindowPage([], progress)


def _by_snapshot(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """One result set, which has no order: a checkpoint only holds after its end."""
    del source
    until = _last_second(scope)
    condition = both(scope.condition, _changed_or_created(scope, checkpoint.bookmark))
    for page in snapshot_pages(reader, condition):
        yield ReadPage(page.rows)
    yield ReadPage(checkpoint=Checkpoint(until))


def _by_parent(
    source: DataSource, reader: ObjectReader, scope: Scope, checkpoint: Checkpoint
) -> Iterator[ReadPage]:
    """All rows, every time: `read` takes no condition."""
    del checkpoint
    until = _last_second(scope)
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
    yield ReadPage(checkpoint=Checkpoint(until))


_BY_FUNCTION = {
    ReadFunction.QUERY: _by_key,
    ReadFunction.READ_BY_QUERY: _by_snapshot,
    ReadFunction.READ_PARENT: _by_parent,
}


def _last_second(scope: Scope) -> datetime:
    """The last second that is over: no row will be stamped with it any more."""
    return scope.now() - timedelta(seconds=1)


def _since(scope: Scope, bookmark: datetime | None) -> datetime:
    """Where an incremental sync begins: some time before the bookmark.

    Raises:
        ValueError: there is no bookmark.
    """
    if bookmark is None:
        raise ValueError("An incremental sync needs a bookmark.")
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


def _unstamped(scope: Scope, since: datetime, until: datetime) -> Condition:
    created = str(scope.creation_stamp)
    return AllOf(
        (
            Comparison(str(scope.replication_key), Operator.IS_NULL),
            Comparison(created, Operator.GREATER_OR_EQUAL, (since,)),
            Comparison(created, Operator.LESS_OR_EQUAL, (until,)),
        )
    )
